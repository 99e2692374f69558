// SPDX-License-Identifier: Apache-2.0
import TesseraCompute
import TesseraVision

extension TrainedModel {
  /// Which network is made and how it is trained: the one place of these options and their defaults. A run's
  /// file keeps them all in one object.
  public struct Options: Sendable, Equatable {
    /// The network.
    public var architecture: Architecture
    /// The file of its slice's weights; nil: drawn by seed.
    public var weights: String?
    /// How pixels are standardised.
    public var normalization = ImageNormalization.global
    /// What the network has besides its architecture.
    public var network = NetworkOptions()
    /// How it learns.
    public var training = TrainingOptions()

    /// The official code's habits but for the pixels' standardisation; ``Recipe`` has others.
    public init(_ architecture: Architecture = .efficientnetLite0, weights: String? = nil) {
      self.architecture = architecture
      self.weights = weights
    }

    /// The learning rates, set or the architecture's.
    var rates: (convolutions: Float, classifier: Float) {
      training.rates(of: architecture, network.head)
    }

    /// The network before the first step, with its slice's weights.
    ///
    /// - Parameter notes: called with what was done to read them.
    /// - Throws: `TesseraError` for images that are too small for it, and weights that do not fit.
    func network(
      classes: Int, pixels: Int, channels: Int, on device: any Backend,
      notes: (String) throws -> Void = { _ in }
    ) throws -> ImageClassifier {
      let made = try ImageClassifier(
        architecture, classes: classes, pixels: pixels, channels: channels, options: network,
        seed: training.seed, device: device)
      if let weights {
        for note in try made.loadSlice(try TensorFile.open(weights)) { try notes(note) }
      }
      return made
    }

    /// Whether linear path and head can be fitted together: the slice's output of an image never changes, and what
    /// follows is linear.
    public var canStartJointly: Bool {
      network.head == .linear && training.slice == .frozen && training.noise == 0 && normalization != .batch
    }

    /// Checks the ranges, and that no option is without effect.
    ///
    /// - Throws: `TesseraError` that names the option as the command line does.
    public func check() throws {
      try network.check()
      try training.check()
      if let rate = training.sliceRate, training.slice != .trainable {
        throw TesseraError.input(
          "slice-lr", found: "\(rate) for a slice that is \(training.slice.rawValue)",
          wanted: "a trainable slice (else leave it out)")
      }
      if network.start == .joint, !canStartJointly {
        throw TesseraError.input(
          "start", found: "joint with a slice, pixels or noise that change from step to step",
          wanted: "a frozen slice, no noise, and pixels that are not standardised by batch")
      }
      // A trainable slice without a rate of its own learns at that of the convolutions.
      let isSlices = training.slice == .trainable && training.sliceRate == nil
      if let rate = training.convolutionRate, network.head == .linear, !isSlices {
        throw TesseraError.input(
          "conv-lr", found: "\(rate) for the linear head, which has no convolutions",
          wanted: "the head paper (else leave it out)")
      }
    }

    /// What decides the trained network besides images and weights, by the names of a stage's record.
    @_optimize(none)
    var parameters: [String: String] {
      var parameters = [
        "model": architecture.rawValue, "normalization": normalization.rawValue,
        "epochs": "\(training.epochs)", "batch": "\(training.batch)", "seed": "\(training.seed)",
        "rates": "\(rates)", "decay": "\(training.weightDecay)",
        "slice": "\(training.slice.rawValue) \(training.sliceRate.map { "\($0)" } ?? "")",
        "schedule": training.schedule.rawValue, "smoothing": "\(training.labelSmoothing)",
        "patience": training.patience.map { "\($0)" } ?? "none", "upsampling": "\(network.upsampling)",
        "bypass": "\(network.bypass)", "head": network.head.rawValue, "noise": "\(training.noise)",
      ]
      // Older records have no such key, and stand for the usual start.
      if network.start != NetworkOptions().start { parameters["start"] = network.start.rawValue }
      if network.products != .fp32 { parameters["products"] = network.products.rawValue }
      if let weights = training.classWeights { parameters["class weights"] = weights.text }
      return parameters
    }

    /// What decides a checkpoint: one of another key is not resumed. Without a schedule, epochs are left out:
    /// more epochs go on where fewer ended.
    ///
    /// - Parameters:
    ///   - images: fingerprint of the images.
    ///   - weights: fingerprint of the slice's weights.
    public func checkpointKey(images: String, weights: String) -> String {
      let deciding = parameters.filter { $0.key != "epochs" || training.schedule != .constant }
      let procedure = "procedure \(StageRecord.versions["model"] ?? 1)"
      return ([images, weights, procedure] + deciding.ordered { $0.key < $1.key }.map(\.value)).joined(
        separator: " ")
    }
  }
}

extension TrainedModel.Options: Codable {
  private enum CodingKeys: String, CodingKey {
    case architecture = "model"
    case weights, normalization
  }

  /// Reads what `encode(to:)` writes.
  ///
  /// - Throws: `TesseraError` for a name that does not exist.
  public init(from decoder: any Decoder) throws {
    let fields = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      try fields.decode(Architecture.self, forKey: .architecture),
      weights: try fields.decodeIfPresent(String.self, forKey: .weights))
    normalization = try fields.decode(ImageNormalization.self, forKey: .normalization)
    network = try NetworkOptions(from: decoder)
    training = try TrainingOptions(from: decoder)
  }

  /// Writes all options as fields of one object.
  public func encode(to encoder: any Encoder) throws {
    var fields = encoder.container(keyedBy: CodingKeys.self)
    try fields.encode(architecture, forKey: .architecture)
    try fields.encodeIfPresent(weights, forKey: .weights)
    try fields.encode(normalization, forKey: .normalization)
    try network.encode(to: encoder)
    try training.encode(to: encoder)
  }
}
