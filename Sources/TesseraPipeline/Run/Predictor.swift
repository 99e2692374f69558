import Foundation
import TesseraCompute
import TesseraImages
import TesseraText

/// Classifies texts with a finished run.
public struct Predictor {
  private let encoder: TransformerEncoder
  private let configuration: RunConfiguration
  private let layout: FeatureLayout
  private let model: TrainedModel
  private let batch: Int

  /// A text's class with its probability.
  public struct Prediction: Sendable {
    /// The most probable class.
    public let label: String
    /// Its probability, and every class's in the order of `classes`.
    public let probability: Float, probabilities: [Float]
    /// The text's image, row-major (channels, pixels, pixels).
    public let image: [Float]
  }

  /// Where the evidence for a prediction lies.
  public struct Evidence: Sendable, Codable {
    /// Mean Grad-CAM at the features of each hidden state, by its number.
    public let byState: [String: Float]
    /// The features with the most evidence, as hidden state and element, most first.
    public let features: [Feature]

    /// A feature's place in the encoder.
    public struct Feature: Sendable, Codable {
      /// Number of the hidden state, element of its vector, and the evidence in [0, 1].
      public let state: Int, element: Int, evidence: Float
    }
  }

  /// Names of the classes.
  public var classes: [String] { model.classes }

  /// A prediction's image as PNG, stretched from black to white, its channels side by side.
  public func picture(_ prediction: Prediction) throws -> Data {
    try PNG.encode(stretching: prediction.image, pixels: layout.side, channels: layout.channels.count)
  }

  /// Opens a run.
  ///
  /// - Throws: `TesseraError` if the run is not finished or its encoder is gone.
  public init(run folder: String, device: any Backend, batch: Int = 64) throws {
    let root = URL(fileURLWithPath: folder)
    func path(_ name: String) -> String { root.appendingPathComponent(name).path }
    configuration = try RunConfiguration.read(path(Pipeline.Files.configuration))
    layout = try FeatureLayout.read(path(Pipeline.Files.layout))
    model = try TrainedModel.read(path(Pipeline.Files.model), on: device)
    encoder = try TransformerEncoder(folder: configuration.encoder, device: device)
    self.batch = batch
  }

  /// Features of texts and their images.
  private func images(_ texts: [String], progress: (Int) throws -> Void) throws -> (
    features: [Float], images: [Float]
  ) {
    let states = try configuration.states(layers: encoder.configuration.layers)
    let embedder = try Embedder(
      encoder, states: states, pooling: try configuration.tokenPooling(), batch: batch)
    let features = try embedder.embed(texts, progress: progress)
    return (
      features,
      try layout.render(
        features, columns: embedder.features, rows: Array(texts.indices), on: model.network.device)
    )
  }

  /// Classifies texts.
  public func predict(_ texts: [String], progress: (Int) throws -> Void = { _ in }) throws -> [Prediction] {
    let device = model.network.device
    let rendered = try images(texts, progress: progress).images
    let area = rendered.count / max(1, texts.count)
    let scores = try model.logProbabilities(rendered)
    let tensor = try device.tensor(scores, [scores.count])
    try device.unary(.exp, tensor, alpha: 0, beta: 0, into: tensor)
    let probabilities = try device.floats(tensor)
    let count = classes.count
    return texts.indices.map { row in
      var best = 0
      for c in 1..<count where scores[row * count + c] > scores[row * count + best] { best = c }
      return Prediction(
        label: classes[best], probability: probabilities[row * count + best],
        probabilities: Array(probabilities[row * count..<(row + 1) * count]),
        image: Array(rendered[row * area..<(row + 1) * area]))
    }
  }

  /// What spoke for a prediction: Grad-CAM mapped back to features and hidden states.
  ///
  /// - Parameter most: how many features are named.
  public func evidence(_ prediction: Prediction, most: Int = 10) throws -> Evidence {
    let target = Int32(classes.firstIndex(of: prediction.label) ?? 0)
    let (map, side) = try model.network.gradCAM(model.statistics.apply(prediction.image), of: [target])
    let states = try configuration.states(layers: encoder.configuration.layers)
    let values = layout.values(of: map, side: side)
    let width = max(1, values.count / states.count)
    var byState: [String: Float] = [:]
    for (index, state) in states.enumerated() {
      let part = values[min(values.count, index * width)..<min(values.count, (index + 1) * width)]
      byState[String(state)] = part.isEmpty ? 0 : part.reduce(0, +) / Float(part.count)
    }
    let order = values.indices.sorted { (values[$1], $0) < (values[$0], $1) }
    return Evidence(
      byState: byState,
      features: order.prefix(most).map {
        .init(state: states.lowerBound + $0 / width, element: $0 % width, evidence: values[$0])
      })
  }

  /// Accuracy on labelled texts, with the probe fitted on the run's training rows beside it.
  public func evaluate(_ data: DataSet, run folder: String, progress: (Int) throws -> Void = { _ in }) throws
    -> Evaluation
  {
    let device = model.network.device
    let own = try Embeddings.read(
      URL(fileURLWithPath: folder).appendingPathComponent(Pipeline.Files.embeddings).path)
    try layout.split.check(folder, count: own.labels.count)
    let probe = try LinearProbe.fit(
      features: own.features, columns: own.columns, labels: own.labels, classes: own.classes.count,
      training: layout.split.training, validation: layout.split.validation, on: device)
    let made = try images(data.texts, progress: progress)
    let guesses = try probe.predict(
      features: made.features, columns: own.columns, rows: Array(data.texts.indices), on: device)
    return try Evaluation.make(model, images: made.images, labels: data.labels, probe: guesses)
  }
}
