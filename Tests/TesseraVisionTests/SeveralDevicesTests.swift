// SPDX-License-Identifier: Apache-2.0
import TestSupport
import TesseraCompute
import Testing

@testable import TesseraVision

/// The frozen slice's output and predictions on several devices at once: the bytes of one.
@Suite(.tags(.opencl)) struct SeveralDevicesTests {
  private static let pixels = 32
  private static let images = drawn(11, 300 * pixels * pixels)

  private func groups() throws -> [DeviceGroup] {
    let (one, three) = (try CPUBackend(threads: 1), try CPUBackend(threads: 3))
    guard TestDevices.hasOpenCL else { return [DeviceGroup(one, helpers: [three])] }
    let opencl = try OpenCLBackend(try TestDevices.first())
    return [
      DeviceGroup(one, helpers: [opencl]), DeviceGroup(opencl, helpers: [one]),
      DeviceGroup(one, helpers: [three, opencl]),
    ]
  }

  private func network(_ device: any Backend, head: Head = .linear) throws -> ImageClassifier {
    var options = NetworkOptions()
    (options.head, options.bypass) = (head, true)
    let network = try ImageClassifier(
      .alexnet, classes: 3, pixels: Self.pixels, options: options, seed: 5, device: device)
    try drawState(network.state, from: 40, on: device)
    return network
  }

  @Test(arguments: [false, true]) func predictionsHaveTheSameBits(_ byBatch: Bool) throws {
    func scores(_ devices: DeviceGroup) throws -> [UInt32] {
      let network = try network(devices.main, head: .paper)
      // Each batch is standardised as a whole: its borders have to stay.
      network.standardizesBatches = byBatch
      return try network.copies(on: devices).logProbabilities(Self.images).map(\.bitPattern)
    }
    let wanted = try scores(DeviceGroup(try CPUBackend()))
    #expect(wanted.count == 300 * 3)
    for devices in try groups() { #expect(try scores(devices) == wanted, "\(devices.name)") }
  }

  @Test(.tags(.slow)) func keptFeaturesHaveTheSameBitsWhereverTheyAreKept() throws {
    try withTemporaryFolder { folder in
      var plan = TrainingPlan(
        images: Self.images, labels: (0..<300).map { Int32($0 % 3) }, training: Array(0..<240),
        validation: Array(240..<300))
      plan.options.epochs = 1
      plan.limits.folder = folder
      func train(_ devices: DeviceGroup) throws -> [UInt32] {
        let network = try network(devices.main)
        var progress: [Int] = []
        try Trainer(network, plan, helpers: devices.helpers).run(features: { done, all in
          #expect(all == 300)
          progress.append(done)
        })
        #expect(progress == progress.sorted() && progress.count == 5 && progress.last == 300)
        return try network.state.flatMap { try devices.main.floats($0.tensor).map(\.bitPattern) }
      }
      (plan.limits.device, plan.limits.host, plan.limits.file) = (1 << 30, 0, 0)
      let wanted = try train(DeviceGroup(try CPUBackend()))
      for devices in try groups() {
        for limits in [(1 << 30, 0, 0), (0, 1 << 30, 0), (0, 0, 1 << 30)] {
          (plan.limits.device, plan.limits.host, plan.limits.file) = limits
          #expect(try train(devices) == wanted, "\(devices.name), \(limits)")
        }
      }
    }
  }
}
