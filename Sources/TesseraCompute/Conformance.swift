// SPDX-License-Identifier: Apache-2.0
internal import Kernels

/// The probe of NUMERICS.md rules 1 to 3 that a device passes before it is used.
public struct Conformance: Sendable, Codable {
  /// The first rule that does not hold, with the inputs and the two bit patterns; nil if all hold.
  public let failure: String?

  /// Whether the device may be used.
  public var passes: Bool { failure == nil }

  /// Compares a device with the CPU on special values and a spread of ordinary ones.
  static func probe(_ device: any KernelDispatching, against cpu: CPUBackend) throws -> Conformance {
    var inputs = SplitMix64(seed: 4711)
    let count = 4096
    let x = inputs.withSpecials(count / 2) + inputs.anyBits(count / 2)
    let z = inputs.anyBits(count / 2) + inputs.withSpecials(count / 2)

    func run(_ backend: any KernelDispatching, _ probe: Probe) throws -> [Float] {
      let a = try backend.tensor(x, [count])
      let b = try backend.tensor(z, [count])
      let c = try backend.empty(count)
      switch probe {
      case .binary(let op): try backend.binary(op, a, b, into: c)
      case .unary(let op): try backend.unary(op, a, alpha: 1.000_000_1, beta: -0.333_333_34, into: c)
      case .uncontracted:
        var p = tsr_map_params()
        p.count = Int32(count)
        try backend.launch(.uncontracted, items: count, cost: 4, p, [a, b, c])
      }
      return try backend.floats(c)
    }
    for (rule, probe) in Self.probes {
      let (wanted, found) = (try run(cpu, probe), try run(device, probe))
      for i in 0..<count where wanted[i].bitPattern != found[i].bitPattern {
        func hex(_ v: Float) -> String { "0x" + String(v.bitPattern, radix: 16) }
        return Conformance(
          failure:
            "rule \(rule), \(probe) of \(hex(x[i])), \(hex(z[i])): \(hex(found[i])), wanted \(hex(wanted[i]))"
        )
      }
    }
    return Conformance(failure: nil)
  }

  private enum Probe: CustomStringConvertible {
    case binary(BinaryOperation)
    case unary(UnaryOperation)
    case uncontracted

    var description: String {
      switch self {
      case .binary(let operation): "\(operation)"
      case .unary(let operation): "\(operation)"
      case .uncontracted: "a product and a sum apart"
      }
    }
  }

  private static let probes: [(Int, Probe)] = [
    (1, .binary(.add)), (1, .binary(.multiply)), (1, .unary(.affine)), (1, .uncontracted),
    (2, .binary(.divide)), (2, .unary(.sqrt)), (3, .unary(.exp)), (3, .unary(.log)), (3, .unary(.tanh)),
    (3, .unary(.erf)), (3, .unary(.rsqrt)), (3, .unary(.sinTurn)), (3, .unary(.cosTurn)),
  ]
}
