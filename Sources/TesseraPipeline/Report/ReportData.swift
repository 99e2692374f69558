// SPDX-License-Identifier: Apache-2.0
import Foundation
import TesseraCompute
import TesseraData
import TesseraImages
import TesseraVision

/// Everything that a run's report shows, read from its folder; the test rows are classified anew.
struct ReportData {
  let configuration: RunConfiguration
  let layout: FeatureLayout
  let model: TrainedModel
  let history: [EpochRecord]
  let evaluation: Evaluation?
  /// What the seeds after the first gave.
  let repeats: [SeedResult]
  /// The epoch that the network was kept of.
  let kept: KeptEpoch
  let records: [StageRecord]
  /// What was found out about the data; nil of a run of an older version.
  let found: DataRecord?
  /// The rows looked at in the end: images as rendered, classes, probabilities (count, classes), texts if
  /// the data are there.
  let images: Floats, rows: [Int], labels: [Int32], probabilities: [Float], texts: [String]?
  let metrics: ClassificationMetrics
  /// Mean and standard deviation of each pixel over the training set's first rows, to show differences by.
  let mean: [Float], deviation: [Float]
  /// Names of the encoder layers that the features come from, and the layer of each feature.
  let layers: [String], layerOfFeature: [Int]
  /// The features of a table with their names, and those of the rows looked at in the end; nil of texts.
  let table: ReportTable?

  @_optimize(none)
  init(folder: String, device: any Backend) throws {
    let run = try FinishedRun(folder)
    configuration = run.configuration
    layout = try FeatureLayout.read(run.checked(Pipeline.Files.layout))
    model = try TrainedModel.read(run.checked(Pipeline.Files.model), on: DeviceGroup(device))
    history = try Pipeline.decode([EpochRecord].self, run.checked(Pipeline.Files.history))
    kept = KeptEpoch(model.keptEpoch, of: history.last?.epoch ?? 0, configuration.model.network)
    evaluation = try Pipeline.decode(Evaluation.self, run.checked(Pipeline.Files.evaluation))
    repeats = try Pipeline.repeats(run)
    found = try run.data
    records = ["embeddings", "test-embeddings", "layout", "images", "model", "evaluation"].compactMap {
      run.records[$0]
    }
    let own = try ImageSet.read(run.checked(Pipeline.Files.images))
    let area = own.area
    let set = configuration.test == nil ? own : try ImageSet.read(run.checked(Pipeline.Files.testImages))
    let rows = configuration.test == nil ? own.split.test : Array(set.labels.indices)
    (images, self.rows) = (set.images, rows)
    labels = rows.map { set.labels[$0] }
    let scores = try device.tensor(
      try model.logProbabilities(images, of: rows), [rows.count * model.classes.count])
    try device.unary(.exp, scores, alpha: 0, beta: 0, into: scores)
    probabilities = try device.floats(scores)
    metrics = ClassificationMetrics(probabilities, labels: labels, classes: model.classes.count)
    let source = configuration.test ?? configuration.data
    // What was read of a stream is gone, and a table has no texts.
    let data =
      source == "-" || source.hasPrefix("/dev/") || configuration.table != nil
      ? nil
      : try? DataSet.read(
        source, format: configuration.format, classes: model.classes,
        part: configuration.test == nil ? .training : .test)
    // Of data that have changed since, the rows are no longer what was classified.
    let embedded = run.records[configuration.test == nil ? "embeddings" : "test-embeddings"]
    texts = data.flatMap { data in
      data.fingerprint == embedded?.inputs["data"] && rows.allSatisfy { $0 < data.texts.count }
        ? rows.map { data.texts[$0] } : nil
    }
    var sums = [Float](repeating: 0, count: area)
    let first = own.split.training.prefix(1000)
    own.images.forEachBlock(of: Array(first), columns: area) { _, _, block in
      for at in block.indices { sums[at % area] += block[at] }
    }
    let mean = sums.map { $0 / Float(max(1, first.count)) }
    var squares = [Float](repeating: 0, count: area)
    own.images.forEachBlock(of: Array(first), columns: area) { _, _, block in
      for at in block.indices {
        let difference = block[at] - mean[at % area]
        squares[at % area] += difference * difference
      }
    }
    self.mean = mean
    deviation = squares.map { ($0 / Float(max(1, first.count))).squareRoot() }
    let features = layout.scaler.minimum.count
    let states = Embeddings.states(run.records["embeddings"]?.parameters["layers"])
    let width = max(1, features / states.count)
    table = try ReportTable(run)
    layers = table == nil ? states.map { "layer \($0)" } : ["columns"]
    layerOfFeature = (0..<features).map { min(states.count - 1, $0 / width) }
  }

  /// The predicted class and its probability.
  func prediction(_ row: Int) -> (label: Int, probability: Float) {
    let count = model.classes.count
    var best = 0
    for c in 1..<count where probabilities[row * count + c] > probabilities[row * count + best] { best = c }
    return (best, probabilities[row * count + best])
  }

  /// Rows by falling confidence, those that are right or those that are wrong.
  func rows(right: Bool) -> [Int] {
    labels.indices.filter { (prediction($0).label == Int(labels[$0])) == right }.ordered {
      (prediction($1).probability, $0) < (prediction($0).probability, $1)
    }
  }

  /// The image of a row as it was rendered.
  func image(_ row: Int) -> [Float] { images.gather([rows[row]], columns: mean.count) }

  /// The image of a row as its difference from the mean image in each pixel's standard deviations, black at
  /// -3, white at 3, its channels side by side.
  func picture(_ row: Int) throws -> Data {
    let image = image(row)
    return try PNG.encode(
      stretching: image.indices.map { p in
        let difference = image[p] - mean[p]
        return deviation[p] > 0 ? max(-3, min(3, difference / deviation[p])) : 0
      },
      pixels: layout.side, channels: layout.channels.count)
  }
}
