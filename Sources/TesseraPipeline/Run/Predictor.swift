// SPDX-License-Identifier: Apache-2.0
import Foundation
import TesseraCompute
import TesseraData
import TesseraImages
import TesseraText
import TesseraVision

/// Classifies texts, or rows of a table, with a finished run.
public struct Predictor {
  /// What makes features of rows.
  enum Source {
    /// An encoder of texts.
    case texts(TransformerEncoder)
    /// The scaled columns of a table.
    case table(ColumnScaler)
  }

  let source: Source
  /// The run's configuration.
  public let configuration: RunConfiguration
  let layout: FeatureLayout
  let model: TrainedModel
  private let batch: Int
  let run: FinishedRun

  /// A row's class with its probability.
  public struct Prediction: Sendable {
    /// The most probable class.
    public let label: String
    /// Its probability.
    public let probability: Float
    /// Every class's probability, in the order of `classes`.
    public let probabilities: [Float]
    /// Natural logarithms of the probabilities.
    public let logProbabilities: [Float]
    /// The row's image, row-major (channels, pixels, pixels).
    public let image: [Float]
  }

  /// Names of the classes.
  public var classes: [String] { model.classes }
  /// The epoch that the network was kept of.
  public var kept: KeptEpoch { model.kept }

  /// A prediction's image as PNG, stretched from black to white, its channels side by side.
  public func picture(_ prediction: Prediction) throws -> Data {
    try PNG.encode(stretching: prediction.image, pixels: layout.side, channels: layout.channels.count)
  }

  /// Opens a run.
  ///
  /// - Parameters:
  ///   - folder: the run's folder.
  ///   - devices: those that embed and predict.
  ///   - batch: texts that a device embeds at once; changes no bit.
  /// - Throws: `TesseraError` if the run is not finished, a file of it is not as the run left it, or its
  ///   encoder is gone.
  public init(run folder: String, devices: DeviceGroup, batch: Int = 64) throws {
    run = try FinishedRun(folder)
    configuration = run.configuration
    layout = try FeatureLayout.read(run.checked(Pipeline.Files.layout))
    model = try TrainedModel.read(run.checked(Pipeline.Files.model), on: devices)
    self.batch = batch
    guard configuration.table == nil else {
      source = .table(try TableFeatures.scaler(run.checked(Pipeline.Files.embeddings)))
      return
    }
    let encoder = try TransformerEncoder(
      folder: run.checkedEncoder(), devices: devices, products: configuration.embedding.products)
    try run.check(layers: encoder.configuration.layers)
    source = .texts(encoder)
  }

  /// Features of texts and their images.
  private func images(
    _ texts: [String], progress: (Int) throws -> Void, cut: (Int, Int) throws -> Void = { _, _ in }
  ) throws -> (
    features: Floats, images: [Float]
  ) {
    guard case .texts(let encoder) = source else {
      throw TesseraError.input(
        run.folder, found: "a run of a table", wanted: "rows of a table (--data FILE), not texts")
    }
    let states = try configuration.embedding.states(layers: encoder.configuration.layers)
    let embedder = try Embedder(
      encoder, states: states, pooling: configuration.embedding.pooling, batch: batch)
    let features = Floats(
      try embedder.embed(texts, progress: progress, cut: { try cut($0, embedder.limit) }))
    return (
      features,
      try layout.render(
        features, columns: embedder.features, rows: Array(texts.indices), on: model.network.device)
    )
  }

  /// Classifies texts.
  public func predict(_ texts: [String], progress: (Int) throws -> Void = { _ in }) throws -> [Prediction] {
    try predict(try images(texts, progress: progress).images, count: texts.count)
  }

  /// Classifies rows by their images.
  func predict(_ rendered: [Float], count rows: Int) throws -> [Prediction] {
    let device = model.network.device
    let area = rendered.count / max(1, rows)
    let scores = try model.logProbabilities(Floats(rendered))
    let tensor = try device.tensor(scores, [scores.count])
    try device.unary(.exp, tensor, alpha: 0, beta: 0, into: tensor)
    let probabilities = try device.floats(tensor)
    let count = classes.count
    return (0..<rows).map { row in
      var best = 0
      for c in 1..<count where scores[row * count + c] > scores[row * count + best] { best = c }
      return Prediction(
        label: classes[best], probability: probabilities[row * count + best],
        probabilities: Array(probabilities[row * count..<(row + 1) * count]),
        logProbabilities: Array(scores[row * count..<(row + 1) * count]),
        image: Array(rendered[row * area..<(row + 1) * area]))
    }
  }

  /// Accuracy on labelled texts, with the probe fitted on the run's training rows beside it.
  ///
  /// - Parameters:
  ///   - data: texts and the class of each.
  ///   - progress: called with the number of texts done.
  ///   - cut: called with the number of texts that are longer than the encoder takes, and the most tokens
  ///     that it takes.
  public func evaluate(
    _ data: DataSet, progress: (Int) throws -> Void = { _ in },
    cut: (Int, Int) throws -> Void = { _, _ in }
  ) throws -> Evaluation {
    let made = try images(data.texts, progress: progress, cut: cut)
    return try evaluate(made.features, made.images, labels: data.labels)
  }

  /// Accuracy on rows by their features and images.
  func evaluate(_ features: Floats, _ images: [Float], labels: [Int32]) throws -> Evaluation {
    let device = model.network.device
    let own = try Embeddings.read(run.checked(Pipeline.Files.embeddings))
    try layout.split.check(run.folder, count: own.labels.count)
    let probe = try LinearProbe.fit(
      FeatureRows(own.features, columns: own.columns), labels: own.labels, classes: own.classes.count,
      training: layout.split.training, validation: layout.split.validation,
      weights: try configuration.classWeights(own, training: layout.split.training), on: device)
    let guesses = try probe.predict(
      features: features, columns: own.columns, rows: Array(labels.indices), on: device)
    return try Evaluation.make(model, images: Floats(images), labels: labels, probe: guesses)
  }
}
