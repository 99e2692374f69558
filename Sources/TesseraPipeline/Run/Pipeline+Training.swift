import Foundation
import TesseraCompute
import TesseraVision

extension Pipeline {
  /// Trains the network of the run.
  ///
  /// - Parameter print: fingerprint of the images.
  func train(_ images: ImageSet, _ print: String) throws -> (fingerprint: String, ran: Bool) {
    let c = configuration
    let weights = try weightsFingerprint()
    return try folder.stage(
      "model", inputs: ["images": print, "weights": weights], parameters: try c.trainingParameters(),
      outputs: [Files.model, Files.history]
    ) {
      if c.weights == nil {
        progress.note("no --weights: the slice of \(c.model) is drawn by seed, not pretrained")
      }
      progress.begin("training \(c.model) on \(images.split.training.count) images")
      let model = try trained(
        images, by: c, in: folder.path, key: try c.checkpointKey(images: print, weights: weights))
      var history: [EpochRecord] = []
      if let text = try TensorFile.open(folder.file("checkpoint.safetensors")).metadata["history"] {
        history = try JSONDecoder().decode([EpochRecord].self, from: Data(text.utf8))
      }
      try AtomicFile.write(try JSONEncoder().encode(history), to: folder.file(Files.history))
      return try model.write(to: folder.file(Files.model))
    }
  }

  /// Trains the same network by the seeds that follow the run's; the accuracy on the test rows of each. Layout and split
  /// stay: what varies is the start, dropout and order.
  func repeated(_ images: ImageSet, _ print: String) throws -> [Accuracy] {
    let weights = try weightsFingerprint()
    return try (1..<max(1, configuration.repeats)).map { number in
      var c = configuration
      c.seed = configuration.seed &+ UInt64(number)
      let file = "repeat-\(number).accuracy.json"
      _ = try folder.stage(
        "repeat-\(number)", inputs: ["images": print, "weights": weights],
        parameters: try c.trainingParameters(), outputs: [file]
      ) {
        progress.begin("training \(c.model) by seed \(c.seed)")
        let place = folder.file("repeat-\(number)")
        let model = try trained(
          images, by: c, in: place, key: try c.checkpointKey(images: print, weights: weights))
        let rows = try testRows(images)
        let predicted = try model.predict(rows.images)
        let accuracy = Accuracy(predicted: predicted, truth: rows.labels)
        try AtomicFile.write(try JSONEncoder().encode(accuracy), to: folder.file(file))
        try? FileManager.default.removeItem(atPath: place)
        var digits = Fingerprint()
        predicted.withUnsafeBytes { digits.add($0) }
        return digits.digits()
      }
      return try JSONDecoder().decode(
        Accuracy.self,
        from: InputFile.read(
          folder.file(file), wanted: "an accuracy", atMost: InputFile.Limit.configuration))
    }
  }

  /// What the seeds after the first gave in a finished run.
  static func repeats(in folder: String, _ c: RunConfiguration) -> [Accuracy] {
    // What a broken configuration says must not be looked for without end.
    (1..<min(max(1, c.repeats), RunConfiguration.mostRepeats)).compactMap { number in
      let path = URL(fileURLWithPath: folder).appendingPathComponent("repeat-\(number).accuracy.json").path
      return InputFile.readIfThere(path).flatMap {
        try? JSONDecoder().decode(Accuracy.self, from: $0)
      }
    }
  }

  private func weightsFingerprint() throws -> String {
    try configuration.weights.map { try Fingerprint.ofFile($0) } ?? "drawn by seed"
  }

  private func trained(_ images: ImageSet, by c: RunConfiguration, in place: String, key: String) throws
    -> TrainedModel
  {
    var options = try c.trainingOptions()
    (options.checkpoints, options.limits) = (place, limits)
    options.limits.folder = folder.path
    options.splitting = splitting
    return try TrainedModel.train(
      images, options, key: key, on: devices,
      features: {
        progress.update("slice", done: $0, of: $1, unit: "images")
        if $0 == $1 { progress.begin("epoch 1", quietly: true) }
      },
      progress: { progress.update("epoch \($0) of \(c.epochs)", done: $1, of: $2, unit: "images") },
      sharing: { progress.note($0) }
    ) { record, rows in
      progress.note(Self.line(record, rows))
      progress.begin("epoch \(record.epoch + 1)", quietly: true)
    }
  }

  static func line(_ record: EpochRecord, _ rows: Int) -> String {
    let loss = (record.loss * 10_000).rounded() / 10_000
    return "epoch \(record.epoch): loss \(loss), validation \(Accuracy(correct: record.correct, total: rows))"
  }
}
