// SPDX-License-Identifier: Apache-2.0
import TesseraCompute
import Testing

@testable import TesseraNN

@Suite struct InitializerTests {
  private func moments(_ x: [Float]) -> (mean: Double, deviation: Double) {
    let mean = x.reduce(0) { $0 + Double($1) } / Double(x.count)
    let squares = x.reduce(0) { $0 + (Double($1) - mean) * (Double($1) - mean) }
    return (mean, (squares / Double(x.count)).squareRoot())
  }

  @Test func weightsHaveTheRecipesDistributions() throws {
    let device = try CPUBackend()
    let draw = Initializer(device: device, seed: 1701)
    let uniform = try device.floats(try draw.xavierUniform([300, 500], gain: 2).value)
    let bound = (12.0 / 800).squareRoot()
    #expect(uniform.allSatisfy { abs(Double($0)) <= bound })
    #expect(abs(moments(uniform).deviation / (bound / 3.0.squareRoot()) - 1) < 0.01)
    let normal = try device.floats(try draw.xavierNormal([64, 32, 4, 4]).value)
    #expect(abs(moments(normal).deviation / (2 / (16.0 * 96)).squareRoot() - 1) < 0.02)
    #expect(abs(moments(normal).mean) < 1e-3)
    let bias = try device.floats(try draw.bias(1000, fanIn: 100).value)
    #expect(bias.allSatisfy { abs($0) <= 0.1 } && abs(moments(bias).mean) < 0.01)
  }

  @Test func seedAndOrderDecideTheNumbers() throws {
    let device = try CPUBackend(threads: 2)
    func first(_ seed: UInt64) throws -> [Float] {
      try device.floats(
        try Linear(5, 6, Initializer(device: device, seed: seed)).parameters[0].parameter.value)
    }
    #expect(try first(1) == first(1))
    #expect(try first(1) != first(2))
  }
}
