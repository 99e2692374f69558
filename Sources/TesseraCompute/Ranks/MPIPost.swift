// SPDX-License-Identifier: Apache-2.0
import Foundation

/// The work of the MPI thread: sends what the outbox holds, receives what comes in, listens for signs of
/// life. It never waits for a rank, so that whoever is waited for in vain is noticed.
struct MPIPost {
  private let calls: MPICalls, mailbox: Mailbox, outbox: Outbox
  private let rank: Int, size: Int, host: String, patience: Duration
  private let clock = ContinuousClock()
  private var sends: [(transfer: OpaquePointer, message: Payload)] = []
  private var receives: [Receive] = []
  /// Pieces of long messages, by source and tag.
  private var pieces: [Int: [Payload]] = [:]
  private var heard: [ContinuousClock.Instant]
  private var hosts: [Int: String] = [:]
  private var spoke: ContinuousClock.Instant
  private var active: ContinuousClock.Instant

  private struct Receive {
    let transfer: OpaquePointer, message: Payload
    let source: Int, tag: Int
    var isDone = false
  }

  /// The most bytes of a message's piece: MPI counts in 31 bits.
  private static let piece = 1 << 28

  init(
    _ calls: MPICalls, _ mailbox: Mailbox, _ outbox: Outbox, rank: Int, size: Int, host: String,
    patience: Duration
  ) {
    (self.calls, self.mailbox, self.outbox) = (calls, mailbox, outbox)
    (self.rank, self.size, self.host, self.patience) = (rank, size, host, patience)
    let now = clock.now
    (spoke, active) = (now, now)
    heard = Array(repeating: now, count: size)
  }

  /// Works until the end.
  mutating func run() {
    var closing: (code: Int32, since: ContinuousClock.Instant)?
    while true {
      let (letters, code) = outbox.take()
      if let code, closing == nil { closing = (code, clock.now) }
      do {
        for letter in letters { try send(letter) }
        let moved = try receive()
        try finishSends()
        if !letters.isEmpty || moved { active = clock.now }
        if closing == nil { try keepAlive() }
      } catch {
        mailbox.fail(error, isLost: true)
        if closing == nil { closing = (1, clock.now) }
      }
      if let closing, end(closing) { return }
      rest()
    }
  }

  /// Ends if it is time to; whether it has.
  private mutating func end(_ closing: (code: Int32, since: ContinuousClock.Instant)) -> Bool {
    let isFailed = mailbox.isCutOff
    if sends.isEmpty, !isFailed {
      calls.finish()
      return true
    }
    // What can still be told is told; then whoever is left is ended.
    guard clock.now - closing.since > .seconds(isFailed ? 1 : 10) else { return false }
    calls.abort(closing.code)
    return true
  }

  private mutating func send(_ letter: Outbox.Letter) throws {
    let all = UnsafeRawBufferPointer(letter.message.bytes)
    var begin = 0
    repeat {
      let end = min(all.count, begin + Self.piece)
      // The last bit tells whether another piece follows.
      let tag = letter.tag.number * 2 + (end < all.count ? 1 : 0)
      let transfer = try calls.send(.init(rebasing: all[begin..<end]), to: letter.rank, tag: tag)
      sends.append((transfer, letter.message))
      begin = end
    } while begin < all.count
  }

  private mutating func finishSends() throws {
    guard !sends.isEmpty else { return }
    let (calls, all) = (calls, sends)
    sends = []
    for send in all where try !calls.isDone(send.transfer) { sends.append(send) }
  }

  /// Receives what has come in; whether there was anything.
  private mutating func receive() throws -> Bool {
    var moved = false
    while let arrival = try calls.probe() {
      moved = true
      heard[arrival.source] = clock.now
      let message = Payload(count: arrival.count)
      try calls.receive(arrival, into: message)
      receives.append(
        Receive(transfer: arrival.transfer, message: message, source: arrival.source, tag: arrival.tag))
    }
    guard !receives.isEmpty else { return moved }
    for index in receives.indices where !receives[index].isDone {
      receives[index].isDone = try calls.isDone(receives[index].transfer)
    }
    deliver()
    return true
  }

  /// Puts what is complete into the mailbox; of one source and tag in the order of sending.
  private mutating func deliver() {
    var left: [Receive] = []
    for receive in receives {
      let isFirst = !left.contains { $0.source == receive.source && $0.tag / 2 == receive.tag / 2 }
      guard receive.isDone, isFirst else {
        left.append(receive)
        continue
      }
      put(receive)
    }
    receives = left
  }

  private mutating func put(_ receive: Receive) {
    let key = receive.source << 32 | receive.tag / 2
    guard receive.tag % 2 == 0 else { return pieces[key, default: []].append(receive.message) }
    let message = pieces.removeValue(forKey: key).map { .joined($0 + [receive.message]) } ?? receive.message
    switch RankTag(number: receive.tag / 2) {
    case .alive:
      var reader = MessageReader(message)
      if hosts[receive.source] == nil { hosts[receive.source] = try? reader.text() }
    case .failure: mailbox.fail(RankFailure.error(message, from: receive.source))
    case .end: mailbox.fail(RankFailure.end(message))
    case let tag: mailbox.put(message, from: receive.source, tag)
    }
  }

  /// Gives signs of life, and looks for those of others: the leader for all, everyone for the leader.
  private mutating func keepAlive() throws {
    guard size > 1, clock.now - spoke > .seconds(1) else { return }
    spoke = clock.now
    var writer = MessageWriter()
    writer.add(host)
    let others = rank == 0 ? Array(1..<size) : [0]
    for other in others {
      // One that does not take them is not sent more and more.
      try send(.init(message: writer.payload, rank: other, tag: .alive))
      guard spoke - heard[other] > patience else { continue }
      let name = hosts[other].map { "rank \(other) on \($0)" } ?? "rank \(other)"
      throw TesseraError.failure(
        "rank \(rank) on \(host)",
        found: "no sign of life of \(name) for \((spoke - heard[other]).components.seconds) s",
        wanted: "all ranks running and in reach of the network")
    }
  }

  /// Waits for a moment, the longer the less there was to do: processors are for the kernels. A message that is to
  /// be sent ends it. While somebody waits for a message it is looked for all the time, if it does not take long.
  private func rest() {
    let idle = clock.now - active
    if idle < (mailbox.isWaitedFor ? .milliseconds(2) : .microseconds(100)) {
      sched_yield()
    } else {
      outbox.wait(atMost: idle < .milliseconds(5) ? 30e-6 : idle < .seconds(1) ? 200e-6 : 1e-3)
    }
  }
}
