import Foundation
import TesseraCompute

/// Whether the stages of a run's folder belong together. A run that was finished, then started with other options and stopped
/// halfway, holds a new layout beside an old model: each is whole, but together they would predict nonsense.
struct RunRecords {
  let folder: String
  let configuration: RunConfiguration

  /// Follows the fingerprints from the encoder to the model.
  ///
  /// - Parameter layers: hidden layers of the encoder.
  /// - Throws: `TesseraError` naming the first stage that has no record or does not go with what it was made from.
  func check(layers: Int) throws {
    let (embedded, laidOut) = (try record("embeddings"), try record("layout"))
    let (rendered, trained) = (try record("images"), try record("model"))
    let states = try configuration.states(layers: layers)
    try require(embedded.parameters["layers"], "\(states)", "embeddings", Pipeline.Files.configuration)
    try require(
      embedded.parameters["pooling"], configuration.pooling, "embeddings", Pipeline.Files.configuration)
    try require(embedded.inputs["encoder"], try record("encoder").fingerprint, "embeddings", "encoder")
    try require(laidOut.inputs["embeddings"], embedded.fingerprint, "layout", "embeddings")
    try require(rendered.inputs["layout"], laidOut.fingerprint, "images", "layout")
    try require(trained.inputs["images"], rendered.fingerprint, "model", "images")
    try require(laidOut.fingerprint, try own(Pipeline.Files.layout), "layout.json", Pipeline.Files.layout)
    try require(trained.fingerprint, try own(Pipeline.Files.model), "model.json", Pipeline.Files.model)
  }

  private func path(_ name: String) -> String {
    URL(fileURLWithPath: folder).appendingPathComponent(name).path
  }

  /// The fingerprint that a file says it has.
  private func own(_ name: String) throws -> String? {
    try TensorFile.open(path(name)).metadata["fingerprint"]
  }

  private func record(_ stage: String) throws -> StageRecord {
    guard let record = StageRecord.read(URL(fileURLWithPath: path("\(stage).json"))) else {
      throw TesseraError.input(
        path("\(stage).json"), found: "no record of a finished stage", wanted: "tessera run to its end")
    }
    return record
  }

  private func require(_ found: String?, _ wanted: String?, _ stage: String, _ source: String) throws {
    guard found != wanted else { return }
    throw TesseraError.input(
      folder, found: "\(stage) and \(source) of different runs (one was begun and not finished)",
      wanted: "tessera run to its end")
  }
}
