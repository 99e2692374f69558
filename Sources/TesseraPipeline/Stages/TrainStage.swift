// SPDX-License-Identifier: Apache-2.0
import Foundation
import TesseraCompute
import TesseraVision

/// A trained network with what it needs to take images.
public struct TrainedModel {
  /// The network on each device that predicts.
  public let networks: PerDevice<ImageClassifier>
  /// The fitted standardisation of pixels.
  public let statistics: PixelStatistics
  /// Names of the classes.
  public let classes: [String]
  /// The epoch whose weights these are: 0 for the linear path alone, nil if none was run.
  public let keptEpoch: Int?
  /// The epochs' figures of the training that made it; empty for a model that was read.
  public let history: [EpochRecord]

  /// The network on the main device.
  public var network: ImageClassifier { networks.main }

  /// How a model is trained.
  public struct Options {
    /// Which network, from which weights of its slice (nil: drawn by seed).
    public var architecture: Architecture, weights: String?
    /// What the network has besides its architecture.
    public var network = NetworkOptions()
    /// How pixels are standardised.
    public var normalization = ImageNormalization.global
    /// Epochs, rows a step, seed.
    public var epochs = 15, batch = 32, seed: UInt64 = 1701
    /// Learning rates (nil: the model's) and L2 penalty.
    public var rates: (convolutions: Float, classifier: Float)?, weightDecay: Float = 0
    /// What becomes of the slice, and its learning rate if it is trained (nil: the head's).
    public var slice = SliceMode.frozen, sliceRate: Float?
    /// How learning rates change, label smoothing, and epochs to wait for a better one.
    public var schedule = Schedule.constant, labelSmoothing: Float = 0, patience: Int?
    /// Standard deviation of noise on the normalised pixels in training.
    public var noise: Float = 0
    /// Where the frozen slice's output may be kept between epochs.
    public var limits = FeatureLimits()
    /// Whether devices share batches.
    public var splitting = BatchSplitting.measured
    /// Folder for checkpoints; nil: none.
    public var checkpoints: String?

    /// The network before the first step, with its slice's weights.
    ///
    /// - Parameter notes: called with what was done to read them.
    /// - Throws: `TesseraError` for images that are too small for it, and weights that do not fit.
    func network(
      classes: Int, pixels: Int, channels: Int, on device: any Backend,
      notes: (String) throws -> Void = { _ in }
    ) throws -> ImageClassifier {
      let made = try ImageClassifier(
        architecture, classes: classes, pixels: pixels, channels: channels, options: network, seed: seed,
        device: device)
      if let weights {
        for note in try made.loadSlice(try TensorFile.open(weights)) { try notes(note) }
      }
      return made
    }

    /// Options with the default recipe.
    public init(_ architecture: Architecture, weights: String? = nil) {
      self.architecture = architecture
      self.weights = weights
    }
  }

  /// Trains on the images' training rows.
  ///
  /// - Parameters:
  ///   - set: images, their classes and their split.
  ///   - options: how the model is trained.
  ///   - key: what decides the result, for checkpoints: one of another key is not resumed.
  ///   - devices: the main one, and those that help it with the slice's output and with batches.
  ///   - notes: called with what was done to read the weights, such as a prefix that was taken off.
  ///   - features: called with (images done, all images) of the frozen slice's output.
  ///   - progress: called with (epoch, rows done, rows of the epoch).
  ///   - sharing: called with a line on how devices share batches, if that was measured.
  ///   - epochDone: called with each epoch's figures and the number of validation rows.
  public static func train(
    _ set: ImageSet, _ options: Options, key: String, on devices: DeviceGroup,
    notes: (String) throws -> Void = { _ in },
    features: (Int, Int) throws -> Void = { _, _ in },
    progress: (Int, Int, Int) throws -> Void = { _, _, _ in },
    sharing: (String) throws -> Void = { _ in },
    epochDone: (EpochRecord, Int) throws -> Void = { _, _ in }
  ) throws -> TrainedModel {
    let used = set.split.training + set.split.validation
    guard used.allSatisfy({ set.labels[$0] >= 0 }) else {
      throw TesseraError.input("training", found: "images without a class", wanted: "a class for each")
    }
    let network = try options.network(
      classes: set.classes.count, pixels: set.pixels, channels: set.channels, on: devices.main, notes: notes)
    network.standardizesBatches = options.normalization == .batch
    let statistics = try PixelStatistics.fit(
      set.images, area: set.area, rows: set.split.training, options.normalization)
    var plan = TrainingPlan(
      images: try statistics.apply(set.images), labels: set.labels, training: set.split.training,
      validation: set.split.validation)
    (plan.epochs, plan.batch, plan.seed) = (options.epochs, options.batch, options.seed)
    (plan.learningRates, plan.weightDecay) = (options.rates, options.weightDecay)
    (plan.slice, plan.sliceRate) = (options.slice, options.sliceRate)
    (plan.schedule, plan.labelSmoothing, plan.patience) = (
      options.schedule, options.labelSmoothing, options.patience
    )
    (plan.noise, plan.limits) = (options.noise, options.limits)
    if options.network.bypass {
      try network.startFrom(
        try LinearProbe.fit(
          features: plan.images, columns: set.area, labels: set.labels,
          classes: set.classes.count, training: plan.training, validation: plan.validation,
          on: devices.main))
      plan.keepsStart = true
    }
    let checkpoint = options.checkpoints.map { Checkpoint(folder: $0, key: key) }
    let trainer = try Trainer(
      network, plan, checkpoint: checkpoint, helpers: devices.helpers, splitting: options.splitting)
    try trainer.run(features: features, progress: progress, sharing: sharing) {
      try epochDone($0, plan.validation.count)
    }
    return TrainedModel(
      networks: try network.copies(on: devices), statistics: statistics, classes: set.classes,
      keptEpoch: trainer.keptEpoch, history: trainer.history)
  }

  /// Logarithms of class probabilities of images as rendered, row-major (count, classes).
  public func logProbabilities(_ images: [Float]) throws -> [Float] {
    try networks.logProbabilities(try statistics.apply(images))
  }

  /// Writes network, standardisation and classes; returns the fingerprint.
  public func write(to path: String) throws -> String {
    let names = String(decoding: try JSONEncoder().encode(classes), as: UTF8.self)
    var metadata = [
      "kind": "model", "classes": names, "architecture": network.architecture.rawValue,
      "pixels": "\(network.pixels)", "batch": "\(network.standardizesBatches)",
    ].merging(network.options.metadata) { a, _ in a }
    if let keptEpoch { metadata["epoch"] = "\(keptEpoch)" }
    if network.channels != 1 { metadata["channels"] = "\(network.channels)" }
    var writer = SafetensorsWriter(metadata: metadata)
    for (name, tensor) in network.state { writer.add(name, tensor, on: network.device) }
    writer.add("pixel.mean", statistics.mean, shape: [statistics.mean.count])
    writer.add("pixel.scale", statistics.scale, shape: [statistics.scale.count])
    return try writer.write(to: path)
  }

  /// Reads a model.
  ///
  /// - Parameters:
  ///   - path: the model's file.
  ///   - devices: those that predict.
  public static func read(_ path: String, on devices: DeviceGroup) throws -> TrainedModel {
    let file = try TensorFile.open(path)
    try file.checkNumerics()
    guard let architecture = file.metadata["architecture"].flatMap({ Architecture(rawValue: $0) }),
      let pixels = file.metadata["pixels"].flatMap({ Int($0) }), pixels > 0, pixels <= 4096
    else {
      throw TesseraError.input(
        path, found: "no known architecture in its metadata", wanted: "a model made by tessera")
    }
    guard let channels = Int(file.metadata["channels"] ?? "1"), (1...1024).contains(channels) else {
      throw TesseraError.input(
        path, found: "\(file.metadata["channels"] ?? "") channels", wanted: "a model made by tessera")
    }
    let classes = try readClasses(file)
    // Read first: a small file that says it were of large images would have a large network made for it.
    let area = channels * pixels * pixels
    let statistics = try PixelStatistics(
      mean: try file.floats("pixel.mean", shape: [area]),
      scale: try file.floats("pixel.scale", shape: [area]))
    let network = try ImageClassifier(
      architecture, classes: classes.count, pixels: pixels, channels: channels,
      options: try NetworkOptions(file),
      seed: 0, device: devices.main)
    try network.load(file)
    network.standardizesBatches = file.metadata["batch"] == "true"
    return TrainedModel(
      networks: try network.copies(on: devices), statistics: statistics, classes: classes,
      keptEpoch: file.metadata["epoch"].flatMap { Int($0) }, history: [])
  }
}

extension ImageClassifier {
  /// Starts as a probe of its pixels: the probe's standardisation is folded into its weights.
  fileprivate func startFrom(_ probe: LinearProbe) throws {
    let columns = probe.mean.count
    var bias = probe.bias
    for c in 0..<probe.classes {
      var shift = 0.0
      for p in 0..<columns {
        shift += Double(probe.weight[c * columns + p]) * Double(probe.scale[p]) * Double(probe.mean[p])
      }
      bias[c] = Float(Double(bias[c]) - shift)
    }
    try startFromBypass(
      weight: probe.weight.indices.map { probe.weight[$0] * probe.scale[$0 % columns] }, bias: bias)
  }
}
