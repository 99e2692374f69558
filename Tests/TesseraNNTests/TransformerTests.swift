// SPDX-License-Identifier: Apache-2.0
import TestSupport
import Testing

@testable import TesseraNN

/// A small classifier of texts, against PyTorch in float64 (tools/golden/tensors.py): losses, gradients, and
/// ten steps of each optimiser.
@Suite struct TransformerTests {
  /// Embedding, two blocks, layer norm, the mean over the tokens, a linear layer.
  private final class Encoder: Module {
    let embedding: Embedding, blocks: [TransformerEncoderBlock], norm: LayerNorm, head: Linear

    init(_ device: any Backend, normFirst: Bool) throws {
      let draw = Initializer(device: device, seed: 0)
      embedding = try Embedding(11, 8, draw)
      blocks = try (0..<2).map { _ in
        try TransformerEncoderBlock(8, heads: 2, hidden: 12, normFirst: normFirst, draw)
      }
      (norm, head) = (try LayerNorm(8, draw), try Linear(8, 3, draw))
      try drawState(state.map { ($0.name, $0.state.tensor) }, from: 500, on: device)
    }

    func callAsFunction(_ ids: Variable, _ context: Context) throws -> Variable {
      let known = try context.device.ints(ids.value).map { $0 == 0 ? Float(0) : 1 }
      let mask = try context.variable(known, ids.shape)
      var x = try embedding(ids, context)
      for block in blocks { x = try block(x, mask: mask, context) }
      return try head(try norm(x, context).mean(1), context)
    }

    var state: [(name: String, state: ModuleState)] {
      let parts: [(String, any Module)] =
        [("embedding", embedding)] + blocks.enumerated().map { ("blocks.\($0)", $1) }
        + [("norm", norm), ("head", head)]
      return parts.flatMap { name, module in module.state.map { ("\(name).\($0.name)", $0.state) } }
    }
  }

  private static func optimizer(_ name: String, _ net: Encoder, _ device: any Backend) throws -> any Optimizer
  {
    func groups(_ rate: Float) -> [ParameterGroup] { [.init(net.parameters, learningRate: rate)] }
    return switch name {
    case "adamw": try Adam(device: device, groups(1e-2), weightDecay: 0.1, decoupled: true)
    case "sgd": try SGD(device: device, groups(5e-2), momentum: 0.9, weightDecay: 1e-2)
    case "nesterov": try SGD(device: device, groups(5e-2), momentum: 0.9, nesterov: true)
    case "rmsprop":
      try RMSprop(device: device, groups(1e-3), decay: 0.9, momentum: 0.5, weightDecay: 1e-2)
    default: try Adam(device: device, groups(1e-2), weightDecay: 1e-2)
    }
  }

  /// Ten steps: losses, norm and gradients of the first, the state after the last.
  private static func train(_ name: String, _ device: any Backend, steps: Int = 10) throws -> [String:
    [Float]]
  {
    let net = try Encoder(device, normFirst: name != "post")
    let ids = Variable(try device.tensor((0..<50).map { Int32($0 * 7 % 11) }, [10, 5]))
    let labels = try device.tensor((0..<10).map { Int32($0 * 5 % 3) })
    let optimizer = try optimizer(name, net, device)
    var found: [String: [Float]] = [:]
    for step in 0..<steps {
      let context = Context(device: device, training: true, differentiable: true, seed: 1, step: UInt64(step))
      let losses = try Loss.crossEntropy(try net(ids, context), labels: labels)
      try context.backward(meanOf: losses)
      if step == 0 {
        found["losses"] = try losses.values()
        found["norm"] = try device.floats(try Parameter.clipGradients(net.parameters, norm: 0.5, on: device))
        for (name, parameter) in net.parameters {
          found["gradient." + name] = try device.floats(try #require(parameter.gradient, "\(name)"))
        }
      }
      try optimizer.step(factor: 1)
    }
    for (name, state) in net.state { found["after." + name] = try device.floats(state.tensor) }
    return found
  }

  @Test(arguments: ["adam", "adamw", "sgd", "nesterov", "rmsprop", "post"])
  func lossesGradientsAndTenStepsAreThoseOfPyTorch(_ name: String) throws {
    let golden = try Golden(.module).tensors("layers.safetensors")
    let found = try Self.train(name, try CPUBackend())
    #expect(found.count > 50)
    for (key, values) in found where golden.contains("\(name).\(key)") {
      // A key's bias is the same for all scores of a query: its gradient is nothing but rounding, which
      // Adam's division by its own size makes a step of.
      let isKeyBias = key.hasSuffix("in_proj_bias") && key.hasPrefix("after")
      let wanted = try golden.floats("\(name).\(key)")
      let difference = largestDifference(
        isKeyBias ? values[..<8] + values[16...] : values[...],
        isKeyBias ? wanted[..<8] + wanted[16...] : wanted[...])
      #expect(difference < (key.hasPrefix("after") ? 2e-4 : 2e-5), "\(name).\(key)")
    }
  }

  private func largestDifference(_ a: ArraySlice<Float>, _ b: ArraySlice<Float>) -> Float {
    TestSupport.largestDifference(Array(a), Array(b)).value
  }

  @Test(.tags(.opencl)) func everyDeviceAndThreadCountTrainsTheSameBits() throws {
    var devices: [any Backend] = [try CPUBackend(threads: 1), try CPUBackend(threads: 3)]
    if TestDevices.hasOpenCL { devices.append(try OpenCLBackend(try TestDevices.first())) }
    for name in ["adamw", "rmsprop", "nesterov"] {
      let runs = try devices.map { device in
        try Self.train(name, device, steps: 3).mapValues { $0.map(\.bitPattern) }
      }
      for run in runs.dropFirst() { #expect(run == runs[0], "\(name)") }
    }
  }

  @Test func aCausalLayerDoesNotSeeWhatComes() throws {
    let device = try CPUBackend()
    let layer = try MultiHeadAttention(4, heads: 2, causal: true, Initializer(device: device, seed: 2))
    var values = drawn(5, 2 * 6 * 4)
    func output() throws -> [Float] {
      let context = Context(device: device)
      return try layer(try context.variable(values, [2, 6, 4]), context).values()
    }
    let before = try output()
    // The last two tokens of the first text.
    for index in 16..<24 { values[index] += 1 }
    let after = try output()
    #expect(
      before[..<16] == after[..<16] && before[16..<24] != after[16..<24] && before[24...] == after[24...])
  }

  /// Queries, keys and values have one gradient together, also where nothing hangs on some of them.
  @Test(arguments: [[0], [1], [2], [0, 2], [0, 1, 2]]) func headsWithoutAGradientHaveZeros(_ used: [Int])
    throws
  {
    let context = Context(device: try CPUBackend(), differentiable: true)
    let (batch, tokens, width) = (2, 3, 4)
    let x = try context.variable(
      drawn(1, batch * tokens * 3 * width), [batch, tokens, 3 * width], requiresGradient: true)
    // Twice: a pass leaves nothing to the next.
    for factor in [3, 5] as [Float] {
      let parts = try context.attentionHeads(x + 0, heads: 2)
      var sum = try parts[used[0]].sum()
      for part in used.dropFirst() { sum = try sum + parts[part].sum() }
      x.gradient = nil
      try (sum * factor).backward()
      let wanted = (0..<batch * tokens * 3 * width).map {
        used.contains($0 / width % 3) ? factor : Float(0)
      }
      #expect(try context.device.floats(try #require(x.gradient)) == wanted)
    }
  }

  /// With an eps far above all variances a layer norm gives nothing: to each token the same is added, of biases.
  @Test func aBlockHasItsEps() throws {
    let device = try CPUBackend()
    let values = drawn(6, 2 * 3 * 4)
    func added(_ eps: Float) throws -> [Float] {
      let block = try TransformerEncoderBlock(4, heads: 2, eps: eps, Initializer(device: device, seed: 2))
      let context = Context(device: device)
      return zip(try block(try context.variable(values, [2, 3, 4]), context).values(), values).map(-)
    }
    let (nothing, usual) = (try added(1e12), try added(1e-5))
    #expect(TestSupport.largestDifference(Array(nothing[4...]), Array(nothing[..<20])).value < 1e-4)
    #expect(TestSupport.largestDifference(Array(usual[4...]), Array(usual[..<20])).value > 1e-2)
  }

  @Test func pooledAveragesArePyTorchs() throws {
    let golden = try Golden(.module).tensors("layers.safetensors")
    let context = Context(device: try CPUBackend(), differentiable: true)
    let x = try context.variable(drawn(1, 2 * 3 * 36), [2, 3, 6, 6], requiresGradient: true)
    let y = try Sequential {
      AvgPool2d(kernel: 3, stride: 2, padding: 1)
      AvgPool2d(kernel: 2)
    }(x, context)
    try context.tape?.backward(from: y, gradient: try context.device.tensor(drawn(2, y.value.count), y.shape))
    #expect(TestSupport.largestDifference(try y.values(), try golden.floats("avgPool.y")).value < 1e-6)
    let dx = try context.device.floats(try #require(x.gradient))
    #expect(TestSupport.largestDifference(dx, try golden.floats("avgPool.dx")).value < 1e-6)
  }
}
