// SPDX-License-Identifier: Apache-2.0
import TestSupport
import TesseraCompute
import Testing

@testable import TesseraNN

/// A small network with every kind of layer, against PyTorch in float64 (tools/golden/networks.py).
@Suite struct TrainingTests {
  private static func network(_ device: any Backend) throws -> Sequential {
    let draw = Initializer(device: device, seed: 0)
    let net = Sequential([
      try Conv2d(4, 8, kernel: 3, .init(stride: 2, padding: 1, groups: 2), draw), try BatchNorm2d(8, draw),
      Activation(.gelu), MaxPool2d(kernel: 2, stride: 1),
      try Conv2d(8, 6, kernel: 2, .init(dilation: 2), draw),
      Activation(.relu6), AdaptiveAvgPool2d(2), Flatten(), try Linear(24, 10, draw), Activation(.tanh),
      try Linear(10, 7, draw), Activation(.sigmoid), try Linear(7, 3, draw),
    ])
    try drawState(net.state.map { ($0.name, $0.state.tensor) }, from: 100, on: device)
    return net
  }

  @Test func aTapeThatNobodyWentBackOverIsReleased() throws {
    weak var tape: Tape?
    do {
      let device = try CPUBackend()
      let context = Context(device: device, training: true, differentiable: true)
      let x = Variable(try device.tensor(drawn(1, 9 * 4 * 11 * 11), [9, 4, 11, 11]))
      let logits = try Self.network(device)(x, context)
      tape = context.tape
      #expect(logits.requiresGradient && tape != nil)
    }
    #expect(tape == nil)
  }

  /// Three steps: the losses and gradients of the first, the state after the last.
  private func train(_ device: any Backend) throws -> (
    losses: [Float], first: [String: [Float]], after: [String: [Float]]
  ) {
    let net = try Self.network(device)
    let x = Variable(try device.tensor(drawn(1, 9 * 4 * 11 * 11), [9, 4, 11, 11]))
    let labels = try device.tensor([Int32](arrayLiteral: 0, 1, 2, 2, 1, 0, 0, 2, 1), [9])
    let adam = try Adam(device: device, [.init(net.parameters, learningRate: 1e-2)], weightDecay: 1e-2)
    var (losses, first) = ([Float](), [String: [Float]]())
    for step in 0..<3 {
      let context = Context(device: device, training: true, differentiable: true, seed: 1, step: UInt64(step))
      let logits = try net(x, context)
      let loss = try context.crossEntropy(logits, labels: labels)
      try context.backward(from: logits, labels: labels)
      if step == 0 {
        losses = try device.floats(loss)
        for (name, parameter) in net.parameters {
          first[name] = try device.floats(try #require(parameter.gradient, "\(name)"))
        }
      }
      try adam.step()
    }
    var after: [String: [Float]] = [:]
    for (name, state) in net.state { after[name] = try device.floats(state.tensor) }
    return (losses, first, after)
  }

  @Test func lossesGradientsAndThreeStepsAreThoseOfPyTorch() throws {
    let golden = try Golden(.module).tensors("training.safetensors")
    let found = try train(try CPUBackend())
    #expect(largestDifference(found.losses, try golden.floats("losses")).value < 1e-5)
    #expect(found.first.count == 12 && found.after.count == 14)
    for (name, gradient) in found.first {
      #expect(largestDifference(gradient, try golden.floats("gradient." + name)).value < 1e-5, "\(name)")
    }
    for (name, values) in found.after {
      #expect(largestDifference(values, try golden.floats("after." + name)).value < 1e-4, "\(name)")
    }
  }

  @Test(.tags(.opencl)) func everyDeviceAndThreadCountTrainsTheSameBits() throws {
    var devices: [any Backend] = [try CPUBackend(threads: 1), try CPUBackend(threads: 3)]
    if TestDevices.hasOpenCL { devices.append(try OpenCLBackend(try TestDevices.first())) }
    let runs = try devices.map { try train($0) }
    for run in runs.dropFirst() {
      #expect(run.losses.map(\.bitPattern) == runs[0].losses.map(\.bitPattern))
      #expect(
        run.after.mapValues { $0.map(\.bitPattern) } == runs[0].after.mapValues { $0.map(\.bitPattern) })
    }
  }

  @Test func theOptimizerGoesOnFromItsState() throws {
    let device = try CPUBackend(threads: 1)
    func steps(_ counts: [Int]) throws -> [Float] {
      let parameter = Parameter(try device.tensor(drawn(5, 40), [40]))
      var saved: (steps: Int, moments: [[Float]]) = (0, [])
      var done = 0
      for count in counts {
        let adam = try Adam(device: device, [.init([("w", parameter)], learningRate: 1e-2)])
        if saved.steps > 0 {
          for (slot, values) in zip(adam.state, saved.moments) {
            try values.withUnsafeBytes { try device.upload($0, to: slot.tensor, offset: 0) }
          }
          try adam.restore(steps: saved.steps)
        }
        for _ in 0..<count {
          let context = Context(device: device, differentiable: true)
          let y = try context.add(parameter.leaf(), Variable(try device.tensor(drawn(6, 40), [40])))
          try context.tape?.backward(from: y, gradient: try device.tensor(drawn(UInt64(7 + done), 40), [40]))
          try adam.step()
          done += 1
        }
        saved = (adam.steps, try adam.state.map { try device.floats($0.tensor) })
      }
      return try device.floats(parameter.value)
    }
    #expect(try steps([7]) == steps([3, 4]))
    #expect(try steps([7]) != steps([6]))
  }

  /// One layer, the rows of three classes counting 0.5, 3 and 1.25 times (tools/golden/class_weights.py): the loss, the
  /// gradients of the first step, the layer after the third.
  private func trainWeighted(_ device: any Backend) throws -> [String: [Float]] {
    let classes: [Int32] = [0, 1, 2, 2, 1, 0, 0, 2, 1, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0]
    let weights: [Double] = [0.5, 3, 1.25]
    let sum = classes.reduce(0.0) { $0 + weights[Int($1)] }
    let factors = classes.map { Float(weights[Int($0)] * Double(classes.count) / sum) }
    let layer = try Linear(7, 3, Initializer(device: device, seed: 0))
    let state = Dictionary(layer.state.map { ($0.name, $0.state.tensor) }) { first, _ in first }
    for (name, seed, count) in [("weight", UInt64(42), 21), ("bias", 43, 3)] {
      let tensor = try #require(state[name])
      try drawn(seed, count).withUnsafeBytes { try device.upload($0, to: tensor, offset: 0) }
    }
    let adam = try Adam(device: device, [.init(layer.parameters, learningRate: 1e-2)])
    let labels = try device.tensor(classes, [19]), own = try device.tensor(factors, [19])
    var found: [String: [Float]] = [:]
    for step in 0..<3 {
      let context = Context(device: device, training: true, differentiable: true, seed: 1, step: UInt64(step))
      let logits = try layer(Variable(try device.tensor(drawn(41, 19 * 7), [19, 7])), context)
      let losses = try context.crossEntropy(logits, labels: labels, factors: own)
      try context.backward(from: logits, labels: labels, factors: own)
      if step == 0 {
        found["loss"] = [Float(try device.floats(losses).reduce(0.0) { $0 + Double($1) } / 19)]
        found["logits"] = try device.floats(logits.value)
        let gradient = try #require(layer.parameters.first { $0.name == "weight" }?.parameter.gradient)
        found["gradient.weight"] = try device.floats(gradient)
      }
      try adam.step()
    }
    for (name, tensor) in state { found["after." + name] = try device.floats(tensor) }
    return found
  }

  @Test(.tags(.opencl)) func weightedLossesAreThoseOfPyTorchOnEveryDevice() throws {
    let golden = try Golden(.module).tensors("weighted.safetensors")
    let found = try trainWeighted(try CPUBackend(threads: 1))
    #expect(found.count == 5)
    for (name, values) in found {
      #expect(largestDifference(values, try golden.floats(name)).value < 2e-6, "\(name)")
    }
    var devices: [any Backend] = [try CPUBackend(threads: 3)]
    if TestDevices.hasOpenCL { devices.append(try OpenCLBackend(try TestDevices.first())) }
    for device in devices {
      let other = try trainWeighted(device)
      #expect(other.mapValues { $0.map(\.bitPattern) } == found.mapValues { $0.map(\.bitPattern) })
    }
  }
}
