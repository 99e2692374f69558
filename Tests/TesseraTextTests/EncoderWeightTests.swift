// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import TesseraCompute
import Testing

@testable import TesseraText

/// An encoder's weights as people save them give the same features, or a refusal that says why.
@Suite struct EncoderWeightTests {
  private let texts = ["a good film", "the plot was dull , very dull !", "it"]

  private func features(_ folder: String) throws -> (values: [UInt32], notes: [String]) {
    let encoder = try TransformerEncoder(folder: folder, device: try CPUBackend(threads: 1))
    let values = try Embedder(encoder, states: 0...2).embed(texts).map(\.bitPattern)
    return (values, encoder.weightNotes)
  }

  private func refusal(_ folder: String) -> String {
    do {
      _ = try features(folder)
      return "accepted"
    } catch { return "\(error)".replacingOccurrences(of: folder, with: "") }
  }

  /// The tensors of an encoder's file, to be written again.
  private struct Weights {
    var tensors: [String: (values: [Float], shape: [Int])] = [:]

    init(_ path: String) throws {
      let file = try TensorFile.open(path)
      for name in file.names { tensors[name] = (try file.floats(name), try file.shape(name)) }
    }

    func write(_ path: String, only: (String) -> Bool = { _ in true }, name: (String) -> String = { $0 })
      throws
    {
      var writer = SafetensorsWriter()
      for (key, tensor) in tensors where only(key) {
        writer.add(name(key), tensor.values, shape: tensor.shape)
      }
      _ = try writer.write(to: path)
    }
  }

  /// A drawn encoder in a folder: its features, its weights and the path of their file.
  private func withEncoder(
    _ family: TinyFamily = .bert, _ body: (String, Weights, String, [UInt32]) throws -> Void
  ) throws {
    try withTemporaryFolder { folder in
      try TinyEncoder.write(to: folder, family)
      let path = folder + "/model.safetensors"
      let plain = try features(folder)
      #expect(plain.notes.isEmpty)
      try body(folder, try Weights(path), path, plain.values)
    }
  }

  @Test(arguments: TinyFamily.allCases) func prefixesChangeNoBitAndAreTold(_ family: TinyFamily) throws {
    try withEncoder(family) { folder, weights, path, plain in
      for prefix in [
        "module.", "model.", "0.auto_model.", "bert.", "mpnet.", "distilbert.", "encoder.",
        "module._orig_mod.bert.", "backbone.",
      ] {
        try weights.write(path, name: { prefix + $0 })
        let found = try features(folder)
        #expect(found.values == plain, "\(prefix)")
        #expect(found.notes == ["\(path): the prefix \"\(prefix)\" is taken off the names"])
      }
      // Files converted from TensorFlow.
      try weights.write(
        path,
        name: {
          $0.replacingOccurrences(of: "LayerNorm.weight", with: "LayerNorm.gamma").replacingOccurrences(
            of: "LayerNorm.bias", with: "LayerNorm.beta")
        })
      #expect(try features(folder).values == plain)
    }
  }

  @Test func shardsGiveTheSameAndAreFilesOfTheEncoder() throws {
    try withEncoder { folder, weights, path, plain in
      try FileManager.default.removeItem(atPath: path)
      let names = weights.tensors.keys.sorted()
      var map: [String: String] = [:]
      for (place, name) in names.enumerated() { map[name] = "part-\(place % 3).safetensors" }
      for part in Set(map.values) { try weights.write("\(folder)/\(part)", only: { map[$0] == part }) }
      try JSONSerialization.data(withJSONObject: ["weight_map": map]).write(
        to: URL(fileURLWithPath: path + ".index.json"))
      #expect(try features(folder).values == plain)
      #expect(
        try EncoderFolder(folder).files == [
          "config.json", "vocab.txt", "model.safetensors.index.json", "part-0.safetensors",
          "part-1.safetensors",
          "part-2.safetensors",
        ])
      try FileManager.default.removeItem(atPath: folder + "/part-1.safetensors")
      #expect(
        refusal(folder).hasPrefix("/model.safetensors.index.json: found no part-1.safetensors beside it"))
    }
  }

  @Test func whatAnEncoderDoesNotHaveIsRefused() throws {
    try withEncoder { folder, weights, path, plain in
      var other = weights
      for name in [
        "encoder.layer.0.attention.self.distance_embedding.weight",
        "encoder.layer.1.output.adapter.down.weight",
        "encoder.layer.0.crossattention.self.query.weight",
        "encoder.layer.0.attention.self.query.lora_A.weight",
      ] {
        other.tensors = weights.tensors
        other.tensors[name] = ([1], [1])
        try other.write(path)
        #expect(refusal(folder).contains("found \(name), which a bert does not have"), "\(name)")
      }
      // Heads, poolers and layers after the last are left; the last of these is told.
      other.tensors = weights.tensors
      for name in ["pooler.dense.weight", "cls.predictions.bias", "encoder.layer.2.output.dense.bias"] {
        other.tensors[name] = ([1], [1])
      }
      try other.write(path)
      let found = try features(folder)
      #expect(found.values == plain)
      #expect(
        found.notes == ["\(path): holds more layers than the 2 of config.json; those after them are left"])
    }
  }

  @Test func twoEncodersInOneFileAreRefused() throws {
    try withEncoder { folder, weights, path, _ in
      var both = weights
      both.tensors = [:]
      for (name, tensor) in weights.tensors {
        both.tensors["query_model." + name] = tensor
        both.tensors["ctx_model." + name] = (tensor.values.map { $0 + 1 }, tensor.shape)
      }
      try both.write(path)
      #expect(refusal(folder).contains("different weights that fit under \"ctx_model.\", \"query_model.\""))
    }
  }

  @Test func weightsThatAreNotFiniteAreRefused() throws {
    for name in ["embeddings.position_embeddings.weight", "encoder.layer.1.output.dense.weight"] {
      try withEncoder { folder, weights, path, _ in
        var bad = weights
        bad.tensors[name]?.values[7] = .nan
        try bad.write(path)
        #expect(refusal(folder).contains("\(name): found 1 of "), "\(refusal(folder))")
        #expect(refusal(folder).hasSuffix("NaN or infinite, the first at 7, wanted finite weights"))
      }
    }
  }

  @Test func weightsOfOtherProgramsAreNamed() throws {
    try withEncoder { folder, _, path, _ in
      try FileManager.default.removeItem(atPath: path)
      try Data().write(to: URL(fileURLWithPath: folder + "/tf_model.h5"))
      #expect(
        refusal(folder).hasPrefix("/model.safetensors: found no readable file; the folder has tf_model.h5"))
      for (name, bytes, found) in [
        ("model.safetensors", Data("version https://git-lfs.github.com/spec/v1\n".utf8), "a Git LFS pointer"),
        ("model.safetensors", Data("<html><title>Sign in</title>".utf8), "an HTML page (Sign in)"),
        ("model.safetensors", Data([0x89] + "HDF\r\n\u{1a}\n".utf8), "an HDF5 file"),
        ("config.json", Data("version https://git-lfs.github.com/spec/v1\n".utf8), "a Git LFS pointer"),
        ("vocab.txt", Data("<!doctype html>".utf8), "an HTML page"),
      ] {
        let old = FileManager.default.contents(atPath: "\(folder)/\(name)")
        try bytes.write(to: URL(fileURLWithPath: "\(folder)/\(name)"))
        #expect(refusal(folder).hasPrefix("/\(name): found \(found)"), "\(refusal(folder))")
        try old?.write(to: URL(fileURLWithPath: "\(folder)/\(name)"))
      }
    }
  }
}
