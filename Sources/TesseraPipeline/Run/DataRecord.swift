// SPDX-License-Identifier: Apache-2.0
import Foundation
import TesseraCompute
import TesseraData

/// What was found out about a run's data, kept beside its results (`data.json`) for its report; no stage
/// depends on it.
struct DataRecord: Codable, Sendable, Equatable {
  /// Fingerprint of the rows.
  var fingerprint: String
  /// What they hold, and the rows to test on, if they are a data set of their own.
  var data: DataSummary, test: DataSummary?
  /// Texts that occur more than once.
  var duplicates: Duplicates
  /// Texts that are longer than the encoder takes, by stage; missing until that stage has run.
  var cut: [String: Cut] = [:]
  /// Features that are the same in every training row.
  var constantFeatures: Int?

  /// Texts of which the first tokens are used.
  struct Cut: Codable, Sendable, Equatable {
    /// How many, of how many, and the most tokens.
    let texts: Int, total: Int, tokens: Int
  }

  /// Reads a record; nil where there is none.
  static func read(_ path: String) -> DataRecord? {
    InputFile.readIfThere(path).flatMap { try? JSONDecoder().decode(DataRecord.self, from: $0) }
  }

  /// Writes the record into a run's folder, which is so no longer that of a finished run, unless it is
  /// there as it is.
  func write(in folder: RunDirectory) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    let (data, path) = (try encoder.encode(self) + Data("\n".utf8), folder.file(Pipeline.Files.data))
    guard InputFile.readIfThere(path) != data else { return }
    folder.unfinish()
    try AtomicFile.write(data, to: path)
  }
}

extension DataRecord {
  /// What data tell before a stage has run.
  init(_ data: any LabelledRows, split: Split, test: (any LabelledRows)?) {
    var print = Fingerprint()
    for digits in [data.fingerprint, test?.fingerprint].compactMap({ $0 }) { print.add(digits) }
    self.init(
      fingerprint: print.digits(), data: data.summary, test: test?.summary,
      duplicates: Duplicates(data, split: split, test: test))
  }

  /// What a report says of the data, a line each.
  var lines: [String] {
    var lines = [data.line] + (test.map { ["test: \($0.line)"] } ?? []) + duplicates.notes
    for (stage, cut) in cut.ordered(by: { $0.key < $1.key }) where cut.texts > 0 {
      lines.append(stage == "embeddings" ? cut.note : "test: \(cut.note)")
    }
    if let constantFeatures, constantFeatures > 0 {
      lines.append("\(constantFeatures) features are the same in every training row")
    }
    return lines
  }
}

extension DataRecord.Cut {
  /// What is told.
  var note: String { "\(texts) of \(total) texts are cut at \(tokens) tokens" }
}

extension ProgressLine {
  /// Tells how many texts are longer than the encoder takes, if any.
  public func noteCut(_ texts: Int, of total: Int, at tokens: Int) {
    if texts > 0 { note(DataRecord.Cut(texts: texts, total: total, tokens: tokens).note) }
  }
}
