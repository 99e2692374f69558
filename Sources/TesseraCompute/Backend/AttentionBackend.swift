// SPDX-License-Identifier: Apache-2.0
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
    _ p: PackedAttention, _ x: Tensor, lengths: [Int], bias: Tensor?, into y: Tensor) throws
}

extension AttentionBackend {
  /// The same bits by way of `matmul`, `softmax` or `distanceSoftmax`, and `matmul`, text by text: what
  /// defines `attention`, and what computes it where a row of scores is longer than a chunk.
  public func composedAttention(
    _ p: PackedAttention, _ x: Tensor, lengths: [Int], bias: Tensor?, into y: Tensor
  ) throws {
    _ = try p.checked(x: x, lengths: lengths, bias: bias, y: y)
    guard y.count > 0 else { return }
    var begin = 0
    for length in lengths where length > 0 {
      try composedAttention(p, x, begin: begin, length: length, bias: bias, into: y)
      begin += length
    }
  }

  private func composedAttention(
    _ attention: PackedAttention, _ x: Tensor, begin: Int, length: Int, bias: Tensor?,
    into y: Tensor
  ) throws {
    let (heads, width) = (attention.heads, attention.width)
    let hidden = heads * width
    let scores = try allocate([heads, length, length], .float32)
    var p = Matmul(m: length, n: length, k: width, transposeB: true)
    p.batch = heads
    (p.a.offset, p.a.rowStride, p.a.batchStride) = (begin * 3 * hidden, 3 * hidden, width)
    (p.b.offset, p.b.columnStride, p.b.batchStride) = (begin * 3 * hidden + hidden, 3 * hidden, width)
    p.c.batchStride = length * length
    try matmul(p, x, x, bias: nil, into: scores)
    if let bias {
      let p = AttentionScores(heads: heads, length: length, span: attention.span, scale: attention.scale)
      try distanceSoftmax(p, scores, bias: bias, into: scores)
    } else {
      try softmax(scores, rows: heads * length, columns: length, scale: attention.scale, into: scores)
    }
    p = Matmul(m: length, n: width, k: length)
    (p.batch, p.a.batchStride) = (heads, length * length)
    (p.b.offset, p.b.rowStride, p.b.batchStride) = (begin * 3 * hidden + 2 * hidden, 3 * hidden, width)
    (p.c.offset, p.c.rowStride, p.c.batchStride) = (begin * hidden, hidden, width)
    try matmul(p, scores, x, bias: nil, into: y)
  }
}
