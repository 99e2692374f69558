// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

extension Context {
  /// A function of your own, such as of an `OwnKernel`, as a variable that gradients pass through.
  ///
  /// - Parameters:
  ///   - value: what was computed.
  ///   - inputs: what it was computed from.
  ///   - gradients: makes the gradients for the inputs of that for the value: one each, in memory of its own,
  ///     or nil where nothing passes. It must not hold this context.
  /// - Returns: the value; recorded, if an input wants a gradient.
  public func function(
    _ value: Tensor, of inputs: [Variable], gradients: @escaping (Tensor) throws -> [Tensor?]
  ) -> Variable {
    output(value, of: inputs) { tape, dy in
      let found = try gradients(dy)
      guard found.count == inputs.count else {
        throw TesseraError.failure(
          "a function's gradients", found: "\(found.count)", wanted: "\(inputs.count), one for each input")
      }
      for (input, gradient) in zip(inputs, found) {
        if let gradient { try tape.accumulate(gradient, to: input) }
      }
    }
  }
}
