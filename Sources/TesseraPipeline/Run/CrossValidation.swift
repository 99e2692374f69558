// SPDX-License-Identifier: Apache-2.0
import Foundation
import TesseraCompute
import TesseraData

/// The same run once for each part of the rows, which is tested on while the others are learnt from: a k-fold
/// cross-validation. Every fold is a run in a folder of its own, `fold-N`, which `report`, `predict` and `verify` take
/// as any other, and which goes on after a kill; texts are embedded once.
public struct CrossValidation {
  /// The name of the summary in the folder.
  public static let summary = "folds.json"

  private let configuration: RunConfiguration
  private let folder: String
  private let folds: Int

  /// A cross-validation in a folder.
  ///
  /// - Parameters:
  ///   - folds: the number of parts.
  ///   - configuration: the run's, without a fold.
  ///   - folder: where the folds' folders are.
  ///   - overwrite: whether to use a folder with other files all the same.
  /// - Throws: `TesseraError` for a number of folds that makes no sense, a test of its own, and a folder of others.
  package init(_ folds: Int, of configuration: RunConfiguration, out folder: String, overwrite: Bool) throws {
    guard (2...Fold.most).contains(folds) else {
      throw TesseraError.input("folds", found: "\(folds)", wanted: "2 to \(Fold.most)")
    }
    guard configuration.test == nil else {
      throw TesseraError.input(
        "folds", found: "\(folds) with --test", wanted: "one of them: each fold is tested on")
    }
    (self.folds, self.configuration, self.folder) = (folds, configuration, folder)
    let own = Set((1...folds).map { "fold-\($0)" } + [Self.summary])
    let others = RunDirectory.visibleNames(in: folder).filter { !own.contains($0) }
    guard overwrite || others.isEmpty else {
      let isOfMore = others.allSatisfy { $0.wholeMatch(of: /fold-[0-9]+/) != nil }
      throw isOfMore
        ? TesseraError.input(
          folder, found: "\(others[0]), of another number of folds than \(folds)",
          wanted: "a folder of its own, or --overwrite, which leaves it there")
        : RunDirectory.foreign(folder, others)
    }
  }

  /// The folder of a fold, from 1 on.
  private func place(_ fold: Int) -> String {
    URL(fileURLWithPath: folder).appendingPathComponent("fold-\(fold)").path
  }

  /// Runs every fold and tells what they come to together.
  ///
  /// - Parameters:
  ///   - progress: the line that says which fold is run.
  ///   - run: runs a configuration in a folder, with the embeddings of a run in another, if there is one.
  /// - Throws: what `run` throws.
  package func run(
    progress: ProgressLine, _ run: (RunConfiguration, _ out: String, _ embeddings: String?) throws -> Void
  ) throws -> CrossValidationSummary {
    try OutputFolder.make(folder)
    for fold in 1...folds {
      var own = configuration
      (own.split.fold, own.split.folds) = (fold, folds)
      progress.note("fold \(fold) of \(folds)")
      do { try run(own, place(fold), fold > 1 ? place(1) : nil) } catch {
        // Goes only if nothing came into it.
        rmdir(folder)
        throw error
      }
    }
    let runs = try (1...folds).map { try RunReport(folder: place($0)).summary }
    let summary = CrossValidationSummary(folder: folder, configuration, runs)
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    try AtomicFile.write(
      try encoder.encode(summary) + Data("\n".utf8),
      to: URL(fileURLWithPath: folder).appendingPathComponent(Self.summary).path)
    return summary
  }
}
