// SPDX-License-Identifier: Apache-2.0
import Kernels

/// Attention of whole texts: what two products and a softmax compute, with their bits, without their matrix
/// of scores.
public protocol AttentionBackend: ContractionBackend, SoftmaxBackend {
  /// For every text and head y = softmax(scale q k' + bias by distance) v, over the text's own tokens alone.
  ///
  /// - Parameters:
  ///   - p: the number of tokens in all, the heads, their width, the scale, and the span of the bias.
  ///   - x: (tokens, 3, heads, width): query, key and value of each token, texts one after another.
  ///   - lengths: tokens of each text; their sum is `p.tokens`.
  ///   - bias: (heads, 2 span - 1), distance d = key - query at column span - 1 + d; nil if `p.span` is 0.
  ///   - y: (tokens, heads, width).
  func attention(
    _ p: PackedAttentionParameters, _ x: Tensor, lengths: [Int], bias: Tensor?, into y: Tensor) throws
}

extension AttentionBackend {
  /// The same bits by way of `matmul`, `softmax` or `distanceSoftmax`, and `matmul`, text by text: what
  /// defines `attention`, and what computes it where a row of scores is longer than a chunk.
  public func composedAttention(
    _ p: PackedAttentionParameters, _ x: Tensor, lengths: [Int], bias: Tensor?, into y: Tensor
  ) throws {
    try p.check(x: x, lengths: lengths, bias: bias, y: y)
    guard y.count > 0 else { return }
    var begin = 0
    for length in lengths where length > 0 {
      try composedAttention(p, x, begin: begin, length: length, bias: bias, into: y)
      begin += length
    }
  }

  private func composedAttention(
    _ attention: PackedAttentionParameters, _ x: Tensor, begin: Int, length: Int, bias: Tensor?,
    into y: Tensor
  ) throws {
    let (heads, width) = (Int(attention.heads), Int(attention.width))
    let hidden = heads * width
    let scores = try allocate([heads, length, length], .float32)
    var p = MatmulParameters(m: length, n: length, k: width, transposeB: true)
    (p.a_row_stride, p.b_col_stride) = (Int32(3 * hidden), Int32(3 * hidden))
    (p.batch, p.a_batch_stride, p.b_batch_stride) = (Int32(heads), Int32(width), Int32(width))
    p.c_batch_stride = Int32(length * length)
    (p.a_offset, p.b_offset) = (Int32(begin * 3 * hidden), Int32(begin * 3 * hidden + hidden))
    try matmul(p, x, x, bias: nil, into: scores)
    if let bias {
      let p = AttentionParameters(
        heads: heads, length: length, span: Int(attention.span), scale: attention.scale)
      try distanceSoftmax(p, scores, bias: bias, into: scores)
    } else {
      try softmax(scores, rows: heads * length, columns: length, scale: attention.scale, into: scores)
    }
    p = MatmulParameters(m: length, n: width, k: length)
    (p.b_row_stride, p.c_row_stride) = (Int32(3 * hidden), Int32(hidden))
    (p.batch, p.a_batch_stride, p.b_batch_stride) = (Int32(heads), Int32(length * length), Int32(width))
    p.c_batch_stride = Int32(width)
    (p.b_offset, p.c_offset) = (Int32(begin * 3 * hidden + 2 * hidden), Int32(begin * hidden))
    try matmul(p, scores, x, bias: nil, into: y)
  }
}

extension PackedAttentionParameters {
  /// Texts of `tokens` tokens in all; `span` of a bias by distance, 0 without.
  public init(tokens: Int, heads: Int, width: Int, span: Int = 0, scale: Float) {
    self.init()
    self.tokens = Int32(extent: tokens)
    self.heads = Int32(extent: heads)
    self.width = Int32(extent: width)
    self.span = Int32(extent: span)
    self.scale = scale
  }

  /// Throws unless the texts are the tokens, the span covers them and the tensors have the wanted extents.
  func check(x: Tensor, lengths: [Int], bias: Tensor?, y: Tensor) throws {
    try require(
      "attention", ([x] + (bias.map { [$0] } ?? [])).map { ($0, $0.count) }, into: [(y, y.count)])
    try check(x: x.count, lengths: lengths, bias: bias?.count, y: y.count)
  }

  private func check(x: Int, lengths: [Int], bias: Int?, y: Int) throws {
    let extents = [tokens, heads, width, span].map { Int($0) }
    try requireExtents("attention", extents[0], extents[1], extents[2], 3)
    try requireExtents("attention", extents[1], max(0, 2 * extents[3] - 1))
    guard scale.isFinite, lengths.allSatisfy({ (0...extents[0]).contains($0) }) else {
      throw TesseraError.failure(
        "attention",
        found:
          "texts of \(lengths.max() ?? 0) tokens at most, \(lengths.min() ?? 0) at least, scale \(scale)",
        wanted: "0 to \(extents[0]) tokens each, and a finite scale")
    }
    let longest = lengths.max() ?? 0
    try requireExtents("attention", extents[1], longest, longest)
    let count = extents[0] * extents[1] * extents[2]
    guard extents[3] >= 0,
      lengths.reduce(0, +) == extents[0], x == 3 * count, y == count, (bias == nil) == (span == 0),
      bias == nil || bias == extents[1] * (2 * extents[3] - 1) && extents[3] >= longest
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
    width <= TSR_K_CHUNK && lengths.allSatisfy { $0 <= Int(TSR_K_CHUNK) }
  }

  /// Fused products of both contractions.
  func multiplyAdds(_ lengths: [Int]) -> Int {
    // Texts that are no texts are refused, not counted: no overflow is to trap before.
    lengths.reduce(0) { $0 &+ $1 &* $1 } &* 2 &* Int(heads) &* Int(width)
  }
}
