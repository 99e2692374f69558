// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

/// Attention of a batch of texts, in one piece and by way of its matrices of scores.
extension Benchmark {
  static var attentions: [Item] {
    [(1, 512, 12, 32), (15, 268, 12, 32), (64, 40, 12, 32), (15, 268, 12, 64)].flatMap { shape in
      ["attention", "attentionComposed"].map { attention($0, shape.0, shape.1, shape.2, shape.3) }
    }
  }

  /// `attention`, or `attentionComposed`: two products and a softmax, text by text.
  static func attention(_ kernel: String, _ texts: Int, _ length: Int, _ heads: Int, _ width: Int) -> Item {
    let (tokens, scores) = (texts * length, Double(texts * heads) * Double(length * length))
    return Item(
      kernel: kernel, label: "\(texts)x\(length)x\(heads)x\(width)",
      // A softmax's element counts as in `row`.
      operations: scores * Double(4 * width + 25), bytes: 16 * Double(tokens * heads * width)
    ) { device in
      var inputs = SplitMix64(seed: 14)
      let x = try device.tensor(inputs.floats(3 * tokens * heads * width), [tokens, 3, heads, width])
      let y = try device.empty(tokens, heads, width)
      let lengths = [Int](repeating: length, count: texts)
      let p = PackedAttention(tokens: tokens, heads: heads, width: width, scale: 0.176_776_7)
      guard kernel == "attention" else {
        return ({ try device.composedAttention(p, x, lengths: lengths, bias: nil, into: y) }, y)
      }
      return ({ try device.attention(p, x, lengths: lengths, bias: nil, into: y) }, y)
    }
  }
}
