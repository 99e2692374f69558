// SPDX-License-Identifier: Apache-2.0
import TesseraCompute
import TesseraData
import TesseraText
import TesseraVision

/// Rows of a stage's results: their digests are of what the run recorded, their operations of what its device
/// makes again.
struct DisputedRows: DisputedPart {
  let place: DisputedPlace
  let before = ""
  private let dispute: RunDispute
  private let stage: String
  /// The recorded values, and how many a row has.
  private let values: Floats, columns: Int

  /// Of a stage of a run.
  ///
  /// - Throws: `TesseraError` for a stage that has no rows.
  init(_ dispute: RunDispute, _ stage: String) throws {
    (self.dispute, self.stage, place) = (dispute, stage, .rows(stage: stage))
    let (run, files) = (dispute.verification.run, Pipeline.Files.self)
    switch stage {
    case "embeddings", "test-embeddings":
      let set = try Embeddings.read(
        run.checked(stage == "embeddings" ? files.embeddings : files.testEmbeddings))
      (values, columns) = (set.features, set.columns)
    case "images", "test-images":
      let set = try ImageSet.read(run.checked(stage == "images" ? files.images : files.testImages))
      (values, columns) = (set.images, set.area)
    case "evaluation":
      let classes = try ImageSet.read(run.checked(files.images)).classes.count
      (values, columns) = (
        Floats(try Predictions(run.checked(files.predictions), classes: classes).scores), classes
      )
    default:
      throw TesseraError.input("a dispute", found: "the rows of \(stage)", wanted: "a stage that makes rows")
    }
  }

  func count() throws -> Int { values.count / max(1, columns) }

  func digests() throws -> [String] {
    var digests: [String] = []
    values.forEachBlock(columns: columns) { _, block in
      for begin in stride(from: 0, to: block.count, by: columns) {
        var print = Fingerprint()
        print.add(UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: block[begin..<begin + columns])))
        digests.append(print.digits())
      }
    }
    return digests
  }

  func operations(of row: Int, capturing number: Int?) throws -> RecordedBackend.Recording {
    let (verification, recorder) = (dispute.verification, dispute.recorder)
    let (run, configuration, files) = (verification.run, verification.configuration, Pipeline.Files.self)
    func recorded(_ body: () throws -> Void) throws -> RecordedBackend.Recording {
      try recorder.start(capturing: number)
      do { try body() } catch {
        _ = try recorder.stop()
        throw error
      }
      return try recorder.stop()
    }
    switch stage {
    case "images", "test-images":
      let layout = try FeatureLayout.read(run.checked(files.layout))
      let source = try Embeddings.read(
        run.checked(stage == "images" ? files.embeddings : files.testEmbeddings))
      return try recorded {
        _ = try layout.render(source.features, columns: source.columns, rows: [row], on: recorder)
      }
    case "evaluation":
      let model = try TrainedModel.read(run.checked(files.model), on: DeviceGroup(recorder))
      let all = try verification.testRows(ImageSet.read(run.checked(files.images)))
      // A network that standardises whole batches makes a row of all rows beside it.
      let rows = model.network.standardizesBatches ? all.rows : [all.rows[row]]
      return try recorded { _ = try model.logProbabilities(all.images, of: rows) }
    default:
      guard let data = verification.data as? DataSet else {
        throw TesseraError.input(
          "a dispute", found: "the features of a table, which no device computes",
          wanted: "runs of one table by one version of this program")
      }
      let encoder = try TransformerEncoder(
        folder: configuration.encoder, devices: DeviceGroup(recorder),
        products: configuration.embedding.products)
      let texts = stage == "embeddings" ? data.texts : (verification.test as? DataSet)?.texts ?? []
      guard texts.indices.contains(row) else {
        throw TesseraError.input("a dispute", found: "row \(row)", wanted: "one of \(texts.count)")
      }
      let embedder = try Embedder(
        encoder, states: try configuration.embedding.states(layers: encoder.configuration.layers),
        pooling: configuration.embedding.pooling)
      return try recorded { _ = try embedder.embed([texts[row]]) }
    }
  }
}
