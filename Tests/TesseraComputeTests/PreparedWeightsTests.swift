// SPDX-License-Identifier: Apache-2.0
import TestSupport
import Testing

@testable import TesseraCompute
@testable import TesseraVerification

/// Transformed kernels and packed panels are kept while the weights stay as they are, and no longer.
@Suite struct PreparedWeightsTests {
  private func key(_ isMirrored: Bool = false) -> PreparedWeights.Key {
    .transformed(outputs: 16, channels: 16, taps: 3, panel: 16, isMirrored: isMirrored)
  }

  @Test func theSecondUseInARowKeeps() throws {
    let device = try CPUBackend(threads: 1)
    let kernels = PreparedWeights()
    var made = 0
    func use(_ key: PreparedWeights.Key, isKept: Bool = true) throws -> Bool {
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

  /// A product again and again, between changes of its weights, also by a product whose result they are.
  @Test(arguments: [1, 2]) func productsFollowTheirWeights(threads: Int) throws {
    let device = try CPUBackend(threads: threads)
    let (m, n, k) = (23, 70, 600)
    var inputs = CaseInputs(seed: 31)
    let values = inputs.floats(m * k)
    let w = try device.tensor(inputs.floats(n * k), [n, k])
    let other = try device.tensor(inputs.floats(n * n), [n, n])
    func result(_ w: Tensor, rows: Int = m, columns: Int = n, offset: Int = 0) throws -> [UInt32] {
      var p = Matmul(m: rows, n: columns, k: k, transposeB: true)
      p.b.offset = offset
      let (x, y) = (try device.tensor(values, [m, k]), try device.empty(rows, columns))
      try device.matmul(p, x, w, bias: nil, into: y)
      return try device.floats(y).map(\.bitPattern)
    }
    let changes: [() throws -> Void] = [
      {}, { try inputs.floats(n * k).withUnsafeBytes { try device.upload($0, to: w, offset: 0) } },
      { try device.fill(w, with: 0.25) },
      {
        try device.matmul(
          Matmul(m: n, n: k, k: n), other, device.tensor(inputs.floats(n * k), [n, k]), bias: nil, into: w)
      },
    ]
    for (index, change) in changes.enumerated() {
      for _ in 0..<3 { _ = try result(w) }
      try change()
      let found = try result(w), again = try result(w), kept = try result(w)
      // Other columns, and another number of rows, of the same memory.
      func later() throws -> [UInt32] { try result(w, columns: n - 1, offset: k) }
      #expect(try later() == later() && later() == later())
      let part = try [later(), result(w, columns: n - 1), result(w, rows: m - 9)]
      let fresh = try device.tensor(device.floats(w), [n, k])
      #expect(try found == result(fresh) && again == found && kept == found, "change \(index)")
      let parts = try [
        result(device.tensor(Array(device.floats(w).dropFirst(k)), [n - 1, k]), columns: n - 1),
        result(fresh, columns: n - 1), Array(result(fresh).prefix((m - 9) * n)),
      ]
      #expect(part == parts, "change \(index)")
    }
  }
}
