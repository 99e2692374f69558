// SPDX-License-Identifier: Apache-2.0
internal import Kernels

/// Attention scores (heads, length, length), queries by keys, with a bias by distance.
public struct AttentionScores: Codable, Hashable, Sendable {
  /// Heads.
  public var heads: Int
  /// Tokens of the text.
  public var length: Int
  /// Distances below it have a bias: (heads, 2 span - 1), distance d = key - query at column span - 1 + d.
  public var span: Int
  /// What scores are multiplied by.
  public var scale: Float

  /// Scores of `heads` heads over a text of `length` tokens, a bias for distances below `span`.
  public init(heads: Int, length: Int, span: Int, scale: Float) {
    (self.heads, self.length, self.span, self.scale) = (heads, length, span, scale)
  }

  /// The kernels' parameters. Throws unless extents make sense, the span covers the text, and the scale is
  /// finite.
  func checked(_ place: String) throws -> tsr_attention_params {
    guard span >= max(1, length) else {
      throw TesseraError.failure(place, found: "a span of \(span)", wanted: "\(max(1, length)) or more")
    }
    try requireExtents(place, heads, length, length)
    try FieldCheck(place: place).require("a span of", span, in: 1...FieldCheck.most / 2)
    try requireExtents(place, heads, 2 * span - 1)
    try requireScale(place, scale)
    return tsr_attention_params(self)
  }
}

/// Attention (Vaswani et al. 2017, section 3.2) of whole texts packed one after another.
public struct PackedAttention: Codable, Hashable, Sendable {
  /// Tokens of all texts.
  public var tokens: Int
  /// Heads.
  public var heads: Int
  /// Numbers of a head: of its query, key and value each.
  public var width: Int
  /// Distances below it have a bias (`AttentionScores.span`); 0 without.
  public var span: Int
  /// What scores are multiplied by.
  public var scale: Float

  /// Texts of `tokens` tokens in all; `span` of a bias by distance, 0 without.
  public init(tokens: Int, heads: Int, width: Int, span: Int = 0, scale: Float) {
    (self.tokens, self.heads, self.width, self.span, self.scale) = (tokens, heads, width, span, scale)
  }

  /// The kernels' parameters. Throws unless the texts are the tokens, the span covers them and the tensors
  /// have the wanted extents.
  func checked(x: Tensor, lengths: [Int], bias: Tensor?, y: Tensor) throws -> tsr_packed_attention_params {
    try require(
      "attention", ([x] + (bias.map { [$0] } ?? [])).map { ($0, $0.count) }, into: [(y, y.count)])
    try check(x: x.count, lengths: lengths, bias: bias?.count, y: y.count)
    return tsr_packed_attention_params(self)
  }

  private func check(x: Int, lengths: [Int], bias: Int?, y: Int) throws {
    try FieldCheck(place: "attention").require("a span of", span, in: 0...FieldCheck.most / 2)
    try requireExtents("attention", tokens, heads, width, 3)
    try requireExtents("attention", heads, max(0, 2 * span - 1))
    guard scale.isFinite, lengths.allSatisfy({ (0...tokens).contains($0) }) else {
      throw TesseraError.failure(
        "attention",
        found:
          "texts of \(lengths.max() ?? 0) tokens at most, \(lengths.min() ?? 0) at least, scale \(scale)",
        wanted: "0 to \(tokens) tokens each, and a finite scale")
    }
    let longest = lengths.max() ?? 0
    try requireExtents("attention", heads, longest, longest)
    let count = tokens * heads * width
    guard lengths.reduce(0, +) == tokens, x == 3 * count, y == count, (bias == nil) == (span == 0),
      bias == nil || bias == heads * (2 * span - 1) && span >= longest
    else {
      throw TesseraError.failure(
        "attention",
        found:
          "x \(x), y \(y), bias \(bias ?? 0) elements, texts of \(lengths.reduce(0, &+)), at most \(longest)",
        wanted: "what \(self) needs")
    }
  }

  /// Whether every sum is one chain (NUMERICS.md rule 4), as all encoders' are: what the kernels without a
  /// matrix of scores are made for.
  func isOneChunk(_ lengths: [Int]) -> Bool {
    width <= Int(TSR_K_CHUNK) && lengths.allSatisfy { $0 <= Int(TSR_K_CHUNK) }
  }

  /// Fused products of both contractions.
  func multiplyAdds(_ lengths: [Int]) -> Int {
    // Texts that are no texts are refused, not counted: no overflow is to trap before.
    lengths.reduce(0) { $0 &+ $1 &* $1 } &* 2 &* heads &* width
  }
}
