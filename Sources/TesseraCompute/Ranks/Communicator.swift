// SPDX-License-Identifier: Apache-2.0
/// Processes that work on one thing and pass messages to each other by their numbers, their ranks: of MPI
/// (`MPICommunicator`), or threads of one process that take their place in tests (`ThreadCommunicator`).
/// Nothing above it knows which.
package protocol Communicator: AnyObject, Sendable {
  /// This process's number, from 0 on; 0 leads the work.
  var rank: Int { get }
  /// How many there are.
  var size: Int { get }
  /// The place among the ranks of the same host, from 0 on: which device is whose follows from it.
  var place: Int { get }
  /// How many ranks the host has.
  var neighbours: Int { get }
  /// The name of this rank's host.
  var host: String { get }

  /// Sends a message; returns at once. Messages of one tag come in the order in which they were sent.
  func send(_ message: Payload, to rank: Int, _ tag: RankTag) throws

  /// The next message of a tag from a rank; waits for it.
  ///
  /// - Throws: what ended the work meanwhile: the failure of a rank, or the leader's end.
  func receive(from rank: Int, _ tag: RankTag) throws -> Payload

  /// Ends all waiting: no message comes any more.
  func fail(_ error: any Error)

  /// What ended the work, if it is a failure.
  var failure: (any Error)? { get }
}

/// What a message is about; messages of different tags do not wait for each other.
package enum RankTag: Hashable, Sendable {
  /// A sign of life, without content.
  case alive
  /// A rank's error, to the leader.
  case failure
  /// The end of the work, from the leader.
  case end
  /// A rank's introduction, to the leader.
  case hello
  /// What the leader wants done, in its order.
  case command
  /// A sum on its way from rank to rank, and back.
  case sum
  /// The same of gradients, while the ranks still go backward.
  case gradient
  /// Rows of something that is divided among ranks.
  case rows
  /// The answer to what was asked of a device of a rank.
  case answer(Int)

  /// As a number from 0 on.
  var number: Int {
    switch self {
    case .alive: 0
    case .failure: 1
    case .end: 2
    case .hello: 3
    case .command: 4
    case .sum: 5
    case .rows: 6
    case .gradient: 7
    case .answer(let slot): 8 + slot
    }
  }

  /// The tag of a number.
  init(number: Int) {
    let fixed: [RankTag] = [.alive, .failure, .end, .hello, .command, .sum, .rows, .gradient]
    self = fixed.indices.contains(number) ? fixed[number] : .answer(number - fixed.count)
  }
}

/// Thrown at whoever waits in a rank when the leader has ended the work.
package struct RankEnd: Error {
  /// The exit code of all.
  package let code: Int32
}
