// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

/// A gradient against the slopes of the function itself, for tests of functions of one's own. The function
/// computes in Float; what differs is added and divided in Double.
public enum GradientCheck {
  /// Where gradient and slope are farthest apart.
  public struct Result: Sendable, Hashable {
    /// |gradient - slope| / max(1, |slope|).
    public let error: Double
    /// The input's number.
    public let input: Int
    /// The element of the input.
    public let element: Int
  }

  /// An input: its elements and extents.
  public typealias Input = (values: [Float], shape: [Int])

  /// Compares the gradients for all inputs with central differences, on the CPU.
  ///
  /// - Parameters:
  ///   - inputs: what the function is of.
  ///   - step: half the distance between two inputs of a difference, above 0.
  ///   - seed: draws what the outputs are weighted with, and what the function draws.
  ///   - function: what is differentiated. It is called twice an element, with a context each time.
  /// - Returns: the greatest error and where it is.
  /// - Throws: `TesseraError` for a step that is none, and what the function throws.
  public static func run(
    _ inputs: [Input], step: Float = 0x1p-7, seed: UInt64 = 1,
    _ function: ([Variable], Context) throws -> Variable
  ) throws -> Result {
    guard step > 0, step.isFinite else {
      throw TesseraError.failure(
        "GradientCheck", found: "a step of \(step)", wanted: "a finite number above 0")
    }
    let device = try CPUBackend()
    func forward(_ values: [[Float]], _ differentiable: Bool) throws -> (Variable, [Variable], Context) {
      let context = Context(device: device, training: true, differentiable: differentiable, seed: seed)
      let variables = try zip(values, inputs).map {
        try context.variable($0, $1.shape, requiresGradient: true)
      }
      return (try function(variables, context), variables, context)
    }
    var values = inputs.map(\.values)
    let (y, variables, context) = try forward(values, true)
    var draw = SplitMix64(seed: seed)
    let weights = draw.floats(y.value.count, -1, 1)
    try context.tape?.backward(from: y, gradient: try device.tensor(weights, y.shape))
    func loss() throws -> Double {
      zip(try device.floats(try forward(values, false).0.value), weights).reduce(0) {
        $0 + Double($1.0) * Double($1.1)
      }
    }
    var worst = Result(error: 0, input: 0, element: 0)
    for (number, variable) in variables.enumerated() {
      let gradient = try variable.gradient.map { try device.floats($0) }
      for element in values[number].indices {
        let value = values[number][element]
        values[number][element] = value + step
        let above = try loss()
        values[number][element] = value - step
        let slope = (above - (try loss())) / (Double(value + step) - Double(value - step))
        values[number][element] = value
        let error = abs(Double(gradient?[element] ?? 0) - slope) / Swift.max(1, abs(slope))
        if !(error <= worst.error) { worst = Result(error: error, input: number, element: element) }
      }
    }
    return worst
  }
}
