// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

/// Records the operations of one of several parts that follow each other.
struct PartRecorder {
  private let recorder: RecordedBackend
  private let part: Int, number: Int?
  private var done = 0
  private var found: RecordedBackend.Recording?

  /// A recorder of a part, before the first begins.
  ///
  /// - Parameters:
  ///   - recorder: the device.
  ///   - part: which of them, from 0.
  ///   - number: the operation whose operands are kept.
  init(_ recorder: RecordedBackend, _ part: Int, capturing number: Int?) throws {
    (self.recorder, self.part, self.number) = (recorder, part, number)
    if part == 0 { try recorder.start(capturing: number) }
  }

  /// Notes that a part has ended and the next begins.
  mutating func next() throws {
    if done == part { found = try recorder.stop() }
    done += 1
    if done == part { try recorder.start(capturing: number) }
  }

  /// The recording; throws where there were fewer parts.
  func recording() throws -> RecordedBackend.Recording {
    if let found { return found }
    if done == part { _ = try recorder.stop() }
    throw TesseraError.failure("a dispute", found: "\(done) parts", wanted: "part \(part) among them")
  }
}

/// A place whose parts follow from each other: they are run again to be compared.
protocol ReplayedPart: DisputedPart {
  /// The party.
  var dispute: RunDispute { get }
  /// Runs the parts, from the last kept state before them.
  ///
  /// - Parameters:
  ///   - begun: called before the first part.
  ///   - done: called after each part with its digest.
  func replay(begun: () throws -> Void, done: (String) throws -> Void) throws
}

extension ReplayedPart {
  func digests() throws -> [String] {
    var digests: [String] = []
    try replay(begun: {}) { digests.append($0) }
    return digests
  }

  func operations(of part: Int, capturing number: Int?) throws -> RecordedBackend.Recording {
    var recorder: PartRecorder?
    try replay {
      recorder = try PartRecorder(dispute.recorder, part, capturing: number)
    } done: { _ in
      try recorder?.next()
    }
    guard let recorder else {
      throw TesseraError.failure("a dispute", found: "no part", wanted: "part \(part)")
    }
    return try recorder.recording()
  }
}
