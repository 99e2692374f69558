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
  /// What images are shown by.
  private let moments: PixelMoments
  /// Names of the encoder layers that the features come from, and the layer of each feature.
  let layers: [String], layerOfFeature: [Int]
  /// The features of a table with their names, and those of the rows looked at in the end; nil of texts.
  let table: ReportTable?
  /// The encoder's hidden states that the features come from; none of a table.
  let states: [Int]
  /// How many rows of each class are for what.
  let splits: [(name: String, use: String, counts: [Int])]
  /// The command that made the run; nil where nobody told.
  let command: RunCommand?
  private let run: FinishedRun, device: any Backend

  @_optimize(none)
  init(folder: String, device: any Backend) throws {
    let run = try FinishedRun(folder)
    (self.run, self.device, command) = (run, device, try run.command)
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
    let set = configuration.test == nil ? own : try ImageSet.read(run.checked(Pipeline.Files.testImages))
    let rows = configuration.test == nil ? own.split.test : Array(set.labels.indices)
    (images, self.rows) = (set.images, rows)
    splits = Self.splits(own, test: configuration.test == nil ? nil : set)
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
    moments = PixelMoments(own)
    let features = layout.scaler.minimum.count
    let found = Embeddings.states(run.records["embeddings"]?.parameters["layers"])
    let states = Array(found)
    let width = max(1, features / states.count)
    table = try ReportTable(run)
    self.states = table == nil ? states : []
    layers = table == nil ? states.map { "hidden state \($0)" } : ["columns"]
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
  func image(_ row: Int) -> [Float] { images.gather([rows[row]], columns: moments.mean.count) }

  /// The image of a row as its difference from the mean image in each pixel's standard deviations.
  func deviations(_ row: Int) -> [Float] { moments.deviations(image(row)) }

  /// What a feature is called: a column by its name, else by hidden state and element.
  func name(of feature: Int) -> String {
    if let table { return table.names[feature] }
    let width = max(1, layerOfFeature.count / max(1, layers.count))
    let layer = layerOfFeature[feature]
    return "state \(layer < states.count ? states[layer] : layer), element \(feature - layer * width)"
  }

  /// What classifies other texts as the run does; nil where there is no encoder any more.
  ///
  /// - Throws: `TesseraError` for an encoder in the run's folder that is not as the run left it.
  func predictor() throws -> Predictor? {
    let own = URL(fileURLWithPath: run.folder).appendingPathComponent(Pipeline.Files.encoder).path
    guard table == nil else { return nil }
    guard FileManager.default.fileExists(atPath: own) else {
      return try? Predictor(run: run.folder, devices: DeviceGroup(device))
    }
    return try Predictor(run: run.folder, devices: DeviceGroup(device))
  }

  private static func splits(
    _ own: ImageSet, test: ImageSet?
  ) -> [(name: String, use: String, counts: [Int])] {
    func counts(_ labels: [Int32], _ rows: [Int]) -> [Int] {
      var counts = [Int](repeating: 0, count: own.classes.count)
      for row in rows where labels[row] >= 0 && Int(labels[row]) < counts.count {
        counts[Int(labels[row])] += 1
      }
      return counts
    }
    let tested = test.map { counts($0.labels, Array($0.labels.indices)) }
    return [
      ("training", "layout, network and probe learn from them", counts(own.labels, own.split.training)),
      (
        "validation", "the epoch and the probe's penalty are chosen by them",
        counts(own.labels, own.split.validation)
      ),
      ("test", "looked at once, for the figures on this page", tested ?? counts(own.labels, own.split.test)),
    ]
  }
}
