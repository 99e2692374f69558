// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

extension Variable {
  /// Attention (Vaswani et al. 2017): softmax(q k^T / sqrt(width)) v.
  ///
  /// - Parameters:
  ///   - key: (..., keys, width) for this (..., queries, width).
  ///   - value: (..., keys, columns).
  ///   - mask: broadcasts to (..., queries, keys): where it is 0, a query does not see a key. A query that
  ///     sees none sees all alike.
  /// - Returns: (..., queries, columns).
  /// - Throws: `TesseraError` for shapes that do not fit.
  public func attention(key: Variable, value: Variable, mask: Variable? = nil) throws -> Variable {
    let context = try Context.of([self, key, value], "attention")
    guard let width = shape.last, width > 0, shape.count >= 2, key.shape.count >= 2, value.shape.count >= 2
    else {
      throw TesseraError.failure(
        "attention", found: "\(shape), \(key.shape) and \(value.shape)",
        wanted: "(..., queries, width), (..., keys, width) and (..., keys, columns)")
    }
    let scaled = try context.affine(self, scale: 1 / Float(width).squareRoot())
    var scores = try scaled.matmul(try key.transposed())
    if let mask {
      let lowest = try context.constant(-Float.greatestFiniteMagnitude)
      scores = try context.select(try context(mask), scores, lowest)
    }
    return try scores.softmax().matmul(value)
  }
}

/// Multi-head self-attention, with PyTorch's names of state (`nn.MultiheadAttention`).
public final class MultiHeadAttention: Module {
  private let inWeight: Parameter, inBias: Parameter
  private let outWeight: Parameter, outBias: Parameter
  private let heads: Int, isCausal: Bool

  /// A layer: weights Xavier-uniform, biases 0, as PyTorch's.
  ///
  /// - Parameters:
  ///   - width: of a token, which the heads divide.
  ///   - heads: how many.
  ///   - causal: whether a token sees itself and those before it alone.
  ///   - initializer: draws the weights.
  /// - Throws: `TesseraError` for a width that the heads do not divide.
  public init(_ width: Int, heads: Int, causal: Bool = false, _ initializer: Initializer) throws {
    guard width >= 1, heads >= 1, width % heads == 0, width <= Int(Int32.max) / 3 else {
      throw TesseraError.failure(
        "MultiHeadAttention", found: "width \(width) in \(heads) heads",
        wanted: "a width that the heads divide")
    }
    inWeight = try initializer.xavierUniform([3 * width, width], gain: 1)
    inBias = try initializer.constant([3 * width], 0)
    outWeight = try initializer.xavierUniform([width, width], gain: 1)
    outBias = try initializer.constant([width], 0)
    (self.heads, isCausal) = (heads, causal)
  }

  public func callAsFunction(_ x: Variable, _ context: Context) throws -> Variable {
    try callAsFunction(x, mask: nil, context)
  }

  /// Attention of tokens to each other.
  ///
  /// - Parameters:
  ///   - x: (batch, tokens, width).
  ///   - mask: (batch, tokens): where it is 0, nobody sees the token, such as padding.
  ///   - context: where to compute.
  /// - Returns: (batch, tokens, width).
  /// - Throws: `TesseraError` for other shapes.
  public func callAsFunction(_ x: Variable, mask: Variable?, _ context: Context) throws -> Variable {
    let width = outBias.value.count
    guard x.shape.count == 3, x.shape[2] == width, mask == nil || mask?.shape == [x.shape[0], x.shape[1]]
    else {
      throw TesseraError.failure(
        "MultiHeadAttention", found: "\(x.shape) and a mask \(mask?.shape ?? [])",
        wanted: "(batch, tokens, \(width)) and (batch, tokens)")
    }
    let (batch, tokens) = (x.shape[0], x.shape[1])
    let all = try context.linear(x, weight: inWeight.leaf(), bias: inBias.leaf())
    let each = try context.attentionHeads(all, heads: heads)
    let y = try each[0].attention(key: each[1], value: each[2], mask: try seen(mask, tokens, context))
    let joined = try context.reshape(try context.permute(y, [0, 2, 1, 3]), [batch, tokens, width])
    return try context.linear(joined, weight: outWeight.leaf(), bias: outBias.leaf())
  }

  /// What queries see, of (batch, heads, queries, keys).
  private func seen(_ mask: Variable?, _ tokens: Int, _ context: Context) throws -> Variable? {
    let keys = try mask.map { try context.reshape($0, [$0.shape[0], 1, 1, tokens]) }
    guard isCausal else { return keys }
    _ = try Tensor.elementCount([tokens, tokens], "MultiHeadAttention")
    let places = try context.device.tensor((0..<tokens).map { Float($0) }, [tokens])
    let earlier = context.variable(
      try context.device.combined(.lessOrEqual, places, try places.reshaped([tokens, 1])))
    return try keys.map { try context.combine(.multiply, $0, earlier) } ?? earlier
  }

  public var state: [(name: String, state: ModuleState)] {
    [
      ("in_proj_weight", .parameter(inWeight)), ("in_proj_bias", .parameter(inBias)),
      ("out_proj.weight", .parameter(outWeight)), ("out_proj.bias", .parameter(outBias)),
    ]
  }
}
