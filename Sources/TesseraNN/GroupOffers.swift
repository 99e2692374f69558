// SPDX-License-Identifier: Apache-2.0

/// What the parts of a process have to add to sums over a batch: numbers of groups of samples, in the order of
/// the samples (NUMERICS.md rule 6).
struct GroupOffers {
  private let offers: [UnsafeBufferPointer<Float>]
  private let count: Int

  /// Numbers that stay in the cache while all groups are added to them.
  static let block = 4096

  /// Groups of so many numbers each.
  ///
  /// - Parameters:
  ///   - offers: of each part, (groups, count).
  ///   - count: numbers of a group.
  init(_ offers: [UnsafeBufferPointer<Float>], count: Int) { (self.offers, self.count) = (offers, count) }

  /// Adds all groups to what has been added up before.
  ///
  /// - Parameters:
  ///   - range: which of a group's numbers.
  ///   - kind: how they are added.
  ///   - sums: the sums of the range, the first at 0.
  ///   - lost: as many for what additions round off; of compensated sums alone.
  ///   - isFirst: nothing has been added up before; what the two hold does not count.
  func add(
    _ range: Range<Int>, by kind: GroupSums, to sums: UnsafeMutableBufferPointer<Float>,
    lost: UnsafeMutableBufferPointer<Float>, isFirst: Bool = false
  ) {
    for begin in stride(from: 0, to: range.count, by: Self.block) {
      let places = begin..<min(range.count, begin + Self.block)
      var isEmpty = isFirst
      if isEmpty, kind == .compensated || offers.allSatisfy(\.isEmpty) {
        for place in places { sums[place] = 0 }
        if kind == .compensated { for place in places { lost[place] = 0 } }
        isEmpty = false
      }
      for offer in offers {
        for group in 0..<offer.count / count {
          let base = group * count + range.lowerBound
          switch kind {
          // The sum begins at +0: a group's -0 becomes +0.
          case .chain where isEmpty: for place in places { sums[place] = 0 + offer[base + place] }
          case .chain: for place in places { sums[place] += offer[base + place] }
          case .compensated:
            for place in places {
              GroupSums.add(offer[base + place], to: &sums[place], lost: &lost[place])
            }
          }
          isEmpty = false
        }
      }
    }
  }

  /// Gives all that is no number one form (NUMERICS.md rule 9).
  static func canonicalize(_ numbers: UnsafeMutableBufferPointer<Float>) {
    for index in numbers.indices where numbers[index].isNaN {
      numbers[index] = Float(bitPattern: 0x7fc0_0000)
    }
  }

  /// The same, with a copy of all.
  static func canonicalize(
    _ numbers: UnsafeMutableBufferPointer<Float>, copyingTo copy: UnsafeMutableBufferPointer<Float>
  ) {
    for index in numbers.indices {
      let number = numbers[index].isNaN ? Float(bitPattern: 0x7fc0_0000) : numbers[index]
      numbers[index] = number
      copy[index] = number
    }
  }
}
