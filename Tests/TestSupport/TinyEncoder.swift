// SPDX-License-Identifier: Apache-2.0
import Foundation
import TesseraCompute

/// An encoder of 2 layers by 32 with drawn weights, and reviews to go with it: the whole pipeline in a
/// second.
public enum TinyEncoder {
  /// The vocabulary after the special tokens.
  public static let words = [
    "a", "film", "the", "was", "it", "good", "great", "fine", "superb", "bad", "awful", "dull", "poor", "and",
    "very",
    "plot", "cast", ".", ",", "!",
  ]
  private static let hidden = 32, wide = 64, heads = 4, layers = 2

  /// Writes config.json, the vocabulary and model.safetensors of a BERT, or of the encoders that
  /// tools/golden/mpnet.py, distilbert.py and electra_roberta.py draw too.
  public static func write(to folder: String, _ family: TinyFamily = .bert) throws {
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    let (tokens, files) = family.files(words: words)
    var config = family.configuration(layers: layers, hidden: hidden, heads: heads, wide: wide)
    config["model_type"] = family.rawValue
    config["vocab_size"] = tokens
    config["max_position_embeddings"] = family.positions
    func url(_ name: String) -> URL { URL(fileURLWithPath: folder).appendingPathComponent(name) }
    try JSONSerialization.data(withJSONObject: config).write(to: url("config.json"))
    for (name, text) in files { try Data(text.utf8).write(to: url(name)) }
    var writer = SafetensorsWriter()
    var seed: UInt64 = 900
    func add(_ name: String, _ shape: [Int], _ low: Float = -0.4, _ high: Float = 0.4) {
      seed += 1
      writer.add(name, drawn(seed, shape.reduce(1, *), low, high), shape: shape)
    }
    func norm(_ name: String, _ width: Int) {
      add(name + ".weight", [width], 0.5, 1.5)
      add(name + ".bias", [width])
    }
    func linear(_ name: String, _ outs: Int, _ ins: Int) {
      add(name + ".weight", [outs, ins])
      add(name + ".bias", [outs])
    }
    let width = family.embedding ?? hidden
    add("embeddings.word_embeddings.weight", [tokens, width], -1, 1)
    add("embeddings.position_embeddings.weight", [family.positions, width], -0.1, 0.1)
    if family.types > 0 { add("embeddings.token_type_embeddings.weight", [family.types, width]) }
    norm("embeddings.LayerNorm", width)
    if family.embedding != nil { linear("embeddings_project", hidden, width) }
    for layer in 0..<layers {
      let names = family.layer.map { "\(family.layers).\(layer).\($0)" }
      for name in names[..<4] { linear(name, hidden, hidden) }
      norm(names[4], hidden)
      linear(names[5], wide, hidden)
      linear(names[6], hidden, wide)
      norm(names[7], hidden)
    }
    if family == .mpnet { add("encoder.relative_attention_bias.weight", [32, heads], -2, 2) }
    _ = try writer.write(to: url("model.safetensors").path)
  }

  /// Reviews as CSV (review,sentiment) whose words tell the class.
  public static func reviews(_ count: Int, seed: UInt64 = 1) -> String {
    let numbers = drawn(seed, count * 8, 0, 1)
    var text = "review,sentiment\n"
    for row in 0..<count {
      let positive = row * 5 % 7 % 2 == 0
      let opinions = positive ? words[5..<9] : words[9..<13]
      let filler = words[0..<5] + words[13..<17]
      var review: [String] = []
      for (i, number) in numbers[row * 8..<row * 8 + 8].enumerated() {
        let list = i % 3 == 1 ? Array(opinions) : Array(filler)
        review.append(list[Int(number * Float(list.count))])
      }
      text += "\"\(review.joined(separator: " ")).\",\(positive ? "positive" : "negative")\n"
    }
    return text
  }
}
