// SPDX-License-Identifier: Apache-2.0
import Foundation
import TesseraCompute

/// The folder of `tessera train`: a model with its checkpoints, and nothing of others.
public enum TrainingFolder {
  private static let checkpoint = "checkpoint.safetensors"

  /// Throws if a folder holds other files than a training's, or a training on other images.
  ///
  /// - Parameters:
  ///   - path: the folder.
  ///   - images: the fingerprint of the images' file.
  ///   - overwrite: whether to use it all the same.
  public static func check(_ path: String, images: String, overwrite: Bool) throws {
    guard !overwrite else { return }
    func file(_ name: String) -> String { URL(fileURLWithPath: path).appendingPathComponent(name).path }
    let names = RunDirectory.visibleNames(in: path)
    let others = names.filter { !isOwn($0, file($0)) }
    guard others.isEmpty else { throw RunDirectory.foreign(path, others) }
    // A checkpoint's key begins with what it was made of.
    let key = (try? TensorFile.open(file(checkpoint)))?.metadata["key"]
    guard let key, !key.hasPrefix(images + " ") else { return }
    throw TesseraError.input(
      path, found: "a model of other images",
      wanted: "a folder of its own, or --overwrite, which replaces that")
  }

  private static func isOwn(_ name: String, _ path: String) -> Bool {
    switch name {
    case checkpoint, "best.safetensors": true
    // An encoder's weights have the same name. What cannot be read is a model that was damaged.
    case Pipeline.Files.model: (try? TensorFile.open(path)).map { $0.metadata["kind"] == "model" } ?? true
    default: false
    }
  }

  /// Makes the folder ready: what will be written can be, and the checkpoint is one to go on from, or gone.
  ///
  /// - Parameters:
  ///   - folder: the training's folder.
  ///   - resume: whether to go on from the checkpoint.
  ///   - key: what decides the training.
  /// - Throws: `TesseraError` for a place that cannot be written to, and for a checkpoint of another key or
  ///   numerics version: it would be passed over without a word.
  public static func prepare(_ folder: RunDirectory, resume: Bool, key: String) throws {
    for name in [Pipeline.Files.model, checkpoint, "best.safetensors"] {
      try AtomicFile.requireWritable(folder.file(name))
    }
    let path = folder.file(checkpoint)
    guard resume else {
      unlink(path)
      return
    }
    guard FileManager.default.fileExists(atPath: path) else { return }
    let file = try TensorFile.open(path)
    try file.checkNumerics()
    guard file.metadata["key"] == key else {
      throw TesseraError.input(
        path, found: "a checkpoint of other images, weights or options",
        wanted: "the same as before, or no --resume, which begins anew")
    }
  }
}
