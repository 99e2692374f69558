// SPDX-License-Identifier: Apache-2.0
import TestSupport
import TesseraCompute
import Testing

@testable import TesseraNN

/// Every differentiable function against central differences of itself.
@Suite struct GradientTests {
  private struct Case: Sendable, CustomTestStringConvertible {
    let testDescription: String
    /// Extents of the inputs; a gradient is wanted for all.
    let shapes: [[Int]]
    var range: (Float, Float) = (-1, 1)
    var training = true
    let run: @Sendable ([Variable], Context) throws -> Variable
  }

  private static let cases: [Case] = [
    Case(testDescription: "linear", shapes: [[9, 5], [4, 5], [4]]) {
      try $1.linear($0[0], weight: $0[1], bias: $0[2])
    },
    Case(testDescription: "linear without bias", shapes: [[3, 5], [4, 5]]) {
      try $1.linear($0[0], weight: $0[1], bias: nil)
    },
    Case(testDescription: "conv2d", shapes: [[2, 4, 6, 5], [6, 2, 3, 3], [6]]) {
      try $1.conv2d($0[0], weight: $0[1], bias: $0[2], .init(stride: 2, padding: 1, groups: 2))
    },
    Case(testDescription: "conv2d dilated", shapes: [[9, 2, 6, 7], [3, 2, 2, 2]]) {
      try $1.conv2d($0[0], weight: $0[1], bias: nil, .init(dilation: 2))
    },
    Case(testDescription: "conv2d same", shapes: [[1, 3, 6, 7], [3, 1, 3, 3]]) {
      try $1.conv2d($0[0], weight: $0[1], bias: nil, .init(stride: 2, groups: 3, same: true))
    },
    Case(testDescription: "batchNorm in training", shapes: [[9, 3, 2, 2], [3], [3]]) { x, context in
      let (mean, variance) = (
        try context.device.allocate([3], .float32), try context.device.allocate([3], .float32)
      )
      return try context.batchNorm(
        x[0], gamma: x[1], beta: x[2], runningMean: mean, runningVariance: variance, momentum: 0, eps: 1e-3)
    },
    Case(testDescription: "batchNorm in evaluation", shapes: [[9, 3, 2, 2], [3], [3]], training: false) {
      x, context in
      let mean = try context.device.tensor([0.25, -0.5, 1] as [Float], [3])
      let variance = try context.device.tensor([1, 0.5, 2] as [Float], [3])
      return try context.batchNorm(
        x[0], gamma: x[1], beta: x[2], runningMean: mean, runningVariance: variance, momentum: 0.1, eps: 1e-3)
    },
    Case(testDescription: "layerNorm", shapes: [[9, 7], [7], [7]]) {
      try $1.layerNorm($0[0], gamma: $0[1], beta: $0[2], eps: 1e-3)
    },
    Case(testDescription: "relu", shapes: [[30]], range: (-4, 4)) { try $1.activation(.relu, $0[0]) },
    Case(testDescription: "relu6", shapes: [[30]], range: (-9, 9)) { try $1.activation(.relu6, $0[0]) },
    Case(testDescription: "gelu", shapes: [[30]], range: (-4, 4)) { try $1.activation(.gelu, $0[0]) },
    Case(testDescription: "geluTanh", shapes: [[30]], range: (-4, 4)) {
      try $1.activation(.geluTanh, $0[0])
    },
    Case(testDescription: "tanh", shapes: [[30]], range: (-4, 4)) { try $1.activation(.tanh, $0[0]) },
    Case(testDescription: "sigmoid", shapes: [[30]], range: (-4, 4)) { try $1.activation(.sigmoid, $0[0]) },
    Case(testDescription: "logSoftmax", shapes: [[5, 6]], range: (-4, 4)) { try $1.logSoftmax($0[0]) },
    Case(testDescription: "adaptiveAveragePool", shapes: [[2, 2, 7, 5]]) {
      try $1.adaptiveAveragePool($0[0], size: 3)
    },
    Case(testDescription: "maxPool", shapes: [[2, 2, 7, 5]]) { try $1.maxPool($0[0], kernel: 3, stride: 2) },
    Case(testDescription: "maxPool with padding", shapes: [[2, 2, 7, 5]]) {
      try $1.maxPool($0[0], kernel: 3, stride: 2, padding: 1)
    },
    Case(testDescription: "averagePool", shapes: [[2, 2, 7, 5]]) {
      try $1.averagePool($0[0], kernel: 3, stride: 2, padding: 1)
    },
    Case(testDescription: "localResponseNorm", shapes: [[2, 6, 5]], range: (-2, 2)) {
      try $1.localResponseNorm($0[0], size: 5, alpha: 0.5)
    },
    Case(testDescription: "channelShuffle", shapes: [[2, 6, 3]]) { try $1.channelShuffle($0[0], groups: 2) },
    Case(testDescription: "channels, taken apart and joined", shapes: [[2, 5, 3]]) { x, context in
      let (a, b) = (try context.channels(0..<2, of: x[0]), try context.channels(1..<5, of: x[0]))
      return try context.concatenateChannels(try context.activation(.tanh, b), a)
    },
    Case(testDescription: "a residual block", shapes: [[12]]) {
      try Residual(
        Sequential([Activation(.tanh)]), shortcut: Sequential([Activation(.gelu)]), activation: .sigmoid)(
          $0[0], $1)
    },
    Case(testDescription: "ShuffleNet's units", shapes: [[2, 4, 3, 2]]) {
      try ShuffleUnit(first: Sequential([Activation(.gelu)]), second: Sequential([Activation(.tanh)]))(
        try ShuffleUnit(second: Sequential([Activation(.sigmoid)]))($0[0], $1), $1)
    },
    Case(testDescription: "dropout", shapes: [[50]]) { try $1.dropout($0[0], rate: 0.4) },
    Case(testDescription: "a sum used twice", shapes: [[12], [12]]) { x, context in
      let s = try context.add(x[0], x[1])
      return try context.add(try context.reshape(try context.activation(.tanh, s), [12]), s)
    },
  ]

  @Test(arguments: cases) private func theGradientIsTheSlope(_ item: Case) throws {
    let device = try CPUBackend(threads: 1)
    var values = item.shapes.enumerated().map {
      drawn(UInt64(40 + $0), $1.reduce(1, *), item.range.0, item.range.1)
    }
    func forward(_ differentiable: Bool) throws -> (Variable, [Variable], Context) {
      let inputs = try zip(values, item.shapes).map {
        Variable(try device.tensor($0, $1), requiresGradient: true)
      }
      let context = Context(
        device: device, training: item.training, differentiable: differentiable, seed: 3, step: 0)
      return (try item.run(inputs, context), inputs, context)
    }
    let (y, inputs, context) = try forward(true)
    let weights = drawn(77, y.value.count)
    try context.tape?.backward(from: y, gradient: try device.tensor(weights, y.shape))
    func loss() throws -> Double {
      zip(try device.floats(try forward(false).0.value), weights).reduce(0) {
        $0 + Double($1.0) * Double($1.1)
      }
    }
    for (index, input) in inputs.enumerated() {
      let gradient = try device.floats(try #require(input.gradient))
      for i in gradient.indices {
        let (value, h) = (values[index][i], Float(1) / 128)
        values[index][i] = value + h
        let above = try loss()
        values[index][i] = value - h
        let below = try loss()
        values[index][i] = value
        let slope = (above - below) / Double(2 * h)
        #expect(abs(Double(gradient[i]) - slope) < 2e-3 * max(1, abs(slope)), "input \(index), element \(i)")
      }
    }
  }

  /// The gradient of the mean loss, as `backward(from:labels:)` starts it.
  @Test(arguments: [Float(0), 0.125]) func theGradientOfTheLossIsItsSlope(_ smoothing: Float) throws {
    let device = try CPUBackend(threads: 1)
    var values = drawn(90, 9 * 4, -3, 3)
    let labels = try device.tensor((0..<9).map { Int32($0 * 3 % 4) }, [9])
    func loss() throws -> Double {
      let x = Variable(try device.tensor(values, [9, 4]))
      let losses = try Context(device: device).crossEntropy(x, labels: labels, smoothing: smoothing)
      return try device.floats(losses).reduce(0) { $0 + Double($1) } / 9
    }
    let context = Context(device: device, differentiable: true)
    let logits = Variable(try device.tensor(values, [9, 4]), requiresGradient: true)
    try context.backward(from: logits, labels: labels, smoothing: smoothing)
    let gradient = try device.floats(try #require(logits.gradient))
    for i in values.indices {
      let (value, h) = (values[i], Float(1) / 64)
      values[i] = value + h
      let above = try loss()
      values[i] = value - h
      let slope = (above - (try loss())) / Double(2 * h)
      values[i] = value
      #expect(abs(Double(gradient[i]) - slope) < 1e-4, "element \(i)")
    }
  }

  @Test func withoutATapeNothingIsRecorded() throws {
    let device = try CPUBackend(threads: 1)
    let context = Context(device: device)
    let x = Variable(try device.tensor([Float](arrayLiteral: 1, 2), [2]), requiresGradient: true)
    #expect(try context.dropout(x, rate: 0.9) === x)
    #expect(throws: TesseraError.self) {
      try context.backward(from: x, labels: try device.tensor([Int32](arrayLiteral: 0), [1]))
    }
  }

  @Test func shapesThatDoNotFitAreNamed() throws {
    let device = try CPUBackend(threads: 1)
    let context = Context(device: device)
    func variable(_ shape: Int...) throws -> Variable {
      Variable(try device.tensor([Float](repeating: 0, count: shape.reduce(1, *)), shape))
    }
    let (a, b, image) = (try variable(2, 3), try variable(4, 5), try variable(1, 3, 4, 4))
    #expect(throws: TesseraError.self) { try context.linear(a, weight: b, bias: nil) }
    #expect(throws: TesseraError.self) { try context.add(a, b) }
    #expect(throws: TesseraError.self) { try context.conv2d(image, weight: b, bias: nil, .init()) }
    #expect(throws: TesseraError.self) {
      try context.conv2d(image, weight: image, bias: nil, .init(groups: 2))
    }
    #expect(throws: TesseraError.self) { try context.maxPool(a, kernel: 2, stride: 2) }
    #expect(throws: TesseraError.self) { try context.channelShuffle(image, groups: 2) }
    #expect(throws: TesseraError.self) { try context.channels(2..<4, of: image) }
    #expect(throws: TesseraError.self) { try context.concatenateChannels(image, b) }
  }
}
