import ArgumentParser
import Foundation
import TesseraCompute
import TesseraPipeline
import TesseraVision

/// Images to a classifier.
struct Train: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Trains a classifier on images; a killed run goes on with --resume and ends in the same bits.")

  @Option(help: "Images, made by tessera render.")
  var images: String
  @OptionGroup var training: TrainingOptions
  @OptionGroup var device: DeviceOptions
  @Option(help: "Seed of weights, dropout and order.")
  var seed: UInt64 = 1701
  @Flag(help: "Go on from the last epoch's checkpoint.")
  var resume = false
  @Option(help: "Folder for model and checkpoints.")
  var out: String

  /// Trains and writes the model.
  func run() throws {
    guard let architecture = Architecture(rawValue: training.model) else {
      throw TesseraError.input(
        "model", found: training.model, wanted: Architecture.allCases.map(\.rawValue).joined(separator: ", "))
    }
    let names = (training.normalization ?? "global", training.slice ?? "frozen")
    guard let normalization = ImageNormalization(rawValue: names.0) else {
      throw TesseraError.input("normalization", found: names.0, wanted: "global, centered, pixel or batch")
    }
    guard let slice = SliceMode(rawValue: names.1) else {
      throw TesseraError.input("slice", found: names.1, wanted: "frozen, moving or trainable")
    }
    guard let schedule = Schedule(rawValue: training.schedule) else {
      throw TesseraError.input("schedule", found: training.schedule, wanted: "constant or linear")
    }
    let set = try ImageSet.read(images)
    let folder = try RunDirectory(out)
    let checkpoint = folder.file("checkpoint.safetensors")
    if !resume { try? FileManager.default.removeItem(atPath: checkpoint) }
    var options = TrainedModel.Options(architecture, weights: training.weights)
    options.normalization = normalization
    (options.epochs, options.batch, options.seed) = (training.epochs, training.batch, seed)
    let standard = architecture.learningRates
    let rates = (
      training.convolutionRate ?? standard.convolutions, training.classifierRate ?? standard.classifier
    )
    options.rates = rates
    options.weightDecay = training.weightDecay
    (options.slice, options.sliceRate) = (slice, training.sliceRate)
    (options.schedule, options.labelSmoothing) = (schedule, training.labelSmoothing)
    options.patience = training.patience
    options.checkpoints = folder.path
    options.featureMemory = training.featureMemory << 30
    let key = [
      try Fingerprint.ofFile(images), try training.weights.map { try Fingerprint.ofFile($0) } ?? "",
      training.model, names.0, "\(training.batch) \(seed) \(rates) \(training.weightDecay)", names.1,
      "\(training.sliceRate ?? -1) \(schedule) \(training.labelSmoothing) \(training.patience ?? 0)",
      schedule == .constant ? "" : "\(training.epochs)",
    ].joined(separator: " ")
    let backend = try device.open()
    let progress = device.progress
    progress.begin("training \(training.model) on \(backend.name)")
    let model = try TrainedModel.train(
      set, options, key: key, on: backend,
      features: { progress.update("slice", done: $0, of: $1, unit: "images") },
      progress: { progress.update("epoch \($0) of \(training.epochs)", done: $1, of: $2, unit: "images") }
    ) { record, rows in
      print(
        "epoch \(record.epoch): loss \(record.loss), validation \(Accuracy(correct: record.correct, total: rows))"
      )
      progress.begin("epoch \(record.epoch + 1)", quietly: true)
    }
    print("model \(try model.write(to: folder.file(Pipeline.Files.model)))")
  }
}
