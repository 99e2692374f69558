// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

/// A block of a transformer's encoder (Vaswani et al. 2017): attention and two linear layers, each with a
/// residual connection and a layer norm. State is named as that of PyTorch's `nn.TransformerEncoderLayer`.
public final class TransformerEncoderBlock: Module {
  private let attention: MultiHeadAttention
  private let first: Linear, second: Linear
  private let norms: [LayerNorm]
  private let activation: UnaryOperation, dropout: Float, normFirst: Bool

  /// A block.
  ///
  /// - Parameters:
  ///   - width: of a token, which the heads divide.
  ///   - heads: of the attention.
  ///   - hidden: the width between the two linear layers; four times that of a token, unless given.
  ///   - activation: between them.
  ///   - dropout: of what is added to the residual connections, in training.
  ///   - normFirst: whether layer norms come before attention and linear layers (Xiong et al. 2020), or after
  ///     the sums.
  ///   - causal: whether a token sees itself and those before it alone.
  ///   - eps: what layer norms add to the variance before its root; 1e-5 as PyTorch's, BERT and its kin have 1e-12.
  ///   - initializer: draws the weights.
  /// - Throws: `TesseraError` for extents that make no block, a rate outside 0..<1, and a negative eps.
  public init(
    _ width: Int, heads: Int, hidden: Int? = nil, activation: UnaryOperation = .gelu, dropout: Float = 0,
    normFirst: Bool = true, causal: Bool = false, eps: Float = 1e-5,
    _ initializer: Initializer
  ) throws {
    guard dropout >= 0, dropout < 1, activation.hasGradient else {
      throw TesseraError.failure(
        "TransformerEncoderBlock", found: "dropout \(dropout), \(activation)",
        wanted: "0 <= dropout < 1, and one of " + UnaryOperation.differentiableNames)
    }
    attention = try MultiHeadAttention(width, heads: heads, causal: causal, initializer)
    let hidden = hidden ?? 4 * width
    first = try Linear(width, hidden, initializer)
    second = try Linear(hidden, width, initializer)
    norms = try (0..<2).map { _ in try LayerNorm(width, eps: eps, initializer) }
    (self.activation, self.dropout, self.normFirst) = (activation, dropout, normFirst)
  }

  public func callAsFunction(_ x: Variable, _ context: Context) throws -> Variable {
    try callAsFunction(x, mask: nil, context)
  }

  /// The block of (batch, tokens, width).
  ///
  /// - Parameters:
  ///   - x: (batch, tokens, width).
  ///   - mask: (batch, tokens): where it is 0, nobody sees the token, such as padding.
  ///   - context: where to compute.
  /// - Throws: `TesseraError` for other shapes.
  public func callAsFunction(_ x: Variable, mask: Variable?, _ context: Context) throws -> Variable {
    let y = try residual(x, 0, context) { try attention($0, mask: mask, context) }
    return try residual(y, 1, context) { x in
      let hidden = try context.activation(activation, try first(x, context))
      return try second(try context.dropout(hidden, rate: dropout), context)
    }
  }

  private func residual(
    _ x: Variable, _ norm: Int, _ context: Context, _ body: (Variable) throws -> Variable
  ) throws -> Variable {
    let input = normFirst ? try norms[norm](x, context) : x
    let sum = try context.add(x, try context.dropout(try body(input), rate: dropout))
    return normFirst ? sum : try norms[norm](sum, context)
  }

  public var state: [(name: String, state: ModuleState)] {
    let parts: [(String, any Module)] = [
      ("self_attn", attention), ("linear1", first), ("linear2", second), ("norm1", norms[0]),
      ("norm2", norms[1]),
    ]
    return parts.flatMap { name, module in module.state.map { ("\(name).\($0.name)", $0.state) } }
  }
}
