// SPDX-License-Identifier: Apache-2.0
import Foundation
import TesseraCompute
import TesseraVision

/// Whose folder it is that a run is to use: nothing of others is taken over without being asked for.
extension RunDirectory {
  /// Throws if a folder holds files and is no run's.
  ///
  /// - Parameter overwrite: whether to run in it all the same.
  static func requireRunOrEmpty(_ path: String, overwrite: Bool) throws {
    let names = visibleNames(in: path)
    guard !overwrite, !names.isEmpty, !isRun(path) else { return }
    throw foreign(path, names)
  }

  /// The refusal of a folder with other files than what is meant to be there.
  public static func foreign(_ path: String, _ names: [String]) -> TesseraError {
    let named = names.prefix(3).joined(separator: ", ") + (names.count > 3 ? ", ..." : "")
    return TesseraError.input(
      path, found: "a folder with other files (\(named))",
      wanted: "a new or empty one, or --overwrite, which uses it all the same")
  }

  /// What is in a folder, sorted, but for hidden files (its lock is one) and what killed runs left.
  public static func visibleNames(in path: String) -> [String] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
    return names.filter { !$0.hasPrefix(".") && $0.wholeMatch(of: /.+\.[0-9]+\.tmp/) == nil }.ordered()
  }

  private static func isRun(_ path: String) -> Bool {
    let root = URL(fileURLWithPath: path)
    let configuration = root.appendingPathComponent(Pipeline.Files.configuration).path
    if (try? RunConfiguration.read(configuration)) != nil { return true }
    // A configuration that was damaged is made again.
    return ["embeddings", "encoder"].contains {
      StageRecord.read(root.appendingPathComponent("\($0).json")) != nil
    }
  }

  /// Whether the folder holds a run of other data or of another encoder, whose place is taken. Other
  /// options of the same run are no hindrance: it goes on in its place, from the first stage that they
  /// change.
  ///
  /// - Parameters:
  ///   - data, encoder: the fingerprints of both; a table has no encoder.
  ///   - overwrite: whether that is wanted.
  /// - Throws: `TesseraError` if it is not.
  func replaces(
    _ configuration: RunConfiguration, data: String, encoder: String?, overwrite: Bool
  ) throws -> Bool {
    guard let other = difference(configuration, data, encoder) else { return false }
    guard overwrite else {
      throw TesseraError.input(
        path, found: "a run of \(other)",
        wanted: "a folder of its own, or --overwrite, which puts this run in the place of that")
    }
    return true
  }

  /// Writes a run's configuration, if it is not there as it is.
  func put(_ configuration: RunConfiguration) throws {
    let path = file(Pipeline.Files.configuration)
    guard InputFile.readIfThere(path) != (try configuration.encoded()) else { return }
    unfinish()
    try configuration.write(to: path)
  }

  /// What the folder's run was made of, if that is something else.
  private func difference(_ c: RunConfiguration, _ data: String, _ encoder: String?) -> String? {
    func record(_ stage: String) -> StageRecord? {
      StageRecord.read(URL(fileURLWithPath: file("\(stage).json")))
    }
    let old = try? RunConfiguration.read(file(Pipeline.Files.configuration))
    func told(_ what: String, _ path: String?) -> String { what + (path.map { " (\($0))" } ?? "") }
    let embedded = record("embeddings")
    if let used = embedded?.inputs["encoder"] ?? record("encoder")?.fingerprint, used != encoder {
      return told("another encoder", old?.encoder)
    }
    if let embedded {
      return embedded.inputs["data"] == data ? nil : told("other data", old?.data)
    }
    // Nothing was made of the data yet: their name alone is known.
    func resolved(_ path: String) -> String { URL(fileURLWithPath: path).resolvingSymlinksInPath().path }
    guard let old, resolved(old.data) != resolved(c.data) else { return nil }
    return told("other data", old.data)
  }

  /// Removes what runs write, and nothing else.
  func clear() {
    let files = Pipeline.Files.self
    let own = [
      RunManifest.name, files.configuration, files.embeddings, files.testEmbeddings, files.layout,
      files.images,
      files.testImages, files.model, files.evaluation, files.history, files.data, files.layoutHistory,
      files.predictions, files.epochs, files.command, "checkpoint.safetensors",
      "best.safetensors", "report.html", "encoder.json", "embeddings.json", "test-embeddings.json",
      "layout.json",
      "images.json", "model.json", "evaluation.json",
      files.embeddings + EmbeddingJournal.ending, files.testEmbeddings + EmbeddingJournal.ending,
    ]
    for name in own { unlink(file(name)) }
    for name in Self.visibleNames(in: file("pictures"))
    where name.hasSuffix(".png") || ReportPage.isFigure(name) {
      unlink(file("pictures/\(name)"))
    }
    for name in Self.visibleNames(in: file(files.states))
    where StateFolder.place(name) != nil || LayoutStates.place(name) != nil {
      unlink(file("\(files.states)/\(name)"))
    }
    for name in Self.visibleNames(in: path)
    where name.wholeMatch(of: /repeat-[0-9]+(\.json|\.accuracy\.json)?/) != nil {
      try? FileManager.default.removeItem(atPath: file(name))
    }
  }
}
