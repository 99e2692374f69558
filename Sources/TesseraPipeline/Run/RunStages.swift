// SPDX-License-Identifier: Apache-2.0
import Foundation
import TesseraCompute

/// The stages of a run, and how far one is that is not finished.
enum RunStages {
  /// The names of a configuration's stages in their order; each has a record `NAME.json`.
  static func names(_ c: RunConfiguration) -> [String] {
    (c.table == nil ? ["encoder"] : []) + ["embeddings"] + (c.test == nil ? [] : ["test-embeddings"])
      + ["layout", "images", "model", "evaluation"]
      // What a broken configuration says must not be counted without end.
      + (1..<min(max(1, c.repeats), RunConfiguration.mostRepeats + 1)).map { "repeat-\($0)" }
  }

  /// The refusal of a folder without a manifest.
  static func unfinished(_ folder: String, _ c: RunConfiguration) -> TesseraError {
    let root = URL(fileURLWithPath: folder)
    let names = names(c)
    if let version = names.lazy.compactMap({ version(root.appendingPathComponent("\($0).json").path) }).first,
      version != Int(numericsVersion)
    {
      return other(folder, version)
    }
    let next = names.first { StageRecord.read(root.appendingPathComponent("\($0).json")) == nil }
    let done = names.prefix { $0 != next }
    let found =
      next.map {
        "an unfinished run, at the stage \($0)"
          + (done.isEmpty ? " (none is done)" : " (done: \(done.joined(separator: ", ")))")
      } ?? "a run whose stages are done, but that did not come to its end"
    return TesseraError.input(
      folder, found: found,
      wanted: "tessera run to its end: the same command as before, with --out \(folder), goes on there")
  }

  /// The refusal of a run of another numerics contract.
  static func other(_ folder: String, _ version: Int) -> TesseraError {
    TesseraError.input(
      folder, found: "a run of numerics version \(version)",
      wanted: "version \(numericsVersion), this program's: tessera run makes it anew there")
  }

  /// The numerics version that a record tells, sealed or not: older programs wrote no seal.
  private static func version(_ path: String) -> Int? {
    struct Part: Decodable { let numerics: Int }
    return InputFile.readIfThere(path).flatMap { try? JSONDecoder().decode(Part.self, from: $0) }?.numerics
  }
}
