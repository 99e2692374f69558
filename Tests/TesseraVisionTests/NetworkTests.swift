import TestSupport
import TesseraCompute
import TesseraNN
import Testing

@testable import TesseraVision

/// Slices, heads and classifiers against PyTorch in float64 (tools/golden/networks.py).
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

  @Test(.enabled(if: Assets.hasEfficientNet)) func efficientNetLite0WithItsLegacyPthFile() throws {
    try expectSlice(.efficientnetLite0, try TensorFile.open(Assets.efficientNet))
  }

  @Test(.enabled(if: Assets.hasVGG16)) func vgg16WithRealWeights() throws {
    try expectSlice(.vgg16, try TensorFile.open(Assets.vgg16))
  }

  @Test func alexNetWithDrawnWeights() throws {
    let device = try CPUBackend(threads: 1)
    let shapes = [
      ("features.0.weight", [64, 3, 11, 11]), ("features.0.bias", [64]),
      ("features.3.weight", [192, 64, 5, 5]), ("features.3.bias", [192]),
    ]
    try withTemporaryFolder { folder in
      var writer = SafetensorsWriter(metadata: [:])
      for (index, (name, shape)) in shapes.enumerated() {
        writer.add(name, try device.tensor(drawnState(index, name, shape, from: 300), shape), on: device)
      }
      _ = try writer.write(to: folder + "/weights.safetensors")
      try expectSlice(.alexnet, try TensorFile.open(folder + "/weights.safetensors"))
    }
  }

  @Test(arguments: zip(Architecture.allCases, [[2, 192, 17, 17], [1, 256, 37, 37], [2, 40, 19, 19]]))
  func logitsAndGradientsOfHeadAndClassifier(_ architecture: Architecture, _ shape: [Int]) throws {
    let device = try CPUBackend()
    let network = try ImageClassifier(architecture, classes: 2, pixels: 50, seed: 1, device: device)
    try drawState(network.head.state.map { ($0.name, $0.state.tensor) }, from: 500, on: device)
    try drawState(network.classifier.state.map { ($0.name, $0.state.tensor) }, from: 600, on: device)
    // Not in training: running statistics, no dropout; the tape records all the same.
    let context = Context(device: device, training: false, differentiable: true, seed: 1, step: 0)
    let x = Variable(try device.tensor(drawn(3, shape.reduce(1, *)), shape))
    let logits = try network.logits(x, context)
    let file = try golden.tensors("heads.safetensors")
    let wanted = try file.floats(architecture.rawValue + ".logits", shape: [shape[0], 2])
    #expect(largestDifference(try device.floats(logits.value), wanted).value < 1e-4)
    try context.backward(
      from: logits, labels: try device.tensor((0..<Int32(shape[0])).map { $0 % 2 }, [shape[0]]))
    var checked = 0
    for (prefix, module) in [("head.", network.head), ("classifier.", network.classifier)] {
      for (name, parameter) in module.parameters {
        let g = try device.floats(try #require(parameter.gradient))
        let sum = g.reduce(0.0) { $0 + Double($1) }
        let norm = g.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
        let wanted = try file.floats("\(architecture.rawValue).\(prefix)\(name)")
        #expect(abs(norm - Double(wanted[1])) < 1e-4 * Double(wanted[1]), "\(prefix)\(name)")
        #expect(abs(sum - Double(wanted[0])) < 1e-3 * Double(wanted[1]) * Double(g.count).squareRoot())
        #expect(largestDifference(Array(g.prefix(16)), Array(wanted.dropFirst(2))).value < 1e-4 * wanted[1])
        checked += 1
      }
    }
    #expect(checked == (architecture == .alexnet ? 22 : 24))
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
