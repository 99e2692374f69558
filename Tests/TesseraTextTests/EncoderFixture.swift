// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import TesseraCompute

@testable import TesseraText

/// A drawn encoder's folder, as people change it, and what becomes of texts with it.
struct EncoderFixture {
  let folder: String

  /// The texts of tools/golden/electra_roberta.py by their lengths in words.
  static func texts(_ last: String) -> [String] {
    [0, 1, 5, 21, 80].map { count in
      let words = TinyEncoder.words
      return (0..<count).map { words[($0 * 7 + $0 / 5) % words.count] }.joined(separator: " ")
    } + [last]
  }

  static func with<Result>(_ family: TinyFamily, _ body: (EncoderFixture) throws -> Result) throws -> Result {
    try withTemporaryFolder { folder in
      try TinyEncoder.write(to: folder, family)
      return try body(EncoderFixture(folder: folder))
    }
  }

  func embed(
    _ texts: [String], on device: any Backend, pooling: SentencePooling = .cls, batch: Int = 64
  ) throws -> [Float] {
    let encoder = try TransformerEncoder(folder: folder, device: device)
    return try Embedder(encoder, states: 0...2, pooling: pooling, batch: batch).embed(texts)
  }

  func bits(_ texts: [String], in folder: String? = nil) throws -> [UInt32] {
    try EncoderFixture(folder: folder ?? self.folder)
      .embed(texts, on: try CPUBackend(threads: 1)).map(\.bitPattern)
  }

  /// The message of a folder that is refused.
  func refusal() -> String {
    do {
      _ = try bits(["a film"])
      return "accepted"
    } catch { return "\(error)".replacingOccurrences(of: folder, with: "") }
  }

  func write(_ value: Any, _ path: String) throws {
    try JSONSerialization.data(withJSONObject: value).write(to: URL(fileURLWithPath: path))
  }

  /// config.json with some keys changed; NSNull takes a key out.
  func configure(_ changes: [String: Any]) throws {
    let path = folder + "/config.json"
    let data = try Data(contentsOf: URL(fileURLWithPath: path))
    let old = try JSONSerialization.jsonObject(with: data) as? [String: Any] ?? [:]
    try write(old.merging(changes) { $1 }.filter { !($0.value is NSNull) }, path)
  }

  /// The weights written again, under other names and beside others; nil leaves a tensor out.
  func rewrite(adding more: [String] = [], name: (String) -> String?) throws {
    let path = folder + "/model.safetensors"
    let file = try TensorFile.open(path)
    var writer = SafetensorsWriter()
    for key in file.names {
      if let name = name(key) { writer.add(name, try file.floats(key), shape: try file.shape(key)) }
    }
    for key in more { writer.add(key, [1] as [Float], shape: [1]) }
    _ = try writer.write(to: path)
  }
}
