// SPDX-License-Identifier: Apache-2.0
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
  @OptionGroup var training: TrainingArguments
  @OptionGroup(title: "Device") var device: DeviceOptions
  @Option(help: "Seed of weights, dropout and order.")
  var seed = RandomStream.usualSeed
  @Flag(help: "Go on from the last epoch's checkpoint, of the same images, weights and options.")
  var resume = false
  @Option(
    help:
      "Folder for model and checkpoints. Those of the same images are replaced; other files, or a model of other images, are refused."
  )
  var out: String
  @Option(help: "Folder for TensorBoard: loss, accuracy, seconds and rows a second of every epoch.")
  var tensorboard: String?
  @Flag(help: "JSON instead of text.")
  var json = false
  @Flag(help: "Use the folder although other files are in it, or a model of other images.")
  var overwrite = false

  /// Trains and writes the model.
  @_optimize(none)
  func run() throws {
    let options = try training.options(seed: seed)
    var resources = training.resources.resources()
    // Headers alone, before images are read and devices opened.
    if let weights = try training.weightsFile() { _ = try TensorFile.open(weights) }
    let print = try Fingerprint.ofFile(images)
    try TrainingFolder.check(out, images: print, overwrite: overwrite)
    let key = options.checkpointKey(
      images: print, weights: try training.weightsFile().map { try Fingerprint.ofFile($0) } ?? "drawn by seed"
    )
    let folder = try RunDirectory(out)
    do {
      let set = try ImageSet.read(images)
      try set.check(options)
      try TrainingFolder.prepare(folder, resume: resume, key: key)
      resources.checkpoint = Checkpoint(folder: folder.path, key: key)
      resources.limits.folder = folder.path
      try train(set, options, resources, folder)
    } catch {
      folder.discardIfEmpty()
      throw error
    }
  }

  private func train(
    _ set: ImageSet, _ options: TrainedModel.Options, _ resources: TrainingResources, _ folder: RunDirectory
  ) throws {
    try device.useAll(for: "train") { devices in
      let progress = device.progress
      let computed = json ? try ComputedBy(devices, threads: device.threads) : nil
      let events = try tensorboard.map { try TensorBoardEvents(folder: $0) }
      var epochs: [EpochFigures] = []
      progress.begin("training \(options.architecture.rawValue) on \(devices.name)")
      let model = try TrainedModel.train(
        set, options, resources, on: devices, notes: { progress.note($0) },
        features: { progress.update("slice", done: $0, of: $1, unit: "images") },
        progress: {
          let (what, unit) =
            $0 == 0 ? ("fit", "evaluations") : ("epoch \($0) of \(options.training.epochs)", "images")
          progress.update(what, done: $1, of: $2, unit: unit)
        },
        sharing: { progress.note($0) },
        measured: {
          epochs.append($0)
          try events?.add($0)
        }
      ) { record, rows in
        let accuracy = Accuracy(correct: record.correct, total: rows)
        if computed == nil { print("epoch \(record.epoch): loss \(record.loss), validation \(accuracy)") }
        progress.begin("epoch \(record.epoch + 1)", quietly: true)
      }
      let path = folder.file(Pipeline.Files.model)
      let digits = try model.write(to: path)
      if let computed {
        let found = TrainedNetwork(
          classes: model.classes, history: model.history, epochs: epochs, keptEpoch: model.keptEpoch,
          linearPathAlone: model.kept.isLinearPathAlone)
        return try printJSON(StageResult(file: path, fingerprint: digits, found: found, computed: computed))
      }
      print("kept epoch \(model.kept)")
      print("model \(digits)")
    }
  }
}
