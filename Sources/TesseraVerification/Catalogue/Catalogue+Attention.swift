// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

extension Catalogue {
  /// Heads, length, span of the bias.
  private static let distanceShapes = [
    (0, 3, 4), (3, 0, 1), (1, 1, 1), (2, 2, 2), (3, 2, 7), (5, 31, 32), (1, 63, 64), (2, 64, 64), (3, 65, 97),
    (1, 127, 127), (1, 129, 512),
  ]

  /// Softmax of attention scores with a bias by distance.
  static var distanceSoftmaxCases: [CatalogueCase] { distanceShapes.map { distanceSoftmax($0, $1, $2) } }

  @inline(never)
  static func distanceSoftmax(_ heads: Int, _ length: Int, _ span: Int) -> CatalogueCase {
    CatalogueCase("distanceSoftmax", "\(heads)x\(length)x\(length), span \(span)") { device in
      var inputs = CaseInputs(seed: 45)
      let p = AttentionScores(heads: heads, length: length, span: span, scale: 0.176_776_7)
      let x = try device.tensor(inputs.floats(heads * length * length, -30, 30), [heads, length, length])
      let bias = try device.tensor(inputs.floats(heads * (2 * span - 1), -5, 5), [heads, 2 * span - 1])
      let y = try device.empty(heads, length, length)
      try device.distanceSoftmax(p, x, bias: bias, into: y)
      return [try device.output("y", y)]
    }
  }

  /// Attention of texts: lengths off by one of the 64 lanes and of every tile, heads of any width, and of
  /// several texts.
  @_optimize(none)
  static var attentionCases: [CatalogueCase] {
    let lengths = [
      [], [0], [1], [2, 0, 1], [7, 8, 9], [13, 14, 15], [16, 17], [31, 32, 33], [3, 47, 48, 49],
      [63, 64, 65],
      [97, 5], [127], [129],
    ]
    return lengths.flatMap { lengths in [0, 1].map { attention(lengths, heads: 3, width: 8, bias: $0 == 1) } }
      + [0, 1, 3, 7, 13, 15, 16, 17, 28, 29, 31, 32, 33, 64, 65].map {
        attention([21, 2], heads: 2, width: $0, bias: $0 % 2 == 1)
      }
      + [
        attention([5, 19], heads: 0, width: 4), attention([33, 70], heads: 12, width: 32),
        attention([70, 33], heads: 12, width: 64, bias: true), attention([511], heads: 1, width: 32),
        attention([512], heads: 2, width: 32), attention([512, 1], heads: 1, width: 33, bias: true),
        // Sums of more than one chunk.
        attention([513, 2], heads: 1, width: 5, bias: true), attention([9, 4], heads: 1, width: 513),
        attention([40, 3], heads: 2, width: 16, specials: true),
        attention([40, 67], heads: 2, width: 5, bias: true, specials: true),
        attention([66, 5], heads: 2, width: 8, masked: true),
        // A GPU's blocks of 64, 32 and 16 queries, whole and not, and both numbers of columns.
        attention([64, 128], heads: 2, width: 32), attention([200, 131], heads: 1, width: 64, bias: true),
        attention([256], heads: 1, width: 7), attention([257], heads: 1, width: 128),
        // Shares that are zero, denormal or hardly anything.
        attention([300, 60, 3], heads: 2, width: 8, bias: true, spread: 12),
        attention([140], heads: 3, width: 4, spread: 9),
        // Small enough for a simulator: a second slice of width, a second block of a GPU's keys or queries.
        attention([5], heads: 1, width: 17), attention([129], heads: 1, width: 1, bias: true, small: true),
        attention([66], heads: 1, width: 4, small: true),
        attention([6, 3], heads: 2, width: 5, specials: true),
        attention([41], heads: 1, width: 4, spread: 10, small: true),
        // The same where they count: columns of y are such shares.
        attention([300, 70], heads: 2, width: 32, bias: true, spread: 1, vanishing: true),
        attention([40], heads: 1, width: 8, spread: 1, vanishing: true, small: true),
      ]
  }

  /// - Parameters:
  ///   - specials: every special value among queries, keys and values.
  ///   - masked: a bias of -infinity for keys after the query, and a first query that sees none.
  ///   - spread: how large queries, keys and values are; from 5 on, exponentials of most scores vanish.
  ///   - vanishing: column w of y is the share of the text's key w, which has a score of 60 to 105 less
  ///     than others.
  @inline(never)
  static func attention(
    _ lengths: [Int], heads: Int, width: Int, bias: Bool = false, specials: Bool = false,
    masked: Bool = false, spread: Float = 2, vanishing: Bool = false, small: Bool = false
  ) -> CatalogueCase {
    let tokens = lengths.reduce(0, +)
    let hasBias = bias || masked
    let label =
      "\(lengths) heads \(heads) width \(width)\(bias ? " bias" : "")\(specials ? " specials" : "")"
      + (masked ? " masked" : "") + (spread == 2 ? "" : " spread \(spread)") + (vanishing ? " vanishing" : "")
    let work = 2 * heads * width * lengths.reduce(0) { $0 + $1 * $1 }
    return CatalogueCase("attention", label, work: work, small: small) { device in
      var inputs = CaseInputs(seed: UInt64(tokens * 31 + width))
      let span = hasBias ? (lengths.max() ?? 0) + 3 : 0
      let p = PackedAttention(
        tokens: tokens, heads: heads, width: width, span: span, scale: 0.353_553_4)
      let count = 3 * tokens * heads * width
      var values = specials ? inputs.withSpecials(count) : inputs.floats(count, -spread, spread)
      if vanishing { vanish(&values, lengths, heads, width, &inputs) }
      let x = try device.tensor(values, [tokens, 3, heads, width])
      let columns = max(0, 2 * span - 1)
      let distances = inputs.floats(heads * columns, -5, 5).enumerated().map { index, value in
        masked && index % columns >= span - 1 ? -Float.infinity : value
      }
      let table = hasBias ? try device.tensor(distances, [heads, columns]) : nil
      let y = try device.empty(tokens, heads, width)
      try device.attention(p, x, lengths: lengths, bias: table, into: y)
      return [try device.output("y", y)]
    }
  }

  /// Queries begin with 10, keys of the first tokens of a text with a large negative number, those of
  /// others with 0; values are the identity. A score is 0.35 of the product.
  private static func vanish(
    _ x: inout [Float], _ lengths: [Int], _ heads: Int, _ width: Int, _ inputs: inout CaseInputs
  ) {
    var token = 0
    for length in lengths {
      for key in 0..<length {
        for head in 0..<heads {
          let query = (token * 3 * heads + head) * width
          x[query] = 10
          x[query + heads * width] = key < width ? inputs.floats(1, -30, -17)[0] : 0
          for w in 0..<width { x[query + 2 * heads * width + w] = w == key ? 1 : 0 }
        }
        token += 1
      }
    }
  }
}
