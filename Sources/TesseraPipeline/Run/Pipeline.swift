// SPDX-License-Identifier: Apache-2.0
import Foundation
import TesseraCompute
import TesseraData
import TesseraImages
import TesseraText
import TesseraVision

/// The whole way from reviews to an evaluated classifier in a run directory: embed, layout, render, train,
/// evaluate.
public struct Pipeline {
  let configuration: RunConfiguration
  let devices: DeviceGroup
  let folder: RunDirectory
  let embedding: EmbeddingWork
  let limits: FeatureLimits
  let splitting: DataParallelMode
  let keptStates: KeptStates
  let progress: ProgressLine
  let overwrite: Bool
  /// Where scalars of the epochs go besides; nil: nowhere.
  package var tensorBoard: TensorBoardEvents?
  /// The command line that the run is made by, for its report; nil: nobody tells.
  package var command: [String]?

  /// Names of the files of a run.
  public enum Files {
    /// What each stage writes.
    public static let configuration = "run.json", embeddings = "embeddings.safetensors",
      testEmbeddings = "test.embeddings.safetensors", layout = "layout.safetensors",
      images = "images.safetensors",
      testImages = "test.images.safetensors", model = "model.safetensors", evaluation = "result.json",
      history = "history.json", data = "data.json", encoder = "encoder", states = "states",
      command = "command.json",
      layoutHistory = "layout.history.json",
      predictions = "predictions.safetensors", epochs = "epochs.json"
  }

  /// What a run ends with.
  public struct Summary {
    /// Stage by stage, in order.
    public var fingerprints: [(stage: String, digits: String)] = []
    /// The epochs' figures.
    public var epochs: [EpochRecord] = []
    /// Rows of validation that they are of.
    public var validationRows = 0
    /// Whether the official code's habits were taken.
    public var isPaper = false
    /// Accuracy on the test rows.
    public var evaluation: Evaluation?
    /// What the seeds gave that followed the first.
    public var repeats: [SeedResult] = []
    /// The epoch that the network was kept of.
    public var kept: KeptEpoch?
    /// The images' channels.
    public var channels: [LayoutChannel] = []
    /// Whether a stage was run, and not everything found as it was.
    package var hasRun = true
  }

  /// A pipeline.
  ///
  /// - Parameters:
  ///   - configuration: the settings of the run.
  ///   - devices: those that embed, compute the frozen slice's output, share batches and predict; the main
  ///     one does the rest.
  ///   - out: the run's folder.
  ///   - embedding: how it comes to its embeddings; changes no bit.
  ///   - limits: where the frozen slice's output may be kept between epochs (the file is the run
  ///     directory's); changes no bit.
  ///   - splitting: whether devices share batches; changes no bit.
  ///   - keptStates: which states of the training are kept; changes no bit.
  ///   - overwrite: whether to use a folder with other files or with a run of other data all the same.
  ///   - progress: the line that shows how far the stages are.
  /// - Throws: `TesseraError` if the folder cannot be used.
  public init(
    _ configuration: RunConfiguration, devices: DeviceGroup, out: String,
    embedding: EmbeddingWork = .init(),
    limits: FeatureLimits = .init(), splitting: DataParallelMode = .measured,
    keptStates: KeptStates = .none, overwrite: Bool = false, progress: ProgressLine
  ) throws {
    (self.configuration, self.devices, self.progress) = (configuration, devices, progress)
    (self.overwrite, self.keptStates) = (overwrite, keptStates)
    (self.embedding, self.limits, self.splitting) = (embedding, limits, splitting)
    // Mistakes in options are found before hours of work.
    let model = configuration.model
    if configuration.layout.pixels > 0 {
      try model.architecture.check(pixels: configuration.layout.pixels, model.network)
    }
    _ = try configuration.layoutPlan()
    try model.check()
    try RunConfiguration.checkVersion(
      URL(fileURLWithPath: out).appendingPathComponent(Files.configuration).path)
    try RunDirectory.requireRunOrEmpty(out, overwrite: overwrite)
    folder = try RunDirectory(out)
    (folder.device, folder.profiler) = (devices.name, devices.main.profiler)
    folder.kernels = devices.kernelSources
  }

  /// Runs what has to be run.
  @_optimize(none)
  public func run() throws -> Summary {
    var summary = Summary()
    summary.isPaper = configuration.embedding.paperStates
    let (data, testData, encoderPrint) = try begin()
    @inline(never)
    func add(_ stage: String, _ result: (fingerprint: String, ran: Bool)) {
      summary.fingerprints.append((stage, result.fingerprint))
      if !result.ran { progress.note("\(stage): unchanged") }
    }
    if let encoderPrint { try keepEncoder(encoderPrint) }
    let embedded = try features(data, Files.embeddings, "embeddings", encoderPrint)
    add("embeddings", embedded)
    var testEmbedded: (fingerprint: String, ran: Bool)?
    if let testData {
      let result = try features(testData, Files.testEmbeddings, "test-embeddings", encoderPrint)
      add("test embeddings", result)
      testEmbedded = result
    }
    let embeddings = try Embeddings.read(folder.file(Files.embeddings))
    let testEmbeddings = try testData.map { _ in try Embeddings.read(folder.file(Files.testEmbeddings)) }
    try tellConstantFeatures(embeddings)
    let laidOut = try layOut(embeddings, embedded.fingerprint)
    add("layout", laidOut)
    let layout = try FeatureLayout.read(folder.file(Files.layout))
    summary.channels = layout.channels
    let rendered = try render(
      embeddings, testEmbeddings, layout,
      inputs: [
        "layout": laidOut.fingerprint, "embeddings": embedded.fingerprint,
        "test": testEmbedded?.fingerprint ?? "",
      ])
    add("images", rendered)
    let images = try ImageSet.read(folder.file(Files.images))
    let trained = try train(images, rendered.fingerprint)
    add("model", trained)
    if !trained.ran, let tensorBoard {
      for figures in EpochLog.read(folder.file(Files.epochs)) { try tensorBoard.add(figures) }
    }
    if !trained.ran, keptStates != .none, StateFolder(folder.file(Files.states)).places.isEmpty {
      progress.note(
        "warning: no state is kept: the training is done, and --keep-states is for one that runs (in a new folder)"
      )
    }
    summary.validationRows = images.split.validation.count
    if let history = InputFile.readIfThere(
      folder.file(Files.history), atMost: InputFile.Limit.text)
    {
      summary.epochs = (try? JSONDecoder().decode([EpochRecord].self, from: history)) ?? []
    }
    let evaluated = try folder.stage(
      "evaluation",
      inputs: [
        "model": trained.fingerprint, "images": rendered.fingerprint, "embeddings": embedded.fingerprint,
      ], parameters: configuration.evaluationParameters,
      outputs: [Files.evaluation, Files.predictions]
    ) {
      progress.begin("evaluating")
      let (evaluation, predictions) = try evaluate(embeddings, testEmbeddings, images)
      try predictions.write(to: folder.file(Files.predictions))
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
      try AtomicFile.write(
        try encoder.encode(evaluation) + Data("\n".utf8), to: folder.file(Files.evaluation))
      return evaluation.fingerprint
    }
    add("predictions", evaluated)
    summary.repeats = try repeated(images, rendered.fingerprint)
    if let result = InputFile.readIfThere(folder.file(Files.evaluation)) {
      summary.evaluation = try? JSONDecoder().decode(Evaluation.self, from: result)
    }
    let remedy =
      configuration.model.training.classWeights == nil
      ? " (--class-weights balanced lets every class count alike in what is learnt)" : ""
    for warning in summary.evaluation?.measures?.warnings ?? [] { progress.warn(warning + remedy) }
    summary.kept = KeptEpoch(
      summary.evaluation?.keptEpoch, of: summary.epochs.last?.epoch ?? 0, configuration.model.network)
    try keepCommand()
    summary.hasRun = folder.hasRun
    try folder.finish(stages: RunStages.names(configuration))
    if !folder.hasRun {
      progress.note(
        "nothing was recomputed and so nothing verified: tessera verify --run \(folder.path) --full does that"
      )
    }
    return summary
  }

  /// Keeps the command that made the run; one that found everything made is none.
  private func keepCommand() throws {
    let path = folder.file(Files.command)
    if let command, folder.hasRun || RunCommand.read(path) == nil {
      try RunCommand(command).write(in: folder)
    } else if command == nil, folder.hasRun {
      unlink(path)
    }
  }

  /// Reads the data and looks at all that can be looked at before the first long stage; only then the
  /// folder is this run's.
  private func begin() throws -> (data: any LabelledRows, test: (any LabelledRows)?, encoder: String?) {
    do {
      let (data, test, record) = try readData()
      let encoder =
        configuration.table == nil ? try EncoderFolder(configuration.encoder).fingerprint() : nil
      let replaces = try folder.replaces(
        configuration, data: data.fingerprint, encoder: encoder, overwrite: overwrite)
      try check(data, test, encoder: encoder)
      try checkSource(data, encoder: encoder)
      if replaces { folder.clear() }
      try folder.put(configuration)
      try keep(record)
      return (data, test, encoder)
    } catch {
      folder.discardIfEmpty()
      throw error
    }
  }

  private func layOut(_ embeddings: Embeddings, _ print: String) throws -> (fingerprint: String, ran: Bool) {
    let c = configuration
    return try folder.stage(
      "layout", inputs: ["embeddings": print], parameters: c.layoutParameters(features: embeddings.columns),
      outputs: [Files.layout, Files.layoutHistory]
    ) {
      let split = try split(embeddings.labels)
      progress.begin("laying out \(embeddings.columns) features by \(split.training.count) \(c.rowsName)")
      let states = LayoutStates(folder: folder.file(Files.states))
      states.removeAll()
      let layout = try FeatureLayout.make(
        embeddings, split: split, try c.layoutPlan(), on: devices,
        recorded: { try states.keep($1, channel: $0, by: keptStates) }
      ) {
        let kl = $2.map { " (KL \($0))" } ?? ""
        progress.update("t-SNE\(kl)", done: $0, of: $1, unit: "iterations")
      }
      try AtomicFile.write(
        try Self.encoded(layout.channels.map(LayoutHistory.init)), to: folder.file(Files.layoutHistory))
      return try layout.write(to: folder.file(Files.layout))
    }
  }

  private func render(
    _ embeddings: Embeddings, _ test: Embeddings?, _ layout: FeatureLayout, inputs: [String: String]
  ) throws -> (fingerprint: String, ran: Bool) {
    try folder.stage(
      "images", inputs: inputs, parameters: [:],
      outputs: [Files.images] + (test == nil ? [] : [Files.testImages])
    ) {
      progress.begin("rendering")
      try layout.split.check(Files.layout, count: embeddings.labels.count)
      let (images, own) = try ImageSet.make(
        embeddings, layout, split: layout.split, to: folder.file(Files.images), on: devices.main)
      try images.writePictures(to: folder.file("pictures"))
      guard let test else { return own }
      let all = Split(training: [], validation: [], test: Array(test.labels.indices))
      let other = try ImageSet.make(
        test, layout, split: all, to: folder.file(Files.testImages), on: devices.main
      ).fingerprint
      var both = Fingerprint()
      both.add(own)
      both.add(other)
      return both.digits()
    }
  }

  private func evaluate(_ embeddings: Embeddings, _ test: Embeddings?, _ images: ImageSet) throws
    -> (Evaluation, Predictions)
  {
    let probe = try LinearProbe.fit(
      FeatureRows(embeddings.features, columns: embeddings.columns), labels: embeddings.labels,
      classes: embeddings.classes.count, training: images.split.training, validation: images.split.validation,
      room: limits.bytes(on: devices.main).device,
      weights: try configuration.classWeights(embeddings, training: images.split.training), on: devices.main)
    let model = try TrainedModel.read(folder.file(Files.model), on: devices)
    let guesses =
      try test.map {
        try probe.predict(
          features: $0.features, columns: $0.columns, rows: Array($0.labels.indices), on: devices.main)
      }
      ?? probe.predict(
        features: embeddings.features, columns: embeddings.columns, rows: images.split.test, on: devices.main)
    let rows = try testRows(images)
    return try Evaluation.measure(
      model, images: rows.images, rows: rows.rows, labels: rows.labels, probe: guesses)
  }

  /// The images to test on, with their classes.
  func testRows(_ images: ImageSet) throws -> (images: Floats, rows: [Int], labels: [Int32]) {
    if configuration.test != nil {
      let set = try ImageSet.read(folder.file(Files.testImages))
      return (set.images, Array(set.labels.indices), set.labels)
    }
    let rows = images.split.test
    return (images.images, rows, rows.map { images.labels[$0] })
  }
}
