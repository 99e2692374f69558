// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

/// An encoder's weights on a device, and the way of texts through its layers.
struct EncoderOnDevice: Sendable {
  let configuration: EncoderConfiguration
  let device: any Backend
  /// What linear layers are sums of.
  private let products: Products
  private let weights: EncoderWeights

  /// Reads the weights that a configuration asks for.
  ///
  /// - Throws: `TesseraError` naming the file and tensor that does not fit.
  init(
    _ tensors: TensorSelection, _ configuration: EncoderConfiguration, device: any Backend, products: Products
  ) throws {
    (self.configuration, self.device, self.products) = (configuration, device, products)
    weights = try EncoderWeights(tensors, configuration, device: device)
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
    let positionIDs = try device.tensor(texts.flatMap(c.family.encoder.positions), [tokens])
    let statistics = (mean: try device.empty(tokens), rstd: try device.empty(tokens))
    var x = try embeddings(wordIDs, positionIDs, statistics)
    try visit(0, x)
    let other = try device.empty(tokens, c.hidden)
    let qkv = try device.empty(tokens, 3 * c.hidden)
    let attended = try device.empty(tokens, c.hidden)
    let wide = try device.empty(tokens, c.intermediate)
    let width = c.hidden / c.heads
    let attention = PackedAttention(
      tokens: tokens, heads: c.heads, width: width, span: weights.distanceBias == nil ? 0 : c.positions,
      scale: 1 / Float(width).squareRoot())
    for (index, layer) in weights.layers.enumerated() where index < last {
      try linear(x, layer.qkv, layer.qkvBias, into: qkv)
      try device.attention(
        attention, qkv, lengths: texts.map(\.count), bias: weights.distanceBias, into: attended)
      try linear(attended, layer.output, layer.outputBias, into: other)
      try addAndNormalize(other, x, layer.attentionNorm, into: x, statistics)
      try linear(x, layer.up, layer.upBias, into: wide, activation: c.activation)
      try linear(wide, layer.down, layer.downBias, into: other)
      let next = try device.empty(tokens, c.hidden)
      try addAndNormalize(other, x, layer.norm, into: next, statistics)
      x = next
      try visit(index + 1, x)
    }
  }

  /// The embedding layer's output (tokens, hidden): words and positions, normalised and widened.
  private func embeddings(
    _ words: Tensor, _ positions: Tensor, _ statistics: (mean: Tensor, rstd: Tensor)
  ) throws -> Tensor {
    let (tokens, width) = (words.shape[0], configuration.embedding)
    let x = try device.empty(tokens, width)
    let other = try device.empty(tokens, width)
    try device.gatherRows(weights.words, ids: words, columns: width, into: x)
    try device.gatherRows(weights.positions, ids: positions, columns: width, into: other)
    try addAndNormalize(x, other, weights.norm, into: x, statistics)
    guard let projection = weights.projection else { return x }
    let wide = try device.empty(tokens, configuration.hidden)
    try linear(x, projection.weight, projection.bias, into: wide)
    return wide
  }

  private func linear(
    _ x: Tensor, _ weight: Tensor, _ bias: Tensor, into y: Tensor, activation: FusedActivation = .none
  ) throws {
    var p = Matmul(m: x.shape[0], n: weight.shape[0], k: weight.shape[1], transposeB: true)
    (p.bias, p.activation, p.products) = (.column, activation, products)
    try device.matmul(p, x, weight, bias: bias, into: y)
  }

  /// y = layer norm of a + b; overwrites a.
  private func addAndNormalize(
    _ a: Tensor, _ b: Tensor, _ norm: EncoderWeights.Norm, into y: Tensor,
    _ statistics: (mean: Tensor, rstd: Tensor)
  ) throws {
    try device.binary(.add, a, b, into: a)
    try device.layerNorm(
      LayerNormalization(rows: a.shape[0], columns: a.shape[1], eps: configuration.eps), a,
      gamma: norm.gamma, beta: norm.beta, into: y, mean: statistics.mean, rstd: statistics.rstd)
  }
}
