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
    (self.ranks, self.position, self.communicator) = (ranks, position, communicator)
  }

  /// Whether this rank's groups are the last ones: it ends the sums.
  private var isLast: Bool { position == ranks.count - 1 }

  /// Adds up numbers of all ranks' groups.
  ///
  /// - Parameters:
  ///   - sums: (count), for the results.
  ///   - lost: (count) for what additions round off; empty for sums that drop it.
  ///   - add: adds this rank's groups to a range of both.
  ///   - finish: puts a range of the sums into their final form, on the last rank.
  func add(
    _ sums: UnsafeMutableBufferPointer<Float>, lost: UnsafeMutableBufferPointer<Float>,
    add: (Range<Int>) -> Void, finish: (Range<Int>) -> Void
  ) throws {
    let segments = stride(from: 0, to: sums.count, by: Self.segment).map {
      $0..<min(sums.count, $0 + Self.segment)
    }
    for segment in segments {
      if position > 0 {
        try take(segment, of: [sums] + (lost.isEmpty ? [] : [lost]), from: ranks[position - 1])
      } else {
        for index in segment { sums[index] = 0 }
        if !lost.isEmpty { for index in segment { lost[index] = 0 } }
      }
      add(segment)
      if isLast {
        finish(segment)
        if position > 0 { try give(segment, of: [sums], to: ranks[position - 1]) }
      } else {
        try give(segment, of: [sums] + (lost.isEmpty ? [] : [lost]), to: ranks[position + 1])
      }
    }
    guard !isLast else { return }
    for segment in segments {
      let message = try receive(segment.count, from: ranks[position + 1])
      copy(message, 0, to: sums, segment)
      if position > 0 { try communicator.send(message, to: ranks[position - 1], .sum) }
    }
  }

  private func give(
    _ segment: Range<Int>, of arrays: [UnsafeMutableBufferPointer<Float>], to rank: Int
  ) throws {
    var parts: [Payload] = []
    for array in arrays {
      parts.append(Payload(copying: .init(UnsafeBufferPointer(rebasing: array[segment]))))
    }
    try communicator.send(parts.count == 1 ? parts[0] : .joined(parts), to: rank, .sum)
  }

  private func take(
    _ segment: Range<Int>, of arrays: [UnsafeMutableBufferPointer<Float>], from rank: Int
  ) throws {
    let message = try receive(segment.count * arrays.count, from: rank)
    for (number, array) in arrays.enumerated() { copy(message, number * segment.count, to: array, segment) }
  }

  private func receive(_ count: Int, from rank: Int) throws -> Payload {
    let message = try communicator.receive(from: rank, .sum)
    let found = message.withBytes(\.count)
    guard found == count * 4 else {
      throw TesseraError.failure(
        "a sum from rank \(rank)", found: "\(found) bytes", wanted: "\(count * 4): the same step on all ranks"
      )
    }
    return message
  }

  private func copy(
    _ message: Payload, _ place: Int, to array: UnsafeMutableBufferPointer<Float>, _ segment: Range<Int>
  ) {
    message.withBytes { bytes in
      UnsafeMutableRawBufferPointer(UnsafeMutableBufferPointer(rebasing: array[segment])).copyMemory(
        from: .init(rebasing: bytes[place * 4..<(place + segment.count) * 4]))
    }
  }
}
