// SPDX-License-Identifier: Apache-2.0
import TestSupport
import TesseraCompute
import Testing

@testable import TesseraNN

/// Segments that the backward pass computes again: the bits of a pass that keeps everything, and less memory.
@Suite struct CheckpointTests {
  /// A network with all that a second computation could spoil: draws, running statistics, a layer used twice.
  private static func network(_ draw: Initializer, segments: Bool) throws -> Sequential {
    let (shared, tanh) = (try Linear(12, 12, draw), Activation(.tanh))
    func segment(_ modules: [any Module]) -> any Module {
      segments ? Checkpointed(Sequential(modules)) : Sequential(modules)
    }
    return Sequential([
      try Linear(6, 12, draw),
      segment([shared, tanh, Dropout(0.5)]),
      segment([try BatchNorm2d(12, draw), shared, segment([Dropout(0.25), shared, tanh])]),
      try Linear(12, 3, draw),
    ])
  }

  /// Weights and running statistics after three steps, and the losses.
  private static func trained(_ device: any Backend, segments: Bool) throws -> [[UInt32]] {
    let net = try network(Initializer(device: device, seed: 5), segments: segments)
    let optimizer = try Adam(device: device, [.init(net.parameters, learningRate: 0.05)])
    let x = Variable(try device.tensor(drawn(1, 20 * 6), [20, 6]), requiresGradient: true)
    let labels = try device.tensor((0..<20).map { Int32($0 % 3) })
    var found: [[UInt32]] = []
    for step in 0..<3 {
      let context = Context(
        device: device, training: true, differentiable: true, seed: 7, step: UInt64(step))
      let input = try context(x) * 0.5
      let losses = try Loss.crossEntropy(try net(input, context), labels: labels)
      try context.backward(meanOf: losses)
      try optimizer.step()
      found.append(try losses.values().map(\.bitPattern))
    }
    found.append(try device.floats(try #require(x.gradient)).map(\.bitPattern))
    return try found + net.state.map { try device.floats($0.state.tensor).map(\.bitPattern) }
  }

  @Test(.tags(.opencl)) func aCheckpointedTrainingHasTheSameBits() throws {
    var devices: [any Backend] = [try CPUBackend()]
    if TestDevices.hasOpenCL { devices.append(try OpenCLBackend(try TestDevices.first())) }
    let wanted = try Self.trained(devices[0], segments: false)
    for device in devices {
      #expect(try Self.trained(device, segments: true) == wanted)
    }
  }

  @Test func segmentsTakeLessMemory() throws {
    func peak(segments: Bool) throws -> (bytes: Int, gradient: [Float]) {
      let device = try CPUBackend(threads: 1)
      let context = Context(device: device, differentiable: true)
      let start = try context.variable(drawn(2, 1 << 18), requiresGradient: true)
      var x = start
      for _ in 0..<6 {
        let body = { (x: Variable, _: Context) in
          try (0..<6).reduce(x) { x, _ in try x.tanh() }
        }
        x = segments ? try context.checkpoint(x, body) : try body(x, context)
      }
      try x.sum().backward()
      return (device.highWaterMark, try device.floats(try #require(start.gradient)))
    }
    let (whole, parts) = (try peak(segments: false), try peak(segments: true))
    #expect(whole.gradient == parts.gradient)
    // 37 arrays of 1 MiB, or those of six segments and of one segment's inside.
    #expect(whole.bytes > 36 << 20 && parts.bytes < 20 << 20, "\(whole.bytes) and \(parts.bytes)")
  }

  @Test func aSegmentOfSeveralVariablesPassesGradientsToEach() throws {
    let context = Context(device: try CPUBackend(), differentiable: true)
    let a = try context.variable([1, 2], requiresGradient: true)
    let b = try context.variable([3, 4], requiresGradient: true)
    let mask = try context.variable([1, 0])
    let y = try context.checkpoint([a, b, mask]) { x, _ in try x[0] * x[1] * x[2] }
    // Its variables are the context's again.
    try (y + a * 10).sum().backward()
    #expect(try context.device.floats(try #require(a.gradient)) == [13, 10])
    #expect(try context.device.floats(try #require(b.gradient)) == [1, 0])
    #expect(mask.gradient == nil)
  }

  @Test func aSegmentThatChangesIsNamed() throws {
    let context = Context(device: try CPUBackend(), differentiable: true)
    let x = try context.variable([1, 2], requiresGradient: true)
    var times = 0
    let y = try context.checkpoint(x) { x, _ in
      times += 1
      return times == 1 ? x : try x.slice(0..<1)
    }
    let error = #expect(throws: TesseraError.self) { try y.sum().backward() }
    #expect("\(try #require(error))".contains("computed again"))
    // Without a tape a segment is a function like others.
    let plain = Context(device: try CPUBackend())
    #expect(try plain.checkpoint(try plain.variable([2])) { x, _ in try x * 3 }.item() == 6)
  }
}
