// SPDX-License-Identifier: Apache-2.0
import TestSupport
import TesseraCompute
import Testing

@testable import TesseraVision

/// A short training run of every model has one fingerprint: on one thread, on two, through OpenCL.
@Suite struct ModelFingerprintTests {
  @Test(.tags(.slow, .opencl), arguments: Architecture.allCases) func everyDeviceTrainsTheSameBits(
    _ architecture: Architecture
  )
    throws
  {
    // The smallest images that the model takes, for time's sake.
    let pixels = architecture.model.smallestPixels(NetworkOptions())
    let count = 12
    var plan = TrainingPlan(
      images: drawn(11, count * pixels * pixels, -1, 1), labels: (0..<count).map { Int32($0 % 3) },
      training: Array(0..<9), validation: Array(9..<count))
    (plan.options.epochs, plan.options.batch) = (2, 5)
    var devices: [any Backend] = [try CPUBackend(threads: 1), try CPUBackend(threads: 2)]
    if TestDevices.hasOpenCL { devices.append(try OpenCLBackend(try TestDevices.first())) }
    let prints = try devices.map { device in
      let network = try ImageClassifier(architecture, classes: 3, pixels: pixels, seed: 1701, device: device)
      let trainer = try Trainer(network, plan)
      try trainer.run()
      var print = Fingerprint()
      for (name, tensor) in network.state {
        print.add(name)
        try device.floats(tensor).withUnsafeBytes { print.add($0) }
      }
      return print.digits()
    }
    for print in prints.dropFirst() { #expect(print == prints[0], "\(architecture.rawValue)") }
  }

  // All networks on every device: tools/check/matrix. This one has grouped, depthwise, strided and 1x1
  // convolutions.
  @Test func twentyStepsGiveThePublishedFingerprint() throws {
    let found = try TrainingCheck.fingerprint(.shuffleNet, on: try CPUBackend())
    #expect(found == TrainingCheck.published[.shuffleNet])
  }

  @Test func everyNetworkHasAPublishedFingerprint() {
    #expect(Set(TrainingCheck.published.keys) == Set(Architecture.allCases))
  }
}
