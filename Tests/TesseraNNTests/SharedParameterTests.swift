// SPDX-License-Identifier: Apache-2.0
import TestSupport
import TesseraCompute
import Testing

@testable import TesseraNN

/// Networks that use a parameter more than once, in every way: the gradients of all uses add up, on every
/// device, and divided over devices.
@Suite struct SharedParameterTests {
  /// A network's parameters, and what it makes of a batch: logits (rows, classes).
  struct Network {
    let parameters: [Parameter]
    let forward: (Variable, Context) throws -> Variable
  }

  struct Case: Sendable, CustomTestStringConvertible {
    let testDescription: String
    /// Extents of a row.
    var row = [6]
    let classes: Int
    let make: @Sendable (Initializer, any Backend) throws -> Network
  }

  static let rows = 20

  private static func network(of modules: [any Module], _ body: any Module) -> Network {
    Network(parameters: modules.flatMap { $0.parameters.map(\.parameter) }) { try body($0, $1) }
  }

  private static func parameter(_ seed: UInt64, _ shape: [Int], _ device: any Backend) throws -> Parameter {
    Parameter(try device.tensor(drawn(seed, shape.reduce(1, *)), shape))
  }

  static let cases: [Case] = [
    Case(testDescription: "linear, twice in a row", classes: 6) { draw, _ in
      let layer = try Linear(6, 6, draw)
      return network(of: [layer], Sequential([layer, Activation(.tanh), layer]))
    },
    Case(testDescription: "linear, siamese", classes: 4) { draw, _ in
      let layer = try Linear(6, 4, draw)
      return Network(parameters: layer.parameters.map(\.parameter)) { x, context in
        let other = try context.activation(.tanh, x)
        return try context.add(
          try layer(x, context), try context.activation(.gelu, try layer(other, context)))
      }
    },
    Case(testDescription: "weights tied the other way round", classes: 6) { _, device in
      let weight = try parameter(3, [4, 6], device)
      return Network(parameters: [weight]) { x, context in
        let code = try context.activation(.tanh, try context.linear(x, weight: weight.leaf(), bias: nil))
        return try context.linear(code, weight: try context.transpose(weight.leaf()), bias: nil)
      }
    },
    Case(testDescription: "a recurrence of five steps", classes: 5) { draw, _ in
      let (input, state) = (try Linear(6, 5, draw), try Linear(5, 5, draw))
      return Network(parameters: (input.parameters + state.parameters).map(\.parameter)) { x, context in
        var hidden = try context.activation(.tanh, try input(x, context))
        for _ in 1..<5 {
          hidden = try context.activation(
            .tanh, try context.add(try input(x, context), try state(hidden, context)))
        }
        return hidden
      }
    },
    Case(testDescription: "convolution and batch norm, twice in a row", row: [3, 5, 4], classes: 12) {
      draw, _ in
      let (conv, norm) = (try Conv2d(3, 3, kernel: 3, .init(padding: 1), draw), try BatchNorm2d(3, draw))
      return network(
        of: [conv, norm],
        Sequential([conv, norm, Activation(.gelu), conv, norm, AdaptiveAvgPool2d(2), Flatten()]))
    },
    Case(testDescription: "layer norm, twice", classes: 6) { _, device in
      let (gamma, beta) = (try parameter(5, [6], device), try parameter(6, [6], device))
      return Network(parameters: [gamma, beta]) { x, context in
        let once = try context.layerNorm(x, gamma: gamma.leaf(), beta: beta.leaf(), eps: 1e-3)
        return try context.layerNorm(
          try context.activation(.sigmoid, once), gamma: gamma.leaf(), beta: beta.leaf(), eps: 1e-3)
      }
    },
    Case(testDescription: "nested: a layer in a block, in its shortcut and behind it", classes: 6) {
      draw, _ in
      let layer = try Linear(6, 6, draw)
      let inner = Sequential([Sequential([layer, Activation(.tanh)]), layer])
      return network(
        of: [layer], Sequential([Residual(inner, shortcut: Sequential([layer]), activation: .gelu), layer]))
    },
    // What waits for other devices and what does not, in turns: the order of the sum is the tape's all the
    // same.
    Case(
      testDescription: "one vector as bias, scale, shift, bias and through a map", row: [6, 1, 1], classes: 6
    ) {
      draw, device in
      let (vector, layer) = (try parameter(8, [6], device), try Linear(6, 6, draw))
      let weight = layer.parameters[0].parameter
      return Network(parameters: [vector, weight]) { x, context in
        func batchNorm(_ x: Variable, _ gamma: Variable, _ beta: Variable) throws -> Variable {
          let running = try (0..<2).map { _ in try context.device.tensor([Float](repeating: 1, count: 6), [6])
          }
          return try context.batchNorm(
            x, gamma: gamma, beta: beta, runningMean: running[0], runningVariance: running[1], momentum: 0,
            eps: 1e-3)
        }
        var y = try context.reshape(x, [x.shape[0], 6])
        y = try context.linear(y, weight: weight.leaf(), bias: vector.leaf())
        y = try batchNorm(y, vector.leaf(), vector.leaf())
        y = try context.linear(
          y, weight: weight.leaf(), bias: try context.activation(.tanh, vector.leaf()))
        return try context.layerNorm(y, gamma: vector.leaf(), beta: vector.leaf(), eps: 1e-3)
      }
    },
    Case(testDescription: "one variable as both operands", classes: 4) { _, device in
      let weight = try parameter(9, [4, 6], device)
      return Network(parameters: [weight]) { x, context in
        let leaf = weight.leaf()
        // (4, 6) by its own transpose, (4, 4), then as weights behind themselves.
        let square = try context.linear(leaf, weight: leaf, bias: nil)
        let once = try context.linear(x, weight: leaf, bias: nil)
        let y = try context.linear(try context.add(once, once), weight: square, bias: nil)
        return try context.add(y, once)
      }
    },
    Case(testDescription: "dropout, twice", classes: 6) { draw, _ in
      let (layer, dropout) = (try Linear(6, 6, draw), Dropout(0.3))
      return network(of: [layer], Sequential([layer, dropout, layer, dropout, layer]))
    },
    Case(testDescription: "dropout of weights", classes: 4) { _, device in
      let weight = try parameter(10, [4, 6], device)
      return Network(parameters: [weight]) { x, context in
        try context.linear(x, weight: try context.dropout(weight.leaf(), rate: 0.3), bias: nil)
      }
    },
  ]

  private static func context(_ device: any Backend, differentiable: Bool = true, part: BatchShard? = nil)
    -> Context
  {
    Context(device: device, training: true, differentiable: differentiable, seed: 7, step: 1, part: part)
  }

  private static func batch(_ item: Case, _ samples: Range<Int>, on device: any Backend) throws -> (
    Variable, Tensor
  ) {
    let size = item.row.reduce(1, *)
    let values = drawn(21, rows * size)[samples.lowerBound * size..<samples.upperBound * size]
    let labels = samples.map { Int32($0 * 5 % item.classes) }
    return (
      Variable(try device.tensor(Array(values), [samples.count] + item.row)),
      try device.tensor(labels, [samples.count])
    )
  }

  /// The gradients of all parameters after one pass over a whole batch.
  private static func gradients(_ item: Case, on device: any Backend) throws -> [[Float]] {
    let network = try item.make(Initializer(device: device, seed: 4), device)
    let (x, labels) = try batch(item, 0..<rows, on: device)
    let context = context(device)
    try context.backward(from: try network.forward(x, context), labels: labels)
    return try network.parameters.map { try device.floats(try #require($0.gradient)) }
  }

  @Test(arguments: cases + tensorCases) func theGradientIsTheSlope(_ item: Case) throws {
    let device = try CPUBackend(threads: 1)
    let network = try item.make(Initializer(device: device, seed: 4), device)
    let (x, labels) = try Self.batch(item, 0..<Self.rows, on: device)
    func loss() throws -> Double {
      let context = Self.context(device, differentiable: false)
      let losses = try context.crossEntropy(try network.forward(x, context), labels: labels)
      return try device.floats(losses).reduce(0) { $0 + Double($1) } / Double(Self.rows)
    }
    for (number, gradient) in try Self.gradients(item, on: device).enumerated() {
      let tensor = network.parameters[number].value
      let values = try device.floats(tensor)
      func nudged(_ index: Int, at value: Float) throws -> Double {
        try withUnsafeBytes(of: value) { try device.upload($0, to: tensor, offset: index) }
        return try loss()
      }
      for index in values.indices {
        let h = Float(1) / 128
        let slope =
          (try nudged(index, at: values[index] + h) - nudged(index, at: values[index] - h))
          / Double(2 * h)
        _ = try nudged(index, at: values[index])
        #expect(
          abs(Double(gradient[index]) - slope) < 2e-3 * max(1, abs(slope)), "parameter \(number), \(index)")
      }
    }
  }

  @Test(.tags(.opencl), arguments: cases + tensorCases) func everyDeviceAndEveryDivisionGivesTheSameBits(
    _ item: Case
  )
    throws
  {
    let one = try CPUBackend(threads: 1)
    let wanted = try Self.gradients(item, on: one).map { $0.map(\.bitPattern) }
    var devices: [any Backend] = [one, try CPUBackend(threads: 2)]
    if TestDevices.hasOpenCL { devices.append(try OpenCLBackend(try TestDevices.first())) }
    for device in devices.dropFirst() {
      #expect(try Self.gradients(item, on: device).map { $0.map(\.bitPattern) } == wanted, "\(device.name)")
    }
    for cuts in [[8], [16], [8, 16]] where cuts.count < devices.count {
      let group = DeviceGroup(devices[0], helpers: Array(devices[1...cuts.count]))
      let exchange = try AllReduce(parts: cuts.count + 1)
      let borders = [0] + cuts + [Self.rows]
      let found = try group.runConcurrently(group.all.enumerated().map { ($1, $0) }) { number, hand in
        let device = group.all[hand]
        let network = try item.make(Initializer(device: device, seed: 4), device)
        let samples = borders[number]..<borders[number + 1]
        let (x, labels) = try Self.batch(item, samples, on: device)
        let context = Self.context(
          device, part: try BatchShard(samples, of: Self.rows, exchange, number: number, memory: .init()))
        try context.backward(from: try network.forward(x, context), labels: labels)
        return try network.parameters.map { try device.floats(try #require($0.gradient)).map(\.bitPattern) }
      } failed: {
        exchange.cancel()
      }
      for gradients in found { #expect(gradients == wanted, "parts at \(cuts)") }
    }
  }
}
