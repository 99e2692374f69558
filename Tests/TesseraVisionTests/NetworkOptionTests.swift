import TestSupport
import TesseraCompute
import TesseraNN
import Testing

@testable import TesseraVision

/// Upsampling, the linear path around the slice, noise on the pixels.
@Suite struct NetworkOptionTests {
  private func network(_ device: any Backend, upsampling: Int = 1, bypass: Bool = true) throws -> ImageClassifier {
    var options = NetworkOptions()
    (options.upsampling, options.bypass) = (upsampling, bypass)
    return try ImageClassifier(.shuffleNet, classes: 3, pixels: 104, options: options, seed: 1, device: device)
  }

  @Test func theBypassAddsItsProduct() throws {
    let device = try CPUBackend()
    let (plain, with) = (try network(device, bypass: false), try network(device))
    let area = 104 * 104
    let images = drawn(2, 2 * area)
    let logits = { (network: ImageClassifier) throws -> [Float] in
      let x = try device.tensor(images, [2, 1, 104, 104])
      let features = Variable(try network.features(x))
      return try device.floats(try network.logits(features, images: x, Context(device: device)).value)
    }
    let before = try logits(plain)
    #expect(try logits(with) == before)
    let weight = drawn(3, 3 * area, -0.01, 0.01)
    let bias: [Float] = [0.5, -1, 2]
    for (name, tensor) in with.state where name.hasPrefix("bypass.") {
      let values = name == "bypass.weight" ? weight : bias
      try values.withUnsafeBytes { try device.upload($0, to: tensor, offset: 0) }
    }
    for (i, found) in try logits(with).enumerated() {
      let (row, c) = (i / 3, i % 3)
      let product = (0..<area).reduce(0.0) { $0 + Double(images[row * area + $1]) * Double(weight[c * area + $1]) }
      #expect(abs(Double(found) - Double(before[i]) - product - Double(bias[c])) < 1e-4)
    }
  }

  @Test func anUpsamplingOutOfRangeIsRefused() throws {
    let device = try CPUBackend()
    for factor in [0, -1, 9] {
      #expect(throws: TesseraError.self) { try network(device, upsampling: factor) }
    }
    // 40 pixels leave nothing of the head's convolutions unless they are upsampled.
    #expect(throws: TesseraError.self) {
      var options = NetworkOptions()
      options.upsampling = 1
      return try ImageClassifier(.shuffleNet, classes: 2, pixels: 40, options: options, seed: 1, device: device)
    }
  }

  @Test func noiseAndBypassChangeNoBitBetweenDevices() throws {
    var devices: [any Backend] = [try CPUBackend(threads: 1), try CPUBackend(threads: 2)]
    if TestDevices.hasOpenCL { devices.append(try OpenCLBackend(try TestDevices.first())) }
    let area = 104 * 104
    var plan = TrainingPlan(
      images: drawn(4, 12 * area), labels: (0..<12).map { Int32($0 % 3) }, training: Array(0..<8),
      validation: Array(8..<12))
    (plan.epochs, plan.batch, plan.noise, plan.learningRates) = (1, 4, 0.5, (1e-3, 1e-3))
    plan.bypassRate = 1e-3
    let results = try devices.map { device in
      let network = try network(device)
      try Trainer(network, plan).run()
      return try network.state.flatMap { try device.floats($0.tensor).map(\.bitPattern) }
    }
    for result in results.dropFirst() { #expect(result == results[0]) }
    plan.noise = 0
    let quiet = try network(devices[0])
    try Trainer(quiet, plan).run()
    #expect(try quiet.state.flatMap { try devices[0].floats($0.tensor).map(\.bitPattern) } != results[0])
  }
}
