import Foundation
import TesseraCompute

/// What was found out about a run's data, kept beside its results (`data.json`) for its report; no stage depends on it.
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

  /// Writes the record.
  func write(to path: String) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    try AtomicFile.write(try encoder.encode(self) + Data("\n".utf8), to: path)
  }
}

extension DataRecord.Cut {
  /// What is told.
  var note: String { "\(texts) of \(total) texts are cut at \(tokens) tokens" }
}
