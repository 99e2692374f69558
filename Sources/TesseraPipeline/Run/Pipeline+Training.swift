// SPDX-License-Identifier: Apache-2.0
import Foundation
import TesseraCompute
import TesseraData
import TesseraVision

extension Pipeline {
  /// Trains the network of the run.
  ///
  /// - Parameter print: fingerprint of the images.
  func train(_ images: ImageSet, _ print: String) throws -> (fingerprint: String, ran: Bool) {
    let options = configuration.model
    let weights = try weightsFingerprint()
    return try folder.stage(
      "model", inputs: ["images": print, "weights": weights], parameters: options.parameters,
      outputs: [Files.model, Files.history]
    ) {
      let name = options.architecture.rawValue
      if options.weights == nil {
        progress.note("no --weights: the slice of \(name) is drawn by seed, not pretrained")
      }
      progress.begin("training \(name) on \(images.split.training.count) images")
      let log = EpochLog(folder.file(Files.epochs))
      let model = try trained(
        images, by: options, in: folder.path, key: options.checkpointKey(images: print, weights: weights)
      ) {
        try log.add($0)
        try tensorBoard?.add($0)
      }
      try log.keep(model.history.map(\.epoch))
      try AtomicFile.write(try Self.encoded(model.history), to: folder.file(Files.history))
      tell(model, model.history.last?.epoch ?? 0)
      return try model.write(to: folder.file(Files.model))
    }
  }

  /// Trains the same network by the seeds that follow the run's; the accuracy on the test rows of each.
  /// Layout and split stay: what varies is the start, dropout and order.
  func repeated(_ images: ImageSet, _ print: String) throws -> [SeedResult] {
    let weights = try weightsFingerprint()
    return try (1..<max(1, configuration.repeats)).map { number in
      var options = configuration.model
      options.training.seed &+= UInt64(number)
      let seed = options.training.seed
      let file = "repeat-\(number).accuracy.json"
      _ = try folder.stage(
        "repeat-\(number)", inputs: ["images": print, "weights": weights],
        parameters: options.parameters, outputs: [file]
      ) {
        progress.begin("training \(options.architecture.rawValue) by seed \(seed)")
        let place = folder.file("repeat-\(number)")
        let model = try trained(
          images, by: options, in: place, key: options.checkpointKey(images: print, weights: weights))
        let rows = try testRows(images)
        let predicted = try model.predict(rows.images, of: rows.rows)
        tell(model, nil)
        let result = SeedResult(
          seed: seed, accuracy: Accuracy(predicted: predicted, truth: rows.labels),
          keptEpoch: model.keptEpoch)
        try AtomicFile.write(try Self.encoded(result), to: folder.file(file))
        try? FileManager.default.removeItem(atPath: place)
        var digits = Fingerprint()
        predicted.withUnsafeBytes { digits.add($0) }
        return digits.digits()
      }
      return try Self.decode(SeedResult.self, folder.file(file))
    }
  }

  /// Tells which epoch was kept, here and in the stage's record.
  private func tell(_ model: TrainedModel, _ epochs: Int?) {
    let kept = KeptEpoch(model.keptEpoch, of: epochs, model.network.options)
    folder.facts["kept epoch"] = kept.epoch.map { "\($0)" } ?? "none"
    progress.note("kept epoch \(kept)")
  }

  /// A value as JSON in one line with sorted keys.
  static func encoded(_ value: some Encodable) throws -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    return try encoder.encode(value)
  }

  /// What one of the run's JSON files holds. A history of many epochs of many steps is long.
  static func decode<T: Decodable>(_ type: T.Type, _ path: String) throws -> T {
    let data = try InputFile.read(path, wanted: "what tessera run writes", atMost: InputFile.Limit.text)
    do { return try JSONDecoder().decode(type, from: data) } catch {
      throw TesseraError.input(path, found: "a file that cannot be read", wanted: "what tessera run writes")
    }
  }

  /// What the seeds after the first gave in a finished run.
  static func repeats(_ run: FinishedRun) throws -> [SeedResult] {
    try (1..<max(1, run.configuration.repeats)).map {
      try decode(SeedResult.self, run.checked("repeat-\($0).accuracy.json"))
    }
  }

  private func weightsFingerprint() throws -> String {
    try configuration.model.weights.map { try Fingerprint.ofFile($0) } ?? "drawn by seed"
  }

  private func trained(
    _ images: ImageSet, by options: TrainedModel.Options, in place: String, key: String,
    measured: @escaping (EpochFigures) throws -> Void = { _ in }
  ) throws -> TrainedModel {
    var resources = TrainingResources()
    resources.limits = limits
    resources.limits.folder = folder.path
    resources.splitting = splitting
    resources.checkpoint = Checkpoint(folder: place, key: key)
    // Of the other seeds nothing is kept but their accuracy.
    if place == folder.path { resources.states = (StateFolder(folder.file(Files.states)), keptStates) }
    let epochs = options.training.epochs
    return try TrainedModel.train(
      images, options, resources, on: devices,
      // The other seeds read the same weights.
      notes: { if options.training.seed == configuration.seed { progress.note($0) } },
      features: {
        progress.update("slice", done: $0, of: $1, unit: "images")
        if $0 == $1 { progress.begin("epoch 1", quietly: true) }
      },
      progress: {
        let (what, unit) = $0 == 0 ? ("fit", "evaluations") : ("epoch \($0) of \(epochs)", "images")
        progress.update(what, done: $1, of: $2, unit: unit)
      },
      sharing: { progress.note($0) }, measured: measured
    ) { record, rows in
      progress.note(Self.line(record, rows, configuration.model.network))
      progress.begin("epoch \(record.epoch + 1)", quietly: true)
    }
  }

  static func line(_ record: EpochRecord, _ rows: Int, _ network: NetworkOptions) -> String {
    let loss = (record.loss * 10_000).rounded() / 10_000
    let start = network.start == .joint ? "as it was fitted" : "the linear path alone"
    let what = record.epoch == 0 ? "epoch 0 (\(start))" : "epoch \(record.epoch)"
    return "\(what): loss \(loss), validation \(Accuracy(correct: record.correct, total: rows))"
  }
}
