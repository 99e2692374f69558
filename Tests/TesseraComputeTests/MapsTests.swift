// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import Testing

@testable import TesseraCompute
@testable import TesseraVerification

@Suite struct MapsTests {
  /// About a million inputs a function, over all exponents and both signs; all 2^32: `tessera verify
  /// --exhaustive`.
  @Test(.tags(.opencl)) func elementaryFunctionsKeepTheirBoundsAndOpenCLTheirBits() throws {
    let cpu = try CPUBackend()
    let device: any Backend = TestDevices.hasOpenCL ? try OpenCLBackend(try TestDevices.first()) : cpu
    for function in FunctionCheck.functions {
      let result = try FunctionCheck.run(function, stride: 4093, cpu: cpu, device: device)
      #expect(result.worstUlp <= result.bound, "\(result.name) at \(result.worstInput)")
      #expect(result.mismatches == 0 && result.inputs > 1_000_000)
    }
  }

  @Test func theCheckSeesAWrongFunction() throws {
    let cpu = try CPUBackend()
    let wrong = FunctionCheck.Function(name: "exp", operation: .exp, bound: 1) {
      Foundation.exp($0) * 1.000001
    }
    #expect(try FunctionCheck.run(wrong, stride: 40_961, cpu: cpu, device: cpu).worstUlp > 1)
    #expect(FunctionCheck.ulps(1, 1.0 + 0x1p-23, at: 1) == 1)
    #expect(FunctionCheck.ulps(0, .nan, at: 1) == .infinity)
    #expect(FunctionCheck.ulps(-0.0, 0, at: 1) == .infinity)
  }

  /// Division is IEEE's, natively and in software: any bits, denormal results, near powers of two.
  @Test(.tags(.opencl)) func divisionIsCorrectlyRounded() throws {
    var inputs = CaseInputs(seed: 3)
    var (a, b) = (inputs.anyBits(400_000), inputs.anyBits(400_000))
    a += inputs.floats(200_000, 0, 1e-30)
    b += inputs.floats(200_000, 1e5, 1e15)
    a += inputs.withSpecials(50_000)
    b += inputs.withSpecials(50_000).reversed()
    var devices: [any Backend] = [try CPUBackend()]
    if TestDevices.hasOpenCL {
      devices.append(try OpenCLBackend(try TestDevices.first(), softwareDivision: true))
    }
    for device in devices {
      let quotient = try device.allocate([a.count], .float32)
      try device.binary(
        .divide, try device.tensor(a, [a.count]), try device.tensor(b, [b.count]), into: quotient)
      let found = try device.floats(quotient)
      let wrong = a.indices.filter { i in
        let exact = a[i] / b[i]
        return found[i].bitPattern != (exact.isNaN ? 0x7fc0_0000 : exact.bitPattern)
      }
      #expect(wrong.prefix(3).map { "\(a[$0]) / \(b[$0]) = \(found[$0])" } == [])
    }
  }

  @Test func gradientsAreTheDerivatives() throws {
    var reference = try Reference()
    let (x, xs) = try reference.input([4001], -8, 8)
    let (dy, dys) = try reference.input([4001])
    let root = 0.5.squareRoot()
    func density(_ v: Double) -> Double { exp(-v * v / 2) / (2 * Double.pi).squareRoot() }
    let derivatives: [(UnaryOperation, (Double) -> Double)] = [
      (.relu, { $0 > 0 ? 1 : 0 }), (.relu6, { $0 > 0 && $0 < 6 ? 1 : 0 }),
      (.tanh, { 1 - tanh($0) * tanh($0) }), (.sigmoid, { 1 / (1 + exp(-$0)) / (1 + exp($0)) }),
      (.gelu, { 0.5 * erfc(-$0 * root) + $0 * density($0) }),
      (
        .geluTanh,
        { x in
          let scale = (2 / Double.pi).squareRoot()
          let t = tanh(scale * (x + 0.044715 * x * x * x))
          return 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * scale * (1 + 3 * 0.044715 * x * x)
        }
      ),
      (.exp, { exp($0) }), (.square, { 2 * $0 }), (.negate, { _ in -1 }), (.abs, { $0 > 0 ? 1 : -1 }),
      (.erf, { 2 / Double.pi.squareRoot() * exp(-$0 * $0) }), (.softplus, { 1 / (1 + exp(-$0)) }),
      (.silu, { (1 + exp(-$0) * (1 + $0)) / ((1 + exp(-$0)) * (1 + exp(-$0))) }),
    ]
    let (p, ps) = try reference.input([4001], 0.125, 8)
    let ofPositive: [(UnaryOperation, (Double) -> Double)] = [
      (.log, { 1 / $0 }), (.sqrt, { 0.5 / $0.squareRoot() }), (.rsqrt, { -0.5 / ($0 * $0.squareRoot()) }),
      (.reciprocal, { -1 / ($0 * $0) }),
    ]
    for (operation, derivative) in ofPositive {
      let dx = try reference.empty(4001)
      try reference.device.unaryGrad(operation, p, dy, into: dx)
      try reference.expect(dx, zip(ps, dys).map { derivative($0) * $1 }, 2e-6, "\(operation)")
    }
    let names = (derivatives + ofPositive).map { "\($0.0)" }
    #expect(Set(names) == Set(UnaryOperation.differentiable.map { "\($0)" }))
    for (operation, derivative) in derivatives {
      let dx = try reference.empty(4001)
      try reference.device.unaryGrad(operation, x, dy, into: dx)
      try reference.expect(dx, zip(xs, dys).map { derivative($0) * $1 }, 2e-6, "\(operation)")
    }
  }

  /// What has no polynomial: exact, or rounded once.
  @Test func simpleMapsAreExact() throws {
    var reference = try Reference()
    let (x, xs) = try reference.input([4001], -8, 8)
    let (b, ys) = try reference.input([4001], 0.5, 8)
    let y = try reference.empty(4001)
    let maps: [(UnaryOperation, (Double) -> Double)] = [
      (.identity, { $0 }), (.relu, { max(0, $0) }), (.relu6, { min(6, max(0, $0)) }), (.square, { $0 * $0 }),
      (.abs, { abs($0) }), (.negate, { -$0 }), (.affine, { 0.3125 * $0 - 1.25 }),
    ]
    for (operation, exact) in maps {
      try reference.device.unary(operation, x, alpha: 0.3125, beta: -1.25, into: y)
      #expect(try reference.device.floats(y) == xs.map { Float(exact($0)) }, "\(operation)")
    }
    let operations: [(BinaryOperation, (Double, Double) -> Double)] = [
      (.add, +), (.subtract, -), (.multiply, *), (.divide, /), (.maximum, { max($0, $1) }),
      (.minimum, { min($0, $1) }), (.less, { $0 < $1 ? 1 : 0 }), (.lessOrEqual, { $0 <= $1 ? 1 : 0 }),
      (.equal, { $0 == $1 ? 1 : 0 }),
    ]
    for (operation, exact) in operations {
      try reference.device.binary(operation, x, b, into: y)
      #expect(try reference.device.floats(y) == zip(xs, ys).map { Float(exact($0, $1)) }, "\(operation)")
    }
  }

  @Test func binaryOperationsBroadcastOverChannels() throws {
    var reference = try Reference()
    let p = ChannelLayout(outer: 3, channels: 5, inner: 7)
    let (a, xs) = try reference.input([p.count], 1, 2)
    let (b, ys) = try reference.input([5], 1, 2)
    let operations: [(BinaryOperation, (Double, Double) -> Double)] = [
      (.add, +), (.subtract, -), (.multiply, *), (.divide, /), (.maximum, { max($0, $1) }),
      (.minimum, { min($0, $1) }), (.less, { $0 < $1 ? 1 : 0 }), (.lessOrEqual, { $0 <= $1 ? 1 : 0 }),
      (.equal, { $0 == $1 ? 1 : 0 }),
    ]
    for (operation, exact) in operations {
      let c = try reference.empty(p.count)
      try reference.device.binaryChannels(operation, p, a, b, into: c)
      try reference.expect(c, xs.indices.map { exact(xs[$0], ys[$0 / 7 % 5]) }, 1e-6, "\(operation)")
    }
  }
}
