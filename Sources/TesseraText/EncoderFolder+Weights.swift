// SPDX-License-Identifier: Apache-2.0
import Foundation
import TesseraCompute

extension EncoderFolder {
  /// Names of weights, whole or as an index of several files, the preferred first, as Hugging Face prefers
  /// them.
  private static let weightNames = [
    "model.safetensors", "model.safetensors.index.json", "pytorch_model.bin", "pytorch_model.bin.index.json",
  ]

  /// Endings of names of weights, also of those that are not read: to say what lies in the folder.
  private static let otherEndings = [
    ".h5", ".msgpack", ".onnx", ".gguf", ".ggml", ".index", ".safetensors", ".bin", ".pt", ".pth", ".ckpt",
  ]

  /// Opens the weights.
  ///
  /// - Throws: `TesseraError` for weights that cannot be read, and where there are none, naming what else
  ///   lies there.
  func weights() throws -> TensorFile {
    if let name = Self.weightNames.first(where: contains) {
      return name.hasSuffix(".index.json")
        ? try ShardIndex(file(name)).open() : try TensorFile.open(file(name))
    }
    let others = ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).ordered().filter {
      name in
      name == "onnx" || Self.otherEndings.contains { name.hasSuffix($0) }
    }
    let beside = others.isEmpty ? "" : "; the folder has \(others.prefix(3).joined(separator: ", "))"
    throw TesseraError.input(
      file(Self.weightNames[0]), found: "no readable file\(beside)",
      wanted: "model.safetensors or pytorch_model.bin, whole or in parts with their .index.json")
  }

  /// The names of all files that the weights consist of: with an index, it and the files that it names.
  func weightFiles() throws -> [String] {
    guard let first = Self.weightNames.first(where: contains), first.hasSuffix(".index.json") else {
      return Self.weightNames.filter { !$0.hasSuffix(".index.json") && contains($0) }
    }
    return [first] + (try ShardIndex(file(first)).shards)
  }
}
