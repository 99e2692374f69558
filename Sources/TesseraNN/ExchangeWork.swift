// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

/// Ordered sums over all ranks and nothing else, to be timed: what gradients cost on their way.
package final class ExchangeWork: AssistedWork {
  /// The name of the kind.
  package static let kind = "exchange"
  private let communicator: any Communicator

  /// Nothing has to be sent for it.
  package init(_ content: Payload, devices: DeviceGroup, _ communicator: any Communicator) {
    self.communicator = communicator
  }

  /// Takes part in so many sums of so many numbers.
  package func told(_ content: Payload) throws -> Payload? {
    var reader = MessageReader(content)
    let (count, rounds) = (try reader.int(), try reader.int())
    _ = try Self.sums(of: count, rounds: rounds, communicator) { _ in }
    return nil
  }

  /// The seconds that each sum took, as the leader sees it, after one that is not counted.
  ///
  /// - Parameters:
  ///   - team: the ranks; each has one group of samples.
  ///   - count: numbers of a group.
  ///   - rounds: how many sums.
  /// - Throws: `TesseraError` for sums that are wrong.
  package static func seconds(_ team: RankTeam, count: Int, rounds: Int) throws -> [Double] {
    let model = try SharedModel(team, kind: kind, MessageWriter().payload)
    var writer = MessageWriter()
    writer.add(count)
    writer.add(rounds + 1)
    for member in team.members { try model.tell(writer.payload, to: member.rank) }
    var times: [Double] = []
    let last = try sums(of: count, rounds: rounds + 1, team.communicator) { times.append($0) }
    let ranks = team.members.count + 1
    // Numbers that a float holds exactly whatever the order: the order's bits are other tests'.
    let wanted = Float(ranks * (ranks + 1) / 2)
    guard last.allSatisfy({ $0 == wanted }) else {
      throw TesseraError.failure("a sum over ranks", found: "\(last.first ?? 0)", wanted: "\(wanted)")
    }
    return Array(times.dropFirst())
  }

  /// Adds up, rank by rank, and says how long each sum took.
  private static func sums(
    of count: Int, rounds: Int, _ communicator: any Communicator, _ took: (Double) -> Void
  ) throws -> [Float] {
    guard (1...1 << 28).contains(count), (1...1 << 20).contains(rounds) else {
      throw TesseraError.failure(
        "an exchange", found: "\(rounds) sums of \(count)", wanted: "1 to \(1 << 28) numbers")
    }
    let chain = try RankChain(Array(0..<communicator.size), communicator)
    let group = [Float](repeating: Float(communicator.rank + 1), count: count)
    var total = [Float](repeating: 0, count: count)
    for _ in 0..<rounds {
      let start = ContinuousClock.now
      try group.withUnsafeBufferPointer { group in
        let offers = GroupOffers([group], count: count)
        try total.withUnsafeMutableBufferPointer { try chain.add($0, by: .chain, offers) }
      }
      took((ContinuousClock.now - start) / .seconds(1))
    }
    return total
  }
}
