// SPDX-License-Identifier: Apache-2.0
/// The leader's view of the other ranks: what each has to compute with, and how it is told what to do.
///
///     leader: tessera run ...                 ranks 1, 2, ...: the same command, as assistants
///       |  command: a model, by kind and number  -->  each device of the rank has it
///       |  command: a part of some work          -->  the device with that number does it
///       |  <--  answer, with the device's number
///       |  command: the model is done with       -->
///       |  end
///
/// Only the leader reads data and writes files; what assistants need comes with the messages, so hosts need
/// no file system in common.
package final class RankTeam: Sendable {
  /// Messages to and from the others.
  package let communicator: any Communicator
  /// The other ranks, from rank 1 on.
  package let members: [RankMember]
  private let nextModel = Locked(0)

  /// Meets the other ranks, which all say who they are.
  ///
  /// - Parameters:
  ///   - communicator: the leader's.
  ///   - build: what says that ranks are of the same program; those of another are refused.
  /// - Throws: `TesseraError` for a rank of another program, and for one that fails.
  package init(leading communicator: any Communicator, build: String) throws {
    self.communicator = communicator
    members = try (1..<max(1, communicator.size)).map { rank in
      let member = try RankMember(rank, try communicator.receive(from: rank, .hello))
      guard member.build == build else {
        throw TesseraError.input(
          "rank \(rank) on \(member.host)", found: "another build of tessera (\(member.build))",
          wanted: "the leader's on every host (\(build))")
      }
      return member
    }
  }

  /// Devices of all other ranks.
  package var deviceCount: Int { members.reduce(0) { $0 + $1.devices.count } }

  /// The ranks with their devices in a line: those of one kind together.
  package var name: String {
    var counts: [(name: String, count: Int)] = []
    for member in members {
      let name = member.devices.joined(separator: " + ")
      if let at = counts.firstIndex(where: { $0.name == name }) {
        counts[at].count += 1
      } else {
        counts.append((name, 1))
      }
    }
    return counts.map { $1 == 1 ? "a rank of \($0)" : "\($1) ranks of \($0)" }.joined(separator: " + ")
  }

  /// Ends the work of all: each comes to its end with this exit code.
  package func end(code: Int32) {
    for member in members { try? communicator.send(RankFailure.endMessage(code), to: member.rank, .end) }
  }

  /// The message that ends a rank's work with an exit code.
  package static func endMessage(_ code: Int32) -> Payload { RankFailure.endMessage(code) }

  /// A number that no other model has.
  func newModel() -> Int {
    nextModel.withLock { number in
      defer { number += 1 }
      return number
    }
  }

  /// Tells a rank what to do.
  func command(_ command: RankCommand, to rank: Int) throws {
    try communicator.send(command.message, to: rank, .command)
  }
}

/// A rank that assists.
package struct RankMember: Sendable {
  /// Its number.
  package let rank: Int
  /// The name of its host.
  package let host: String
  /// The names of its devices.
  package let devices: [String]
  /// What its program was built of.
  let build: String

  init(_ rank: Int, _ hello: Payload) throws {
    var reader = MessageReader(hello)
    self.rank = rank
    (host, build) = (try reader.text(), try reader.text())
    devices = try reader.texts()
  }

  /// What a rank says of itself.
  static func hello(host: String, build: String, devices: [String]) -> Payload {
    var writer = MessageWriter()
    writer.add(host)
    writer.add(build)
    writer.add(devices.count)
    devices.forEach { writer.add($0) }
    return writer.payload
  }
}

/// What the leader wants of a rank.
enum RankCommand {
  /// To hold a model of a kind on its devices.
  case open(model: Int, kind: String, Payload)
  /// To do a part of some work by a model on one of its devices, and to answer.
  case part(model: Int, device: Int, Payload)
  /// To take something to a model, on all devices; the model answers if it has something to say.
  case tell(model: Int, Payload)
  /// To let go of a model.
  case close(model: Int)
  /// To tell the time by its clock.
  case clock
  /// To tell what its profiler has collected.
  case profile

  /// As a message.
  var message: Payload {
    var writer = MessageWriter()
    switch self {
    case .open(let model, let kind, let content):
      writer.add([0, Int32(model)])
      writer.add(kind)
      writer.add(content)
    case .part(let model, let device, let content):
      writer.add([1, Int32(model), Int32(device)])
      writer.add(content)
    case .tell(let model, let content):
      writer.add([2, Int32(model)])
      writer.add(content)
    case .close(let model): writer.add([3, Int32(model)])
    case .clock: writer.add([4 as Int32])
    case .profile: writer.add([5 as Int32])
    }
    return writer.payload
  }

  /// Reads a message.
  init(_ message: Payload) throws {
    var reader = MessageReader(message)
    let numbers = try reader.ints().map { Int($0) }
    switch (numbers.first, numbers.count) {
    case (0, 2): self = .open(model: numbers[1], kind: try reader.text(), try reader.nested())
    case (1, 3): self = .part(model: numbers[1], device: numbers[2], try reader.nested())
    case (2, 2): self = .tell(model: numbers[1], try reader.nested())
    case (3, 2): self = .close(model: numbers[1])
    case (4, 1): self = .clock
    case (5, 1): self = .profile
    default: throw TesseraError.failure("a command", found: "\(numbers)", wanted: "one of this version")
    }
  }
}
