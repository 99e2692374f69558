// SPDX-License-Identifier: Apache-2.0
import TestSupport
import Testing

@testable import TesseraCompute
@testable import TesseraVerification

/// Transformed kernels are kept while the weights stay as they are, and no longer.
@Suite struct KeptKernelsTests {
  private func key(_ isMirrored: Bool = false) -> KeptKernels.Key {
    KeptKernels.Key(outputs: 16, channels: 16, taps: 3, panel: 16, isMirrored: isMirrored)
  }

  @Test func theSecondUseInARowKeeps() throws {
    let device = try CPUBackend(threads: 1)
    let kernels = KeptKernels()
    var made = 0
    func use(_ key: KeptKernels.Key, isKept: Bool = true) throws -> Bool {
      var isGiven = false
      try kernels.use(key, isKept: isKept) {
        made += 1
        return try device.empty(1)
      } _: { given in
        // The convolution reads the weights.
        kernels.noteAccess()
        isGiven = given != nil
      }
      return isGiven
    }
    #expect(try [use(key()), use(key()), use(key())] == [false, true, true])
    #expect(made == 1)
    // The other direction's are others, and take nothing from these.
    #expect(try [use(key(true)), use(key(true)), use(key()), use(key(true))] == [false, true, true, true])
    #expect(made == 2)
    kernels.noteAccess()
    #expect(try [use(key()), use(key()), use(key(true))] == [false, true, false])
    #expect(made == 3)
    kernels.noteAccess()
    #expect(try [use(key(), isKept: false), use(key(), isKept: false)] == [false, false])
  }

  /// The same convolution again and again, between changes of its weights by every way there is.
  private func expectFreshResults(on device: some Backend, _ direction: ConvDirection) throws {
    let p = Convolution(
      batch: 2, inChannels: 18, size: (8, 9), outChannels: 20, kernel: (3, 3), padding: 1)
    var inputs = CaseInputs(seed: 29)
    let values = inputs.floats(p.inputCount), gradients = inputs.floats(p.outputCount)
    let w = try device.tensor(inputs.floats(p.weightCount), [p.weightCount])
    func result(_ w: Tensor) throws -> [UInt32] {
      if direction == .forward {
        let (x, y) = (try device.tensor(values, [p.inputCount]), try device.empty([p.outputCount]))
        try device.conv2d(p, x, w, bias: nil, into: y)
        return try device.floats(y).map(\.bitPattern)
      }
      let (dy, dx) = (try device.tensor(gradients, [p.outputCount]), try device.empty([p.inputCount]))
      try device.conv2dGradData(p, dy, w, into: dx)
      return try device.floats(dx).map(\.bitPattern)
    }
    let other = try device.tensor(inputs.floats(p.weightCount), [p.weightCount])
    let first = try device.tensor([Float](repeating: 0, count: p.weightCount), [p.weightCount])
    let second = try device.tensor([Float](repeating: 0, count: p.weightCount), [p.weightCount])
    let changes: [() throws -> Void] = [
      {}, { try inputs.floats(p.weightCount).withUnsafeBytes { try device.upload($0, to: w, offset: 0) } },
      { try device.fill(w, with: 0.5) }, { try device.copy(other, to: w) },
      { try device.binary(.multiply, other, other, into: w) },
      {
        try device.adam(
          AdamStep(count: p.weightCount, learningRate: 0.1), gradient: other, parameter: w,
          firstMoment: first,
          secondMoment: second)
      },
    ]
    for (index, change) in changes.enumerated() {
      for _ in 0..<3 { _ = try result(w) }
      try change()
      let found = try result(w)
      // Reading the weights lets go too: it comes after.
      let fresh = try device.tensor(device.floats(w), [p.weightCount])
      #expect(try found == result(fresh), "change \(index)")
    }
  }

  @Test(arguments: [ConvDirection.forward, .gradData]) func whatChangesTheWeightsLetsGo(
    _ direction: ConvDirection
  ) throws {
    try expectFreshResults(on: CPUBackend(threads: 2), direction)
  }

  @Test(.enabled(if: TestDevices.hasOpenCL), .tags(.opencl), arguments: [false, true])
  func openCLLetsGoToo(_ gpu: Bool) throws {
    let device = try OpenCLBackend(TestDevices.first(), variant: gpu ? .gpu : .cpu)
    try expectFreshResults(on: device, .forward)
    try expectFreshResults(on: device, .gradData)
  }
}
