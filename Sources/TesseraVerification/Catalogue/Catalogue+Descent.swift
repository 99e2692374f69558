// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

extension Catalogue {
  static func sgd(_ count: Int, nesterov: Bool = false) -> CatalogueCase {
    let p = DescentStep(
      count: count, learningRate: 0.125, momentum: 0.875, weightDecay: 0.0625, nesterov: nesterov)
    return descent("sgd", "\(count)\(nesterov ? " nesterov" : "")", count, states: 1) {
      try $0.sgd(p, gradient: $1, parameter: $2[0], velocity: $2[1])
    }
  }

  static func rmsprop(_ count: Int) -> CatalogueCase {
    let p = DescentStep(count: count, learningRate: 0.01, momentum: 0.5, weightDecay: 0.0625)
    return descent("rmsprop", "\(count)", count, states: 2) {
      try $0.rmsprop(p, gradient: $1, parameter: $2[0], squares: $2[1], velocity: $2[2])
    }
  }

  static func lion(_ count: Int) -> CatalogueCase {
    let p = DescentStep(count: count, learningRate: 0.01, momentum: 0.9, weightDecay: 0.0625)
    return descent("lion", "\(count)", count, states: 1) {
      try $0.lion(p, gradient: $1, parameter: $2[0], momentum: $2[1])
    }
  }

  static func blend(_ count: Int) -> CatalogueCase {
    descent("blend", "\(count)", count, states: 0) { try $0.blend($1, share: 0.1, into: $2[0]) }
  }

  /// Three steps of a parameter with states that begin at 0.
  @inline(never)
  private static func descent(
    _ primitive: String, _ label: String, _ count: Int, states: Int,
    _ step: @escaping @Sendable (any Backend, Tensor, [Tensor]) throws -> Void
  ) -> CatalogueCase {
    CatalogueCase(primitive, "\(label), 3 steps") { device in
      var inputs = CaseInputs(seed: 73)
      var tensors = [try device.tensor(inputs.withSpecials(count), [count])]
      for _ in 0..<states { tensors.append(try device.tensor([Float](repeating: 0, count: count), [count])) }
      for _ in 0..<3 {
        try step(device, try device.tensor(inputs.floats(count, -0.1, 0.1), [count]), tensors)
      }
      return try tensors.enumerated().map { try device.output("state \($0.offset)", $0.element) }
    }
  }
}
