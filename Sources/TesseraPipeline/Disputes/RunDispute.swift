// SPDX-License-Identifier: Apache-2.0
import Foundation
import TesseraCompute

/// Settles which of two runs of the same work is right, by as little work as can be: refereed delegation, as in
/// Verde (arXiv 2502.19405). The parties send each other files in turns: digests of all parts of the first place
/// where they differ, then the operations of the first part that differs, then the first operation that
/// differs with its operands. A third machine recomputes that one operation (`OperationFile`).
///
/// Each party speaks for its own run, on the device that made it.
public struct RunDispute {
  let verification: RunVerification
  let recorder: RecordedBackend

  /// What a party finds, and what it sends.
  public struct Answer {
    /// What was found, for people.
    public let finding: String
    /// What the other party, or the third, gets; nil where nothing is to be said.
    public let reply: Data?
    /// An operation's file takes the reply's place.
    private let operation: OperationFile?

    /// Writes the reply.
    ///
    /// - Throws: `TesseraError` if it cannot be written.
    public func write(to path: String) throws {
      if let operation { return _ = try operation.write(to: path) }
      if let reply { try AtomicFile.write(reply, to: path) }
    }

    /// Whether there is a reply.
    public var hasReply: Bool { reply != nil || operation != nil }
    /// Whether the reply is the file of one operation, for a third party.
    public var isOperation: Bool { operation != nil }
    /// Whether the two runs are equal.
    public let isEqual: Bool

    init(
      _ finding: String, _ evidence: DisputeEvidence? = nil, operation: OperationFile? = nil,
      isEqual: Bool = false
    ) throws {
      (self.finding, reply, self.operation) = (finding, try evidence?.encoded(), operation)
      self.isEqual = isEqual
    }
  }

  /// A party.
  ///
  /// - Parameters:
  ///   - folder: its own run's.
  ///   - sources: where the run's data are, if not where they were.
  ///   - device: the device that made the run.
  ///   - progress: the line that shows how far it is.
  /// - Throws: `TesseraError` naming a file that is not as the run left it, or a source that is another.
  public init(
    _ folder: String, sources: RunVerification.Sources = .init(), device: any Backend, progress: ProgressLine
  ) throws {
    recorder = RecordedBackend(device)
    verification = try RunVerification(
      folder, sources: sources, devices: DeviceGroup(recorder), extent: .whole, progress: progress)
  }

  /// Answers the other party.
  ///
  /// - Parameter path: its run's folder, of which the JSON files are enough, or the evidence that it sent.
  /// - Throws: `TesseraError` for runs of other work, and evidence that is none or of another dispute.
  public func answer(to path: String) throws -> Answer {
    var isFolder: ObjCBool = false
    if FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue {
      return try answer(to: FinishedRun(path))
    }
    let evidence = try DisputeEvidence.read(path)
    let own = try part(evidence.place)
    guard own.before == evidence.before else {
      throw TesseraError.input(
        path, found: "\(evidence.place.text) after another state", wanted: "evidence of this run's dispute")
    }
    if let parts = evidence.parts { return try answer(own, to: parts, path) }
    return try answer(own, to: evidence, path)
  }

  /// The first of the parts that differs, and its operations.
  private func answer(_ own: any DisputedPart, to parts: [String], _ path: String) throws -> Answer {
    let mine = try own.digests()
    guard let number = zip(mine, parts).enumerated().first(where: { $0.element.0 != $0.element.1 })?.offset
    else {
      guard mine.count == parts.count else {
        throw TesseraError.input(path, found: "\(parts.count) parts", wanted: "\(mine.count)")
      }
      return try Answer(
        "no part of \(own.place.text) differs: what one of the runs recorded is not what its maker's device gives"
      )
    }
    let recording = try own.operations(of: number, capturing: nil)
    var evidence = DisputeEvidence(own.place, before: own.before)
    (evidence.part, evidence.operations) = (number, recording.operations)
    return try Answer(
      "\(own.place.part(number)) is the first that differs (\(number + 1) of \(mine.count)):"
        + " \(recording.operations.count) operations", evidence)
  }

  /// The first of the operations that differs, with its operands.
  private func answer(_ own: any DisputedPart, to evidence: DisputeEvidence, _ path: String) throws -> Answer
  {
    guard let number = evidence.part, let theirs = evidence.operations else {
      throw TesseraError.input(path, found: "no operations", wanted: "the operations of a part")
    }
    guard number < (try own.count()) else {
      throw TesseraError.input(path, found: "part \(number)", wanted: "one of \(own.place.text)")
    }
    if let place = OperationRecord.firstContradiction(theirs) {
      return try Answer(
        "the other party contradicts itself: \(theirs[place].place) reads what no operation before it wrote")
    }
    let mine = try own.operations(of: number, capturing: nil).operations
    guard let first = OperationRecord.firstDifference(mine, theirs) else {
      return try Answer(
        "no operation of \(own.place.part(number)) differs: what one of the runs recorded is not what its"
          + " maker's device gives")
    }
    guard first < mine.count, first < theirs.count, mine[first].operation == theirs[first].operation else {
      return try Answer(
        "\(own.place.part(number)): the programs differ from operation \(first) on:"
          + " \(first < mine.count ? mine[first].operation.name : "none") here,"
          + " \(first < theirs.count ? theirs[first].operation.name : "none") there")
    }
    guard mine[first].withoutClaim == theirs[first].withoutClaim else {
      return try Answer(
        "\(own.place.part(number)): \(mine[first].place) reads other contents there, which no operation of this"
          + " part made")
    }
    guard let file = try own.operations(of: number, capturing: first).captured else {
      throw TesseraError.failure(
        "operation \(first)", found: "nothing that was captured", wanted: "its operands")
    }
    return try Answer(
      "\(mine[first].place) of \(mine.count) in \(own.place.part(number)) is the first that differs",
      operation: file)
  }

  /// A place of this run.
  func part(_ place: DisputedPlace) throws -> any DisputedPart {
    switch place {
    case .rows(let stage): try DisputedRows(self, stage)
    case .layout(let channel, let state): try DisputedLayout(self, channel, state)
    case .training(let state): try DisputedTraining(self, state)
    }
  }
}

/// A place where runs part, and what this run's device makes of it.
protocol DisputedPart {
  /// Where it is.
  var place: DisputedPlace { get }
  /// The digest of what was before it.
  var before: String { get }
  /// How many parts it has.
  func count() throws -> Int
  /// SHA-256 of the result of each part.
  func digests() throws -> [String]
  /// The operations of a part; of one of them, if wanted, with its operands.
  func operations(of part: Int, capturing number: Int?) throws -> RecordedBackend.Recording
}
