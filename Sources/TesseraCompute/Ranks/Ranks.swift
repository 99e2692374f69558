// SPDX-License-Identifier: Apache-2.0

/// This process as one of several, ranks, that a launcher of MPI (`mpirun`) has started with the same program. Each
/// runs it from beginning to end with devices of its own, and meets the others in what they share, such as a
/// `SharedTraining` of TesseraNN.
///
/// ```swift
/// try Ranks.run { ranks in
///   let devices = try DeviceSelection.openAll("auto", ranks: ranks)
///   let training = try SharedTraining(devices, ranks: ranks) { device in makeNetwork(device) }
///   // Steps of the training.
///   if ranks?.isLeader ?? true { try training.module.save(to: "weights.safetensors", on: devices.main) }
/// }
/// ```
public final class Ranks: Sendable {
  /// The ranks' messages.
  package let communicator: any Communicator
  private let broken = Locked<(any Error)?>(nil)

  /// What a rank has to say at its program's end.
  private static let end = "the end of the program"

  /// This rank among those of a communicator.
  package init(_ communicator: any Communicator) { self.communicator = communicator }

  /// This process's number, from 0 on.
  public var rank: Int { communicator.rank }

  /// How many processes there are.
  public var count: Int { communicator.size }

  /// The name of this process's host.
  public var host: String { communicator.host }

  /// Whether this is rank 0, which prints and writes what all have come to.
  public var isLeader: Bool { rank == 0 }

  /// Has the leader find out whether all ranks have come to the same point of the program. The others go on at once.
  ///
  /// - Parameter point: the point in words, with all that ranks must agree on.
  /// - Throws: `TesseraError` for a rank that is elsewhere, at the leader.
  package func meet(at point: String) throws {
    guard isLeader else {
      var writer = MessageWriter()
      writer.add(host)
      writer.add(point)
      return try communicator.send(writer.payload, to: 0, .hello)
    }
    for other in others {
      var reader = MessageReader(try communicator.receive(from: other, .hello))
      let (host, found) = (try reader.text(), try reader.text())
      guard found == point else {
        let error = TesseraError.failure(
          "rank \(other) on \(host)", found: found, wanted: "\(point), as rank 0: one program on all ranks")
        // That rank's, not this one's, as if it had told of it.
        communicator.fail(error)
        throw error
      }
    }
  }

  /// What every rank has to tell, in their order, for each of them.
  package func gather(_ own: Payload) throws -> [Payload] {
    guard isLeader else {
      try communicator.send(own, to: 0, .rows)
      var reader = MessageReader(try communicator.receive(from: 0, .rows))
      return try (0..<count).map { _ in try reader.nested() }
    }
    let all = [own] + (try others.map { try communicator.receive(from: $0, .rows) })
    var writer = MessageWriter()
    for part in all { writer.add(part) }
    let answer = writer.payload
    for other in others { try communicator.send(answer, to: other, .rows) }
    return all
  }

  /// Notes an error after which this rank can share nothing any more: the others are not to wait for it, whatever
  /// becomes of the error here.
  package func fail(_ error: any Error) {
    broken.withLock { $0 = $0 ?? error }
    guard !isLeader, !(error is RankEnd) else { return }
    try? communicator.send(RankFailure.message(error, on: host), to: 0, .failure)
  }

  /// Runs a rank's part of a program, and comes to the end with the others.
  ///
  /// - Parameters:
  ///   - body: the program.
  ///   - tell: gets the line that says what all have failed at, in one of the ranks.
  /// - Returns: the body's result with the exit code 0; no result and another code where a rank has failed.
  package func finish<R>(_ body: (Ranks) throws -> R, tell: (String) -> Void) -> (result: R?, code: Int32) {
    var result: R?
    do {
      result = try body(self)
      if let error = broken.withLock({ $0 }) { throw error }
      try meet(at: Self.end)
      if isLeader {
        for other in others { try communicator.send(RankFailure.endMessage(0), to: other, .end) }
        return (result, 0)
      }
      while true { _ = try communicator.receive(from: 0, .command) }
    } catch let end as RankEnd {
      return end.code == 0 ? (result, 0) : (nil, end.code)
    } catch {
      guard isLeader else { return (nil, RankAssistant.report(error, communicator, tell: tell)) }
      let code = tellAll(error, tell)
      return (nil, code)
    }
  }

  /// Says what the work has failed at, and then ends the others: as soon as one has ended with an error, a launcher
  /// ends all.
  private func tellAll(_ error: any Error, _ tell: (String) -> Void) -> Int32 {
    let known = communicator.failure ?? RankFailure.error(RankFailure.message(error, on: host), from: rank)
    tell("\(known)")
    let code: Int32 = (known as? TesseraError)?.kind == .input ? 2 : 1
    for other in others { try? communicator.send(RankFailure.endMessage(code), to: other, .end) }
    return code
  }

  private var others: Range<Int> { 1..<max(1, count) }
}
