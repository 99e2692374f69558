// SPDX-License-Identifier: Apache-2.0
import Foundation
import TesseraCompute
import TesseraData
import TesseraImages
import TesseraText
import TesseraVision

/// What is told before the first stage rather than hours later: everything that needs the options, the
/// data's classes and the headers of files alone.
extension Pipeline {
  /// Looks at everything that later stages will refuse.
  ///
  /// - Throws: `TesseraError` naming what does not go together.
  func check(_ data: any LabelledRows, _ test: (any LabelledRows)?, encoder print: String?) throws {
    let c = configuration
    let (features, states) = try features(of: data, encoder: print)
    let split = try split(data.labels)
    _ = try c.model.training.classWeights?.weights(
      of: data.classes, labels: split.training.map { data.labels[$0] })
    if c.model.training.patience != nil, split.validation.isEmpty {
      throw TesseraError.input(
        "patience", found: "no validation rows to wait by",
        wanted: "--validation-share above 0, or no --patience")
    }
    let plan = try c.layoutPlan()
    let fitted = split.training.count + (plan.seesValidation ? split.validation.count : 0)
    let shape = try plan.shape(features: features, states: states, rows: fitted)
    let network = try checkNetwork(shape, classes: data.classes.count)
    try checkPlaces()
    try checkSpace(data, test, features: features, area: shape.side * shape.side * shape.channels, network)
  }

  /// How many features a row will have, and of how many hidden states: a table's columns are of one.
  private func features(of data: any LabelledRows, encoder print: String?) throws -> (count: Int, states: Int)
  {
    if let table = data as? NumberTable { return (table.names.count, 1) }
    let encoder = try checkEncoder(print ?? "")
    let states = try configuration.embedding.states(layers: encoder.layers)
    return (states.count * encoder.hidden, states.count)
  }

  /// Reads the encoder whole, unless the run holds it already: one that does not fit must not come into the
  /// folder.
  private func checkEncoder(_ print: String) throws -> EncoderConfiguration {
    let record = StageRecord.read(URL(fileURLWithPath: folder.file("encoder.json")))
    guard record?.fingerprint != print else {
      return try EncoderFolder(configuration.encoder).configuration()
    }
    return try TransformerEncoder(folder: configuration.encoder, device: try CPUBackend(threads: 1))
      .configuration
  }

  /// Makes the network that the training stage will make and loads the weights as that does.
  private func checkNetwork(
    _ shape: (side: Int, channels: Int), classes: Int
  ) throws -> ImageClassifier {
    // On the CPU, whatever the device: a few milliseconds, and no program has to be built.
    try configuration.model.network(
      classes: classes, pixels: shape.side, channels: shape.channels, on: try CPUBackend(threads: 1))
  }

  /// Files that stages and seeds write, beside their records.
  private var outputs: [String] {
    let stages = RunStages.names(configuration)
    return [
      RunManifest.name, Files.configuration, Files.embeddings, Files.layout, Files.images, Files.model,
      Files.history, Files.epochs, Files.layoutHistory, Files.predictions, Files.evaluation,
      "checkpoint.safetensors",
      "best.safetensors",
    ] + (configuration.test == nil ? [] : [Files.testEmbeddings, Files.testImages])
      + stages.map { "\($0).json" }
      + stages.filter { $0.hasPrefix("repeat-") }.map { "\($0).accuracy.json" }
  }

  /// Throws if one of the run's files could not be put in its place: a folder or a pipe stands there, or
  /// nothing may be written.
  private func checkPlaces() throws {
    for name in outputs { try AtomicFile.requireWritable(folder.file(name)) }
    // A folder that is not there yet is left to the stage: nothing of a run that is refused may stay behind.
    if FileManager.default.fileExists(atPath: folder.file("pictures")) {
      try AtomicFile.requireWritable(folder.file("pictures/mean.png"))
    }
  }

  /// Throws if the run's files have no room on their disk. What is there already and is as large stays or
  /// makes room.
  private func checkSpace(
    _ data: any LabelledRows, _ test: (any LabelledRows)?, features: Int, area: Int,
    _ network: ImageClassifier
  ) throws {
    let model = network.state.reduce(0) { $0 + 4 * $1.tensor.count } + 8 * area
    var sizes = [
      (Files.embeddings, data.count * 4 * (features + 1)),
      (Files.images, data.count * 4 * (area + 1)),
      (Files.model, model), ("checkpoint.safetensors", model), ("best.safetensors", model),
    ]
    if let test {
      sizes += [
        (Files.testEmbeddings, test.count * 4 * (features + 1)),
        (Files.testImages, test.count * 4 * (area + 1)),
      ]
    }
    sizes = sizes.map { name, bytes in
      var status = stat()
      return (name, stat(folder.file(name), &status) == 0 ? max(0, bytes - Int(status.st_size)) : bytes)
    }
    let kept = try configuration.model.keptOnDisk(
      network, images: data.count, folder: folder.path, limits, on: devices.main)
    if kept > 0 { sizes.append(("the slice's output (--feature-disk 0 does without)", kept)) }
    let parts = sizes.ordered { $0.1 > $1.1 }.filter { $0.1 > 0 }.prefix(3).map {
      "\($0.0) \(DiskSpace.amount($0.1))"
    }
    try DiskSpace.require(
      sizes.reduce(0) { $0 + $1.1 }, at: folder.path, for: "its files (\(parts.joined(separator: ", ")))")
  }
}

extension TrainedModel.Options {
  /// Bytes of disk that the frozen slice's output of so many images will take where a limit was set for it;
  /// 0 where it is kept elsewhere or not at all. Without a limit what is free decides, when the time comes.
  func keptOnDisk(
    _ network: ImageClassifier, images: Int, folder: String, _ limits: FeatureLimits, on device: any Backend
  ) throws -> Int {
    guard let most = limits.file, most > 0, training.slice == .frozen, training.noise == 0,
      normalization != .batch
    else {
      return 0
    }
    let bytes = images * 4 * (try network.featureCount())
    var limits = limits
    limits.folder = folder
    guard limits.place(of: bytes, on: device) == .file else { return 0 }
    return bytes
  }
}
