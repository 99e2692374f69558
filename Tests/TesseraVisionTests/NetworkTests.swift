// SPDX-License-Identifier: Apache-2.0
import TestSupport
import TesseraCompute
import TesseraNN
import Testing

@testable import TesseraVision

/// Slices with published weights, on grey images, against PyTorch in float64 (tools/golden/models.py).
@Suite struct NetworkTests {
  private let golden = Golden(.module)

  /// Every third row and column of a slice's output for the drawn image.
  private func sample(_ network: ImageClassifier) throws -> [Float] {
    let x = try network.features(try network.device.tensor(drawn(2, 2500, -2, 2), [1, 50, 50]))
    let (values, side) = (try network.device.floats(x), x.shape[3])
    return values.indices.filter { $0 / side % side % 3 == 0 && $0 % side % 3 == 0 }.map { values[$0] }
  }

  private func expectSlice(_ architecture: Architecture, _ file: TensorFile) throws {
    let network = try ImageClassifier(architecture, classes: 2, pixels: 50, seed: 1, device: try CPUBackend())
    try network.loadSlice(file)
    let wanted = try golden.tensors("slices.safetensors").floats(architecture.rawValue)
    let scale = wanted.reduce(0) { max($0, abs($1)) }
    #expect(largestDifference(try sample(network), wanted).value < 2e-5 * max(1, scale))
  }

  @Test(.tags(.assets), .enabled(if: Assets.hasEfficientNet)) func efficientNetLite0WithItsLegacyPthFile()
    throws
  {
    try expectSlice(.efficientnetLite0, try TensorFile.open(Assets.efficientNet))
  }

  @Test(.tags(.assets), .enabled(if: Assets.hasVGG16)) func vgg16WithRealWeights() throws {
    try expectSlice(.vgg16, try TensorFile.open(Assets.vgg16))
  }

  @Test(.tags(.assets), .enabled(if: Assets.hasBVLC)) func alexNetBVLCWithRealWeights() throws {
    try expectSlice(.alexnetBVLC, try TensorFile.open(Assets.bvlc))
  }

  @Test func anImageHasTheSameBitsInAnyBatch() throws {
    let device = try CPUBackend()
    let network = try ImageClassifier(.alexnet, classes: 3, pixels: 32, seed: 5, device: device)
    let images = drawn(8, 37 * 32 * 32)
    let all = try network.logProbabilities(images).map(\.bitPattern)
    for row in [0, 31, 32, 36] {
      let one = try network.logProbabilities(Array(images[row * 1024..<(row + 1) * 1024])).map(\.bitPattern)
      #expect(one == Array(all[row * 3..<row * 3 + 3]))
    }
  }

  @Test func weightsOfAnotherShapeAreNamed() throws {
    let network = try ImageClassifier(
      .vgg16, classes: 2, pixels: 50, seed: 1, device: try CPUBackend(threads: 1))
    try withTemporaryFolder { folder in
      var writer = SafetensorsWriter(metadata: [:])
      let device = network.device
      writer.add(
        "features.0.weight", try device.tensor([Float](repeating: 0, count: 64 * 27), [64, 3, 9, 1]),
        on: device)
      _ = try writer.write(to: folder + "/w.safetensors")
      do {
        try network.loadSlice(try TensorFile.open(folder + "/w.safetensors"))
        Issue.record("weights of another shape were loaded")
      } catch {
        #expect("\(error)".contains("features.0.weight") && "\(error)".contains("[64, 3, 3, 3]"), "\(error)")
      }
    }
  }
}
