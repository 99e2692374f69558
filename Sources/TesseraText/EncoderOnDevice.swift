import TesseraCompute

/// An encoder's weights on a device, and the way of texts through its layers.
struct EncoderOnDevice: Sendable {
  let configuration: EncoderConfiguration
  let device: any Backend
  private let weights: EncoderWeights

  /// Reads the weights that a configuration asks for.
  ///
  /// - Throws: `TesseraError` naming the file and tensor that does not fit.
  init(_ file: TensorFile, _ configuration: EncoderConfiguration, device: any Backend) throws {
    (self.configuration, self.device) = (configuration, device)
    weights = try EncoderWeights(file, configuration, device: device)
  }

  /// The hidden states of packed texts: state 0 is the embedding layer's output, state i that of layer i.
  ///
  /// - Parameters:
  ///   - texts: token ids of each text, at most `configuration.positions` of them.
  ///   - last: the last state that is wanted.
  ///   - visit: called with each state's number and tensor (tokens, hidden).
  func hiddenStates(
    _ texts: [[Int32]], upTo last: Int, visit: (Int, Tensor) throws -> Void
  ) throws {
    let c = configuration
    let tokens = texts.reduce(0) { $0 + $1.count }
    guard tokens > 0 else { return }
    let wordIDs = try device.tensor(texts.flatMap { $0 }, [tokens])
    let positionIDs = try device.tensor(texts.flatMap { $0.indices.map { Int32($0) } }, [tokens])
    var x = try empty(tokens, c.hidden)
    let other = try empty(tokens, c.hidden)
    let statistics = (mean: try empty(tokens), rstd: try empty(tokens))
    try device.gatherRows(weights.words, ids: wordIDs, columns: c.hidden, into: x)
    try device.gatherRows(weights.positions, ids: positionIDs, columns: c.hidden, into: other)
    try addAndNormalize(x, other, weights.norm, into: x, statistics)
    try visit(0, x)
    let qkv = try empty(tokens, 3 * c.hidden)
    let attended = try empty(tokens, c.hidden)
    let wide = try empty(tokens, c.intermediate)
    for (index, layer) in weights.layers.enumerated() where index < last {
      try linear(x, layer.qkv, layer.qkvBias, into: qkv)
      var begin = 0
      for text in texts {
        try attend(qkv, begin: begin, length: text.count, into: attended)
        begin += text.count
      }
      try linear(attended, layer.output, layer.outputBias, into: other)
      try addAndNormalize(other, x, layer.attentionNorm, into: x, statistics)
      try linear(x, layer.up, layer.upBias, into: wide, activation: c.activation)
      try linear(wide, layer.down, layer.downBias, into: other)
      let next = try empty(tokens, c.hidden)
      try addAndNormalize(other, x, layer.norm, into: next, statistics)
      x = next
      try visit(index + 1, x)
    }
  }

  private func empty(_ shape: Int...) throws -> Tensor { try device.allocate(shape, .float32) }

  private func linear(
    _ x: Tensor, _ weight: Tensor, _ bias: Tensor, into y: Tensor, activation: String? = nil
  ) throws {
    var p = MatmulParameters(m: x.shape[0], n: weight.shape[0], k: weight.shape[1], transposeB: true)
    p.bias = 1
    p.activation = activation == "gelu" ? 3 : activation == "relu" ? 1 : activation == "tanh" ? 4 : 0
    try device.matmul(p, x, weight, bias: bias, into: y)
  }

  /// y = layer norm of a + b; overwrites a.
  private func addAndNormalize(
    _ a: Tensor, _ b: Tensor, _ norm: EncoderWeights.Norm, into y: Tensor,
    _ statistics: (mean: Tensor, rstd: Tensor)
  ) throws {
    try device.binary(.add, a, b, into: a)
    try device.layerNorm(
      RowsParameters(rows: a.shape[0], columns: configuration.hidden, eps: configuration.eps), a,
      gamma: norm.gamma, beta: norm.beta, into: y, mean: statistics.mean, rstd: statistics.rstd)
  }

  /// softmax(q k' / sqrt(d) + bias by distance) v for every head of one text.
  private func attend(_ qkv: Tensor, begin: Int, length: Int, into y: Tensor) throws {
    let (hidden, heads) = (configuration.hidden, configuration.heads)
    let width = hidden / heads
    let scores = try empty(heads, length, length)
    var p = MatmulParameters(m: length, n: length, k: width, transposeB: true)
    (p.a_row_stride, p.b_col_stride) = (Int32(3 * hidden), Int32(3 * hidden))
    (p.batch, p.a_batch_stride, p.b_batch_stride) = (Int32(heads), Int32(width), Int32(width))
    p.c_batch_stride = Int32(length * length)
    (p.a_offset, p.b_offset) = (Int32(begin * 3 * hidden), Int32(begin * 3 * hidden + hidden))
    try device.matmul(p, qkv, qkv, bias: nil, into: scores)
    let scale = 1 / Float(width).squareRoot()
    if let bias = weights.distanceBias {
      let p = AttentionParameters(heads: heads, length: length, span: configuration.positions, scale: scale)
      try device.distanceSoftmax(p, scores, bias: bias, into: scores)
    } else {
      try device.softmax(scores, rows: heads * length, columns: length, scale: scale, into: scores)
    }
    p = MatmulParameters(m: length, n: width, k: length)
    (p.b_row_stride, p.c_row_stride) = (Int32(3 * hidden), Int32(hidden))
    (p.batch, p.a_batch_stride, p.b_batch_stride) = (Int32(heads), Int32(length * length), Int32(width))
    p.c_batch_stride = Int32(width)
    (p.b_offset, p.c_offset) = (Int32(begin * 3 * hidden + 2 * hidden), Int32(begin * hidden))
    try device.matmul(p, scores, qkv, bias: nil, into: y)
  }
}
