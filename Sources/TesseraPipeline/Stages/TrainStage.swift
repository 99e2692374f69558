// SPDX-License-Identifier: Apache-2.0
import Foundation
import TesseraCompute
import TesseraData
import TesseraVision

/// A trained network with what it needs to take images.
public struct TrainedModel {
  /// The network on each device that predicts.
  public let networks: Replicated<ImageClassifier>
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

  /// Trains on the images' training rows.
  ///
  /// - Parameters:
  ///   - set: images, their classes and their split.
  ///   - options: how the model is trained.
  ///   - resources: what it may use.
  ///   - devices: the main one, and those that help it with the slice's output and with batches.
  ///   - notes: called with what was done to read the weights, such as a prefix that was taken off.
  ///   - features: called with (images done, all images) of the frozen slice's output.
  ///   - progress: called with (epoch, rows done, rows of the epoch); of a joint start with (0, evaluations done, the
  ///     most that there can be).
  ///   - sharing: called with a line on how devices share batches, if that was measured.
  ///   - measured: called with what each epoch gave and how long it took.
  ///   - epochDone: called with each epoch's record and the number of validation rows.
  public static func train(
    _ set: ImageSet, _ options: Options, _ resources: TrainingResources = .init(), on devices: DeviceGroup,
    notes: (String) throws -> Void = { _ in },
    features: (Int, Int) throws -> Void = { _, _ in },
    progress: (Int, Int, Int) throws -> Void = { _, _, _ in },
    sharing: (String) throws -> Void = { _ in },
    measured: @escaping (EpochFigures) throws -> Void = { _ in },
    epochDone: (EpochRecord, Int) throws -> Void = { _, _ in }
  ) throws -> TrainedModel {
    let start = try TrainingStart(set, options, resources, on: devices.main, notes: notes)
    let (network, statistics, plan) = (start.network, start.statistics, start.plan)
    let trainer = try Trainer(network, plan, resources, helpers: devices.helpers, ranks: devices.ranks)
    trainer.measured = measured
    try trainer.run(
      begin: {
        var store: FeatureStore?
        try start.fit(progress: { try progress(0, $0, $1) }) {
          let made = try FeatureStore.make(network, plan, devices, progress: features)
          store = made
          return made
        }
        return store
      }, features: features, progress: progress, sharing: sharing,
      epochDone: { try epochDone($0, plan.validation.count) })
    return TrainedModel(
      networks: try network.copies(on: devices), statistics: statistics, classes: set.classes,
      keptEpoch: trainer.keptEpoch, history: trainer.history)
  }

  /// Logarithms of class probabilities of images as rendered, row-major (count, classes).
  ///
  /// - Parameters:
  ///   - images: as they were rendered.
  ///   - rows: the numbers of the images; nil: all.
  public func logProbabilities(_ images: Floats, of rows: [Int]? = nil) throws -> [Float] {
    let images = try statistics.rows(images)
    if let row = rows?.first(where: { !(0..<images.count).contains($0) }) {
      throw TesseraError.input("images", found: "row \(row)", wanted: "rows of 0..<\(images.count)")
    }
    return try networks.logProbabilities(images, of: rows ?? Array(0..<images.count))
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
  func startFrom(_ probe: LinearProbe) throws {
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
