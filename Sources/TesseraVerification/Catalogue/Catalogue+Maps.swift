// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

extension Catalogue {
  /// Elementwise maps on ordinary, special and arbitrary bit patterns.
  @_optimize(none)
  static var mapCases: [CatalogueCase] {
    let counts = [0, 1, 15, 17, 1031]
    let unary = UnaryOperation.allCases.flatMap { op in
      counts.map { self.unary(op, $0) }
    }
    // Enough numbers of ordinary size that a coefficient's last bit shows.
    let ordinary = UnaryOperation.allCases.map { self.unary($0, 20_011, ordinary: true) }
    let gradients = UnaryOperation.differentiable.map { unaryGrad($0, 517) }
    let binary = BinaryOperation.allCases.flatMap { op in
      counts.map { self.binary(op, $0) }
    }
    let channels = BinaryOperation.allCases.flatMap { op in
      [(1, 1, 1), (3, 5, 7), (2, 64, 1), (1, 3, 130)].map { binaryChannels(op, $0, $1, $2) }
    }
    return unary + ordinary + gradients + binary + channels
  }

  /// `ordinary`: of either sign, from 2^-12 to 2^7, as many of each power of two.
  static func unary(_ op: UnaryOperation, _ count: Int, ordinary: Bool = false) -> CatalogueCase {
    CatalogueCase("unary", "\(op) \(count)\(ordinary ? " ordinary" : "")") { device in
      var inputs = CaseInputs(seed: 21)
      let values =
        ordinary
        ? inputs.ordinary(count) : inputs.withSpecials(count / 2) + inputs.anyBits(count - count / 2)
      let x = try device.tensor(values, [count])
      let y = try device.empty(count)
      try device.unary(op, x, alpha: 1.25, beta: -0.75, into: y)
      return [try device.output("y", y)]
    }
  }

  static func unaryGrad(_ op: UnaryOperation, _ count: Int) -> CatalogueCase {
    CatalogueCase("unaryGrad", "\(op) \(count)") { device in
      var inputs = CaseInputs(seed: 22)
      let x = try device.tensor(inputs.withSpecials(count), [count])
      let dy = try device.tensor(inputs.floats(count), [count])
      let dx = try device.empty(count)
      try device.unaryGrad(op, x, dy, into: dx)
      return [try device.output("dx", dx)]
    }
  }

  static func binary(_ op: BinaryOperation, _ count: Int) -> CatalogueCase {
    CatalogueCase("binary", "\(op) \(count)") { device in
      var inputs = CaseInputs(seed: 23)
      let a = try device.tensor(inputs.withSpecials(count), [count])
      let b = try device.tensor(inputs.anyBits(count), [count])
      let c = try device.empty(count)
      try device.binary(op, a, b, into: c)
      return [try device.output("c", c)]
    }
  }

  static func binaryChannels(
    _ op: BinaryOperation, _ outer: Int, _ channels: Int, _ inner: Int
  ) -> CatalogueCase {
    CatalogueCase("binaryChannels", "\(op) \(outer)x\(channels)x\(inner)") { device in
      var inputs = CaseInputs(seed: 24)
      let p = ChannelLayout(outer: outer, channels: channels, inner: inner)
      let a = try device.tensor(inputs.withSpecials(p.count), [p.count])
      let b = try device.tensor(inputs.floats(channels), [channels])
      let c = try device.empty(p.count)
      try device.binaryChannels(op, p, a, b, into: c)
      return [try device.output("c", c)]
    }
  }
}
