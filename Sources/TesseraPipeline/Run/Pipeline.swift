import Foundation
import TesseraCompute
import TesseraImages
import TesseraText
import TesseraVision

/// The whole way from reviews to an evaluated classifier in a run directory: embed, layout, render, train, evaluate.
public struct Pipeline {
  private let configuration: RunConfiguration
  private let device: any Backend
  private let folder: RunDirectory
  private let embeddingBatch: Int, featureMemory: Int
  private let progress: ProgressLine

  /// Names of the files of a run.
  public enum Files {
    /// What each stage writes.
    public static let configuration = "run.json", embeddings = "embeddings.safetensors",
      testEmbeddings = "test.embeddings.safetensors", layout = "layout.safetensors",
      images = "images.safetensors",
      testImages = "test.images.safetensors", model = "model.safetensors", evaluation = "result.json",
      history = "history.json"
  }

  /// What a run ends with.
  public struct Summary {
    /// Stage by stage, in order.
    public var fingerprints: [(stage: String, digits: String)] = []
    /// The epochs' figures, with the number of validation rows.
    public var epochs: [EpochRecord] = [], validationRows = 0
    /// Accuracy on the test rows.
    public var evaluation: Evaluation?
    /// The images' channels.
    public var channels: [LayoutChannel] = []
  }

  /// A pipeline.
  ///
  /// - Parameters:
  ///   - embeddingBatch: texts at once; changes no bit.
  ///   - featureMemory: the most bytes of the frozen slice's output that are kept between epochs; changes no bit.
  /// - Throws: `TesseraError` if the folder cannot be used.
  public init(
    _ configuration: RunConfiguration, device: any Backend, out: String, embeddingBatch: Int = 64,
    featureMemory: Int = 6 << 30, progress: ProgressLine
  ) throws {
    (self.configuration, self.device, self.progress) = (configuration, device, progress)
    (self.embeddingBatch, self.featureMemory) = (embeddingBatch, featureMemory)
    // Mistakes in options are found before hours of work.
    let architecture = try configuration.architecture()
    if configuration.pixels > 0 { try architecture.check(pixels: configuration.pixels) }
    _ = try configuration.layoutPlan()
    _ = try (configuration.imageNormalization(), configuration.sliceMode(), configuration.learningSchedule())
    _ = try configuration.tokenPooling()
    folder = try RunDirectory(out)
    folder.device = device.name
  }

  /// Runs what has to be run.
  public func run() throws -> Summary {
    var summary = Summary()
    try configuration.write(to: folder.file(Files.configuration))
    let columns = DataSet.Columns(text: configuration.textColumn, label: configuration.labelColumn)
    let data = try DataSet.read(configuration.data, columns: columns)
    let testData = try configuration.test.map {
      try DataSet.read($0, columns: columns, classes: data.classes)
    }
    func add(_ stage: String, _ result: (fingerprint: String, ran: Bool)) {
      summary.fingerprints.append((stage, result.fingerprint))
      if !result.ran { progress.note("\(stage): unchanged") }
    }
    let encoderPrint = try encoderFingerprint()
    let embedded = try embed(data, Files.embeddings, "embeddings", encoderPrint)
    add("embeddings", embedded)
    var testEmbedded: (fingerprint: String, ran: Bool)?
    if let testData {
      let result = try embed(testData, Files.testEmbeddings, "test-embeddings", encoderPrint)
      add("test embeddings", result)
      testEmbedded = result
    }
    let embeddings = try Embeddings.read(folder.file(Files.embeddings))
    let testEmbeddings = try testData.map { _ in try Embeddings.read(folder.file(Files.testEmbeddings)) }
    let laidOut = try layOut(embeddings, embedded.fingerprint)
    add("layout", laidOut)
    let layout = try FeatureLayout.read(folder.file(Files.layout))
    summary.channels = layout.channels
    let rendered = try render(
      embeddings, testEmbeddings, layout, laidOut.fingerprint, testEmbedded?.fingerprint)
    add("images", rendered)
    let images = try ImageSet.read(folder.file(Files.images))
    let trained = try train(images, rendered.fingerprint)
    add("model", trained)
    summary.validationRows = images.split.validation.count
    if let history = FileManager.default.contents(atPath: folder.file(Files.history)) {
      summary.epochs = (try? JSONDecoder().decode([EpochRecord].self, from: history)) ?? []
    }
    let evaluated = try folder.stage(
      "evaluation", inputs: ["model": trained.fingerprint, "images": rendered.fingerprint], parameters: [:],
      outputs: [Files.evaluation]
    ) {
      progress.begin("evaluating")
      let evaluation = try evaluate(embeddings, testEmbeddings, images)
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
      try AtomicFile.write(
        try encoder.encode(evaluation) + Data("\n".utf8), to: folder.file(Files.evaluation))
      return evaluation.fingerprint
    }
    add("predictions", evaluated)
    if let result = FileManager.default.contents(atPath: folder.file(Files.evaluation)) {
      summary.evaluation = try? JSONDecoder().decode(Evaluation.self, from: result)
    }
    return summary
  }

  private func encoderFingerprint() throws -> String {
    let root = URL(fileURLWithPath: configuration.encoder)
    var print = Fingerprint()
    for name in ["config.json", "vocab.txt", "model.safetensors", "pytorch_model.bin"] {
      let path = root.appendingPathComponent(name).path
      if FileManager.default.fileExists(atPath: path) { print.add(try Fingerprint.ofFile(path)) }
    }
    return print.digits()
  }

  private func embed(
    _ data: DataSet, _ file: String, _ stage: String, _ encoderPrint: String
  ) throws -> (fingerprint: String, ran: Bool) {
    let layers = try EncoderConfiguration(
      file: URL(fileURLWithPath: configuration.encoder).appendingPathComponent("config.json").path
    ).layers
    let states = try configuration.states(layers: layers)
    return try folder.stage(
      stage, inputs: ["data": data.fingerprint, "encoder": encoderPrint],
      parameters: ["layers": "\(states)", "pooling": configuration.pooling], outputs: [file]
    ) {
      progress.begin("reading the encoder")
      let encoder = try BertEncoder(folder: configuration.encoder, device: device)
      progress.begin("embedding \(data.texts.count) reviews")
      let result = try Embeddings.make(
        data, encoder: encoder, states: states, pooling: try configuration.tokenPooling(),
        batch: embeddingBatch
      ) { progress.update("embedding", done: $0, of: data.texts.count, unit: "reviews") }
      try requireFinite(file, result.features, columns: result.columns)
      return try result.write(to: folder.file(file))
    }
  }

  private func layOut(_ embeddings: Embeddings, _ print: String) throws -> (fingerprint: String, ran: Bool) {
    let c = configuration
    let testShare = c.test == nil ? c.testShare : 0
    return try folder.stage(
      "layout", inputs: ["embeddings": print], parameters: c.layoutParameters, outputs: [Files.layout]
    ) {
      let split = try Split(
        labels: embeddings.labels, validation: c.validationShare, test: testShare, seed: c.seed)
      progress.begin("laying out \(embeddings.columns) features by \(split.training.count) reviews")
      let layout = try FeatureLayout.make(embeddings, split: split, try c.layoutPlan(), on: device) {
        let kl = $2.map { " (KL \($0))" } ?? ""
        progress.update("t-SNE\(kl)", done: $0, of: $1, unit: "iterations")
      }
      return try layout.write(to: folder.file(Files.layout))
    }
  }

  private func render(
    _ embeddings: Embeddings, _ test: Embeddings?, _ layout: FeatureLayout, _ print: String,
    _ testPrint: String?
  ) throws -> (fingerprint: String, ran: Bool) {
    try folder.stage(
      "images", inputs: ["layout": print, "test": testPrint ?? ""], parameters: [:],
      outputs: [Files.images] + (test == nil ? [] : [Files.testImages])
    ) {
      progress.begin("rendering")
      try layout.split.check(Files.layout, count: embeddings.labels.count)
      let images = try ImageSet.make(embeddings, layout, split: layout.split, on: device)
      try images.writePictures(to: folder.file("pictures"))
      let own = try images.write(to: folder.file(Files.images))
      guard let test else { return own }
      let all = Split(training: [], validation: [], test: Array(test.labels.indices))
      let other = try ImageSet.make(test, layout, split: all, on: device).write(
        to: folder.file(Files.testImages))
      var both = Fingerprint()
      both.add(own)
      both.add(other)
      return both.digits()
    }
  }

  private func train(_ images: ImageSet, _ print: String) throws -> (fingerprint: String, ran: Bool) {
    let c = configuration
    var options = TrainedModel.Options(try c.architecture(), weights: c.weights)
    options.normalization = try c.imageNormalization()
    (options.epochs, options.batch, options.seed) = (c.epochs, c.batch, c.seed)
    let standard = options.architecture.learningRates
    options.rates = (c.convolutionRate ?? standard.convolutions, c.classifierRate ?? standard.classifier)
    options.weightDecay = c.weightDecay
    (options.slice, options.sliceRate) = (try c.sliceMode(), c.sliceRate)
    (options.schedule, options.labelSmoothing) = (try c.learningSchedule(), c.labelSmoothing)
    options.patience = c.patience
    options.checkpoints = folder.path
    options.featureMemory = featureMemory
    let weights = try c.weights.map { try Fingerprint.ofFile($0) } ?? "drawn by seed"
    let parameters = [
      "model": c.model, "normalization": c.normalization, "epochs": "\(c.epochs)", "batch": "\(c.batch)",
      "seed": "\(c.seed)", "rates": "\(options.rates!)", "decay": "\(c.weightDecay)",
      "slice": "\(c.slice) \(c.sliceRate.map { "\($0)" } ?? "")",
      "schedule": c.schedule, "smoothing": "\(c.labelSmoothing)",
      "patience": c.patience.map { "\($0)" } ?? "none",
    ]
    return try folder.stage(
      "model", inputs: ["images": print, "weights": weights], parameters: parameters,
      outputs: [Files.model, Files.history]
    ) {
      if c.weights == nil {
        progress.note("no --weights: the slice of \(c.model) is drawn by seed, not pretrained")
      }
      progress.begin("training \(c.model) on \(images.split.training.count) images")
      var history: [EpochRecord] = []
      // Without a schedule, epochs are left out of the key: more epochs go on where fewer ended.
      let key =
        ([print, weights]
        + parameters.filter { $0.key != "epochs" || c.schedule != "constant" }.sorted { $0.key < $1.key }.map(
          \.value))
        .joined(separator: " ")
      let model = try TrainedModel.train(
        images, options, key: key, on: device,
        features: {
          progress.update("slice", done: $0, of: $1, unit: "images")
          if $0 == $1 { progress.begin("epoch 1", quietly: true) }
        },
        progress: { progress.update("epoch \($0) of \(c.epochs)", done: $1, of: $2, unit: "images") }
      ) { record, rows in
        progress.note(Self.line(record, rows))
        progress.begin("epoch \(record.epoch + 1)", quietly: true)
      }
      if let text = try TensorFile.open(folder.file("checkpoint.safetensors")).metadata["history"] {
        history = try JSONDecoder().decode([EpochRecord].self, from: Data(text.utf8))
      }
      try AtomicFile.write(try JSONEncoder().encode(history), to: folder.file(Files.history))
      return try model.write(to: folder.file(Files.model))
    }
  }

  static func line(_ record: EpochRecord, _ rows: Int) -> String {
    let loss = (record.loss * 10_000).rounded() / 10_000
    return "epoch \(record.epoch): loss \(loss), validation \(Accuracy(correct: record.correct, total: rows))"
  }

  private func evaluate(_ embeddings: Embeddings, _ test: Embeddings?, _ images: ImageSet) throws
    -> Evaluation
  {
    let probe = try LinearProbe.fit(
      features: embeddings.features, columns: embeddings.columns, labels: embeddings.labels,
      classes: embeddings.classes.count, training: images.split.training, validation: images.split.validation,
      on: device)
    let model = try TrainedModel.read(folder.file(Files.model), on: device)
    if let test {
      let set = try ImageSet.read(folder.file(Files.testImages))
      let guesses = try probe.predict(
        features: test.features, columns: test.columns, rows: Array(test.labels.indices), on: device)
      return try Evaluation.make(model, images: set.images, labels: set.labels, probe: guesses)
    }
    let rows = images.split.test
    let guesses = try probe.predict(
      features: embeddings.features, columns: embeddings.columns, rows: rows, on: device)
    return try Evaluation.make(
      model, images: images.images(of: rows), labels: rows.map { images.labels[$0] }, probe: guesses)
  }
}
