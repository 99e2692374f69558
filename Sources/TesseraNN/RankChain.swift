// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

/// The ranks that share batches, in the order of their samples: a sum over groups goes from the first to the
/// last, each adding its own groups, and comes back the same way. It has the bits of one rank that has all
/// groups, for the order of the additions is the same.
///
///     rank 0          rank 1          rank 2
///     0 + g0 + g1 --> ... + g2 + g3 --> ... + g4
///          <--------------- sum <---------- sum
///
/// The numbers go in segments, so that all ranks work at the same time: with s segments and r ranks a pass
/// takes (s + r - 1) / s times as long as the numbers need from one rank to the next.
package struct RankChain: Sendable {
  private let communicator: any Communicator
  private let ranks: [Int], position: Int
  private let tag: RankTag

  /// Numbers of a segment.
  private static let segment = 1 << 16

  /// A chain that this rank is in.
  ///
  /// - Parameters:
  ///   - ranks: all of the chain, each once, in the order of their samples.
  ///   - communicator: this rank's.
  /// - Throws: `TesseraError` for a chain without this rank, or with one twice.
  package init(_ ranks: [Int], _ communicator: any Communicator) throws {
    guard let position = ranks.firstIndex(of: communicator.rank), Set(ranks).count == ranks.count else {
      throw TesseraError.failure(
        "a chain of ranks", found: "\(ranks)", wanted: "each once, rank \(communicator.rank) among them")
    }
    (self.ranks, self.position, self.communicator, tag) = (ranks, position, communicator, .sum)
  }

  /// The same ranks for sums that go on beside this chain's: their messages are told apart.
  var beside: RankChain { RankChain(self) }

  private init(_ other: RankChain) {
    (ranks, position, communicator) = (other.ranks, other.position, other.communicator)
    tag = .gradient
  }

  /// Whether this rank's groups are the last ones: it ends the sums.
  private var isLast: Bool { position == ranks.count - 1 }

  /// Adds up numbers of all ranks' groups. They are added to where they have arrived, and go on from there.
  ///
  /// - Parameters:
  ///   - target: (count), for the results.
  ///   - kind: how groups are added up; of compensated sums what additions round off goes along.
  ///   - offers: this rank's groups.
  func add(_ target: UnsafeMutableBufferPointer<Float>, by kind: GroupSums, _ offers: GroupOffers) throws {
    let segments = stride(from: 0, to: target.count, by: Self.segment).map {
      $0..<min(target.count, $0 + Self.segment)
    }
    for segment in segments { try addOn(segment, of: target, by: kind, offers) }
    guard !isLast else { return }
    for segment in segments {
      let message = try receive(segment.count, from: ranks[position + 1])
      copy(message, to: target, segment)
      if position > 0 { try communicator.send(message, to: ranks[position - 1], tag) }
    }
  }

  /// Adds this rank's groups to a segment that comes from the rank before, and sends it on, or back.
  private func addOn(
    _ segment: Range<Int>, of target: UnsafeMutableBufferPointer<Float>, by kind: GroupSums,
    _ offers: GroupOffers
  ) throws {
    let arrays = kind == .compensated ? 2 : 1
    let message =
      position > 0
      ? try receive(segment.count * arrays, from: ranks[position - 1])
      : Payload(count: segment.count * arrays * 4)
    let numbers = message.bytes.bindMemory(to: Float.self)
    let sums = UnsafeMutableBufferPointer(rebasing: numbers[..<segment.count])
    let lost = UnsafeMutableBufferPointer(rebasing: numbers[segment.count...])
    offers.add(segment, by: kind, to: sums, lost: lost, isFirst: position == 0)
    guard isLast else { return try communicator.send(message, to: ranks[position + 1], tag) }
    GroupOffers.canonicalize(sums, copyingTo: UnsafeMutableBufferPointer(rebasing: target[segment]))
    guard position > 0 else { return }
    let answer = arrays == 1 ? message : Payload(copying: UnsafeRawBufferPointer(sums))
    try communicator.send(answer, to: ranks[position - 1], tag)
  }

  private func receive(_ count: Int, from rank: Int) throws -> Payload {
    let message = try communicator.receive(from: rank, tag)
    let found = message.withBytes(\.count)
    guard found == count * 4 else {
      throw TesseraError.failure(
        "a sum from rank \(rank)", found: "\(found) bytes", wanted: "\(count * 4): the same step on all ranks"
      )
    }
    return message
  }

  private func copy(
    _ message: Payload, to target: UnsafeMutableBufferPointer<Float>, _ segment: Range<Int>
  ) {
    message.withBytes { bytes in
      UnsafeMutableRawBufferPointer(UnsafeMutableBufferPointer(rebasing: target[segment])).copyMemory(
        from: .init(rebasing: bytes[..<(segment.count * 4)]))
    }
  }
}
