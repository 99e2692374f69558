// SPDX-License-Identifier: Apache-2.0
/// Threads of one process in the place of ranks: for tests, and to try what several ranks would do.
package final class ThreadCommunicator: Communicator {
  /// This one's number.
  package let rank: Int
  /// The place on the host, which is all of them's.
  package var place: Int { rank }
  /// All of them.
  package var neighbours: Int { size }
  /// A name that is no host's.
  package var host: String { "thread \(rank)" }
  /// How many there are.
  package var size: Int { boxes.count }
  private let boxes: [Mailbox]

  private init(_ rank: Int, _ boxes: [Mailbox]) { (self.rank, self.boxes) = (rank, boxes) }

  /// A group of so many.
  package static func group(of size: Int) -> [ThreadCommunicator] {
    let boxes = (0..<max(0, size)).map { _ in Mailbox() }
    return boxes.indices.map { ThreadCommunicator($0, boxes) }
  }

  /// Puts a message into another's box.
  package func send(_ message: Payload, to rank: Int, _ tag: RankTag) throws {
    guard boxes.indices.contains(rank) else {
      throw TesseraError.failure("ranks", found: "rank \(rank)", wanted: "0..<\(size)")
    }
    switch tag {
    case .failure: boxes[rank].fail(RankFailure.error(message, from: self.rank))
    case .end: boxes[rank].fail(RankFailure.end(message))
    default: boxes[rank].put(message, from: self.rank, tag)
    }
  }

  /// Takes a message out of the own box.
  package func receive(from rank: Int, _ tag: RankTag) throws -> Payload {
    try boxes[self.rank].take(from: rank, tag)
  }

  /// Ends the own waiting.
  package func fail(_ error: any Error) { boxes[rank].fail(error) }

  /// What ended the work, if it is a failure.
  package var failure: (any Error)? { boxes[rank].error is RankEnd ? nil : boxes[rank].error }
}
