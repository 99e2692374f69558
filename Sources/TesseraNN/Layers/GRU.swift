// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

/// Gated recurrent units over the tokens of texts (Cho et al. 2014), one layer, one direction, with the names
/// and the gates of PyTorch's `nn.GRU` with `batch_first`.
public final class GRU: Module {
  private let inputWeight: Parameter, hiddenWeight: Parameter
  private let inputBias: Parameter, hiddenBias: Parameter
  private let hidden: Int

  /// A layer: all weights uniform in +-1/sqrt(hidden), as PyTorch's.
  ///
  /// - Parameters:
  ///   - width: of a token.
  ///   - hidden: of the state.
  ///   - initializer: draws the weights.
  /// - Throws: `TesseraError` for less than one number a token or state.
  public init(_ width: Int, _ hidden: Int, _ initializer: Initializer) throws {
    guard width >= 1, hidden >= 1, hidden <= Int(Int32.max) / 3 else {
      throw TesseraError.failure("GRU", found: "\(width) to \(hidden)", wanted: "1 or more each")
    }
    let bound = 1 / Float(hidden).squareRoot()
    inputWeight = try initializer.uniform([3 * hidden, width], bound)
    hiddenWeight = try initializer.uniform([3 * hidden, hidden], bound)
    inputBias = try initializer.uniform([3 * hidden], bound)
    hiddenBias = try initializer.uniform([3 * hidden], bound)
    self.hidden = hidden
  }

  /// (batch, tokens, width) to the states after each token, (batch, tokens, hidden).
  public func callAsFunction(_ x: Variable, _ context: Context) throws -> Variable {
    guard x.shape.count == 3, x.shape[1] > 0, x.shape[2] == inputWeight.value.shape[1] else {
      throw TesseraError.failure(
        "GRU", found: "\(x.shape)",
        wanted: "(batch, tokens, \(inputWeight.value.shape[1])), one token or more")
    }
    let inputs = try context.linear(x, weight: inputWeight.leaf(), bias: inputBias.leaf())
    let zero = try context.device.allocate([x.shape[0], hidden], .float32)
    try context.device.fill(zero, with: 0)
    var state = context.variable(zero)
    var states: [Variable] = []
    for token in 0..<x.shape[1] {
      let own = try context.reshape(
        try context.part(AxisPart(first: token, count: 1, step: 1), of: inputs, 1), [x.shape[0], 3 * hidden])
      state = try step(own, state, context)
      states.append(try context.reshape(state, [x.shape[0], 1, hidden]))
    }
    return try context.concatenate(states, 1)
  }

  /// The next state: reset, update and new, in this order.
  private func step(_ input: Variable, _ state: Variable, _ context: Context) throws -> Variable {
    let past = try context.linear(state, weight: hiddenWeight.leaf(), bias: hiddenBias.leaf())
    let (a, b) = (
      try input.split([2 * hidden, hidden], axis: 1), try past.split([2 * hidden, hidden], axis: 1)
    )
    let gates = try (a[0] + b[0]).sigmoid().split([hidden, hidden], axis: 1)
    let new = try (a[1] + gates[0] * b[1]).tanh()
    return try new + gates[1] * (state - new)
  }

  public var state: [(name: String, state: ModuleState)] {
    [
      ("weight_ih_l0", .parameter(inputWeight)), ("weight_hh_l0", .parameter(hiddenWeight)),
      ("bias_ih_l0", .parameter(inputBias)), ("bias_hh_l0", .parameter(hiddenBias)),
    ]
  }
}
