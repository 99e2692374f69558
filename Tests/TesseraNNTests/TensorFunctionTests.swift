// SPDX-License-Identifier: Apache-2.0
import TestSupport
import TesseraCompute
import Testing

@testable import TesseraNN

/// Operators, functions, reductions, movements, products and losses: PyTorch's values and gradients
/// (tools/golden/tensors.py), slopes, and the same bits on every device.
@Suite struct TensorFunctionTests {
  private func inputs(_ item: TensorFunctionCase, _ context: Context) throws -> [Variable] {
    try item.shapes.enumerated().map { index, shape in
      let values = drawn(300 + UInt64(index), shape.reduce(1, *), item.range.0, item.range.1)
      return try context.variable(values, shape, requiresGradient: true)
    }
  }

  /// The output and the gradients for all inputs.
  private func results(_ item: TensorFunctionCase, _ device: any Backend) throws -> [[Float]] {
    let context = Context(device: device, training: true, differentiable: true)
    let inputs = try inputs(item, context)
    let y = try item.run(inputs, context)
    let dy = try device.tensor(drawn(399, y.value.count), y.shape)
    try context.tape?.backward(from: y, gradient: dy)
    return try [try device.floats(y.value)]
      + inputs.map { try device.floats(try #require($0.gradient)) }
  }

  @Test(arguments: TensorFunctionCase.all) func valuesAndGradientsArePyTorchs(_ item: TensorFunctionCase)
    throws
  {
    let golden = try Golden(.module).tensors("tensors.safetensors")
    for (index, values) in try results(item, try CPUBackend()).enumerated() {
      let name = "\(item.name).\(index == 0 ? "y" : "\(index - 1)")"
      let wanted = try golden.floats(name)
      let wrong = zip(values, wanted).contains { !(abs($0 - $1) <= 4e-6 * max(1, abs($1))) }
      #expect(values.count == wanted.count && !wrong, "\(name): \(values) \(wanted)")
    }
  }

  @Test func everyGoldenFunctionHasACase() throws {
    let names = Set(
      try Golden(.module).tensors("tensors.safetensors").names.map { $0.split(separator: ".")[0] })
    #expect(names == Set(TensorFunctionCase.all.map { Substring($0.name) }))
  }

  @Test(.tags(.opencl)) func everyDeviceAndThreadCountGivesTheSameBits() throws {
    var devices: [any Backend] = [try CPUBackend(threads: 1), try CPUBackend(threads: 3)]
    if TestDevices.hasOpenCL { devices.append(try OpenCLBackend(try TestDevices.first())) }
    for item in TensorFunctionCase.all {
      let runs = try devices.map { try results(item, $0).map { $0.map(\.bitPattern) } }
      for run in runs.dropFirst() { #expect(run == runs[0], "\(item.name)") }
    }
  }

  /// The public check sees the right gradients, and a wrong one.
  @Test func gradientsAreSlopes() throws {
    for name in ["numbers", "mean", "softmax of axis 0", "split", "taken", "matmul of batches", "huber"] {
      let item = try #require(TensorFunctionCase.all.first { $0.name == name })
      let inputs = item.shapes.enumerated().map { index, shape in
        (drawn(300 + UInt64(index), shape.reduce(1, *), item.range.0, item.range.1), shape)
      }
      #expect(try GradientCheck.run(inputs, item.run).error < 4e-3, "\(name)")
    }
    let wrong = try GradientCheck.run([([0.5, 2], [2])]) { x, _ in try x[0] * x[0].detached() }
    #expect(wrong.error > 0.3 && wrong.input == 0)
  }

  @Test func operandsWithoutAxesOrElementsWork() throws {
    let context = Context(device: try CPUBackend(), differentiable: true)
    let empty = try context.variable([], [0, 3])
    #expect(try (empty + 1).sum().item() == 0)
    #expect(
      try Variable.concatenated([empty, try context.variable([1, 2, 3], [1, 3])]).values() == [1, 2, 3])
    #expect(try empty.matmul(try context.variable([1, 2, 3], [3, 1])).shape == [0, 1])
    let number = try context.variable([2], [])
    #expect(try (number * number + 1).item() == 5)
    #expect(try number.expanded(to: [2, 2]).values() == [2, 2, 2, 2])
    #expect(throws: TesseraError.self) { try empty.mean() }
    #expect(throws: TesseraError.self) { try empty.max(0) }
  }

  @Test func comparisonsGiveTruths() throws {
    let context = Context(device: try CPUBackend())
    let (a, b) = (try context.variable([1, 2, 3, .nan]), try context.variable([2]))
    #expect(try a.less(than: b).values() == [1, 0, 0, 0])
    #expect(try a.lessOrEqual(to: b).values() == [1, 1, 0, 0])
    #expect(try a.greater(than: b).values() == [0, 0, 1, 0])
    #expect(try a.equal(to: b).values() == [0, 1, 0, 0])
    #expect(try context.device.ints(try context.variable([1, 5, 5, 2, 0, 9], [2, 3]).argmax()) == [1, 2])
    #expect(
      try context.device.ints(try context.variable([1, 5, 5, 2, 0, 9], [2, 3]).argmax(axis: 0)) == [1, 0, 1])
  }

  @Test func shapesThatDoNotFitAreNamed() throws {
    let context = Context(device: try CPUBackend())
    let (a, b) = (
      try context.variable(rows: [[1, 2, 3], [4, 5, 6]]), try context.variable(rows: [[1, 2], [3, 4]])
    )
    let error = #expect(throws: TesseraError.self) { try a + b }
    #expect("\(try #require(error))".contains("[2, 3] and [2, 2]"))
    #expect(throws: TesseraError.self) { try a.matmul(b.transposed().matmul(a)).matmul(b) }
    #expect(throws: TesseraError.self) { try a.reshaped(4, -1) }
    #expect(throws: TesseraError.self) { try a.reshaped(-1, -1) }
    #expect(throws: TesseraError.self) { try a.permuted(0, 0) }
    #expect(throws: TesseraError.self) { try a.sum(2) }
    #expect(throws: TesseraError.self) { try a.sum(0, -2) }
    #expect(throws: TesseraError.self) { try a.slice(1..<3) }
    #expect(throws: TesseraError.self) { try a.split([1, 2]) }
    #expect(throws: TesseraError.self) { try a.taking([2]) }
    #expect(throws: TesseraError.self) { try a.expanded(to: [3, 3]) }
    #expect(throws: TesseraError.self) { try context.variable(rows: [[1], [2, 3]]) }
    #expect(throws: TesseraError.self) { try Variable.stacked([a, b]) }
    #expect(throws: TesseraError.self) { try Variable.concatenated([]) }
  }
}
