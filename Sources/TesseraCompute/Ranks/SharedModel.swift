// SPDX-License-Identifier: Apache-2.0
/// A model that all ranks of a team hold too, as long as the leader holds this.
package final class SharedModel: Sendable {
  /// The ranks.
  package let team: RankTeam
  private let number: Int

  /// Sends a model to all ranks.
  ///
  /// - Parameters:
  ///   - team: the ranks.
  ///   - kind: the name of the kind of work, by which a rank knows what to make of the message.
  ///   - content: the model.
  package init(_ team: RankTeam, kind: String, _ content: Payload) throws {
    (self.team, number) = (team, team.newModel())
    for member in team.members {
      try team.command(.open(model: number, kind: kind, content), to: member.rank)
    }
  }

  deinit {
    for member in team.members { try? team.command(.close(model: number), to: member.rank) }
  }

  /// Tells a rank's model something.
  package func tell(_ content: Payload, to rank: Int) throws {
    try team.command(.tell(model: number, content), to: rank)
  }

  /// What a rank's model said in answer to what it was told, in order.
  package func answer(of rank: Int) throws -> Payload {
    try team.communicator.receive(from: rank, .answer(0))
  }

  /// Has a device of a rank do a part of some work.
  func ask(_ member: RankMember, device: Int, _ content: Payload) throws {
    try team.command(.part(model: number, device: device, content), to: member.rank)
  }
}

/// How parts of some work travel to other ranks, and their results back.
package struct PartCoding<Result>: Sendable {
  let input: @Sendable (Int) throws -> Payload
  let output: @Sendable (Int, Payload) throws -> Result

  /// A coding.
  ///
  /// - Parameters:
  ///   - input: what a rank needs for a part, by its number.
  ///   - output: the result of a part, of a rank's answer.
  package init(
    input: @escaping @Sendable (Int) throws -> Payload,
    output: @escaping @Sendable (Int, Payload) throws -> Result
  ) {
    (self.input, self.output) = (input, output)
  }
}

extension WorkQueue {
  /// A thread's whole task where a device of another rank does the work: two parts are under way at a time,
  /// so that the device need not wait for messages.
  func work(_ model: SharedModel, _ member: RankMember, device: Int, _ coding: PartCoding<Result>) {
    var pending: [Int] = []
    work { take in
      do {
        while pending.count < 2, let part = take() {
          try model.ask(member, device: device, try coding.input(part))
          pending.append(part)
        }
        guard let part = pending.first else { return nil }
        pending.removeFirst()
        let answer = try model.team.communicator.receive(from: member.rank, .answer(device))
        return (part, try coding.output(part, answer))
      } catch {
        // Answers to what was asked are not left for whoever asks next.
        for _ in pending { _ = try? model.team.communicator.receive(from: member.rank, .answer(device)) }
        pending = []
        throw error
      }
    }
  }
}
