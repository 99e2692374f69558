// SPDX-License-Identifier: Apache-2.0
/// A kind of work that ranks do for the leader, on all devices of the rank.
package protocol AssistedWork: AnyObject {
  /// The name of the kind.
  static var kind: String { get }

  /// The model on the rank's devices.
  ///
  /// - Parameters:
  ///   - content: what the leader sent.
  ///   - devices: the rank's.
  ///   - communicator: for what ranks exchange with each other.
  init(_ content: Payload, devices: DeviceGroup, _ communicator: any Communicator) throws

  /// Does a part of some work; called on a thread of the device, never twice at a time for one.
  ///
  /// - Parameters:
  ///   - content: what the leader sent.
  ///   - device: the device's number in the group.
  /// - Returns: the answer.
  func part(_ content: Payload, device: Int) throws -> Payload

  /// Takes what the leader tells; called on the rank's main thread.
  ///
  /// - Returns: the answer, if there is one.
  func told(_ content: Payload) throws -> Payload?
}

extension AssistedWork {
  /// Has nothing to do.
  package func part(_ content: Payload, device: Int) throws -> Payload {
    throw TesseraError.failure("ranks", found: "a part for \(Self.kind)", wanted: "something to be told")
  }

  /// Has nothing to be told.
  package func told(_ content: Payload) throws -> Payload? {
    throw TesseraError.failure("ranks", found: "something to tell \(Self.kind)", wanted: "a part")
  }
}

/// What a rank beside the leader does: holds the models that it is sent, works on the parts that it is given,
/// and ends when the leader says so.
package final class RankAssistant {
  private let communicator: any Communicator
  private let devices: DeviceGroup
  private let kinds: [String: any AssistedWork.Type]
  private var models: [Int: any AssistedWork] = [:]
  private var hands: [Hand] = []

  /// An assistant on its devices.
  ///
  /// - Parameters:
  ///   - communicator: the rank's.
  ///   - devices: what it computes with.
  ///   - build: what says that it is of the same program as the leader.
  ///   - kinds: the kinds of work that it knows.
  package init(
    _ communicator: any Communicator, devices: DeviceGroup, build: String, kinds: [any AssistedWork.Type]
  ) throws {
    (self.communicator, self.devices) = (communicator, devices)
    self.kinds = Dictionary(kinds.map { ($0.kind, $0) }) { first, _ in first }
    try communicator.send(
      RankMember.hello(host: communicator.host, build: build, devices: devices.all.map(\.name)), to: 0, .hello
    )
  }

  /// Works until the leader ends it.
  ///
  /// - Returns: the exit code.
  /// - Throws: what this rank fails at, for `report`.
  package func serve() throws -> Int32 {
    defer { hands.forEach { $0.end() } }
    do {
      hands = try devices.all.indices.map { try Hand($0, devices.all[$0], communicator) }
      while true { try follow(RankCommand(try communicator.receive(from: 0, .command))) }
    } catch let end as RankEnd {
      return end.code
    }
  }

  /// Tells the leader of an error, which it tells the user, and waits for the end that follows. An error that cuts
  /// this rank off from the leader it tells itself.
  ///
  /// - Parameters:
  ///   - error: the error.
  ///   - communicator: the rank's.
  ///   - tell: gets the line of an error that the leader cannot tell.
  /// - Returns: the exit code.
  package static func report(
    _ error: any Error, _ communicator: any Communicator,
    tell: (String) -> Void = { StandardError.write("tessera: \($0)\n") }
  ) -> Int32 {
    do {
      try communicator.send(RankFailure.message(error, on: communicator.host), to: 0, .failure)
      // Nothing else is of interest any more.
      while true { _ = try communicator.receive(from: 0, .command) }
    } catch let end as RankEnd {
      return end.code
    } catch {
      tell("\(error)")
      return 1
    }
  }

  private func follow(_ command: RankCommand) throws {
    switch command {
    case .open(let number, let kind, let content):
      guard let type = kinds[kind] else {
        throw TesseraError.failure("ranks", found: "work of the kind \(kind)", wanted: "a known one")
      }
      models[number] = try type.init(content, devices: devices, communicator)
    case .part(let number, let device, let content):
      guard hands.indices.contains(device) else {
        throw TesseraError.failure("ranks", found: "device \(device)", wanted: "0..<\(hands.count)")
      }
      hands[device].give(try model(number), content)
    case .tell(let number, let content):
      guard let answer = try model(number).told(content) else { return }
      try communicator.send(answer, to: 0, .answer(0))
    case .close(let number): models[number] = nil
    case .clock:
      var writer = MessageWriter()
      writer.add(Int(Profiler.now))
      try communicator.send(writer.payload, to: 0, .answer(0))
    case .profile:
      try devices.synchronize()
      let collected = devices.main.profiler?.snapshot() ?? Profiler.Snapshot()
      try communicator.send(collected.message, to: 0, .answer(0))
    }
  }

  private func model(_ number: Int) throws -> any AssistedWork {
    if let model = models[number] { return model }
    throw TesseraError.failure("ranks", found: "no model \(number)", wanted: "one that was sent")
  }
}
