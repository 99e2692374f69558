// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import TesseraCompute
import TesseraData
import TesseraNN
import TesseraVision
import Testing

@testable import TesseraPipeline

/// Models of ONNX: their bytes against those of ONNX's own code (tools/golden/onnx_model.py), and what an exported run
/// says by the operators' definitions (`ONNXEvaluator`). `tools/check/onnx` runs them in onnxruntime.
@Suite struct ONNXTests {
  private struct Wanted: Decodable { let bytes: String }

  @Test func bytesAreONNXs() throws {
    var graph = ONNXGraph()
    let x = graph.input("x", .float32, columns: 7)
    let weight = graph.floats("w", [1.5, -2], [2])
    _ = graph.doubles("d", [0.1], [])
    let y = graph.node(
      "Conv", [x, weight],
      [
        ("epsilon", .float(0.25)), ("group", .int(3)), ("auto_pad", .text("SAME_UPPER")),
        ("pads", .ints([0, 1, 300, -1])),
      ])
    let z = graph.node("Add", [y, graph.integers("i", [-1, 2], [1, 2])], name: "conv")
    #expect(y == "conv" && z == "conv_2" && graph.constantBytes == 32)
    graph.output(z, columns: 2)
    let bytes = graph.model("tessera", note: "a note", metadata: [("classes", "[\"a\",\"b\"]")])
    // The version is this program's, whatever it was when the golden file was made.
    let wanted = try Golden(.module).json("onnx_model.json", as: Wanted.self).bytes
    let found = bytes.map { String(format: "%02x", $0) }.joined()
    let old = "0.2.0".utf8.map { String(format: "%02x", $0) }.joined()
    let new = tesseraVersion.utf8.map { String(format: "%02x", $0) }.joined()
    #expect(tesseraVersion.utf8.count == 5 && found == wanted.replacingOccurrences(of: old, with: new))
  }

  /// Every value of a run's graph is made before it is used, once; all weights are there; the operators are known.
  @Test(arguments: [Architecture.alexnet, .shuffleNet, .efficientnetLite0, .alexnetBVLC, .resnet18])
  func aRunsGraphIsWhole(_ architecture: Architecture) throws {
    try ProofRun.withRun { folder in
      try ProofRun.make(folder, "run") {
        ($0.model.architecture, $0.layout.pixels, $0.model.training.epochs, $0.repeats) = (
          architecture, 16, 1, 1
        )
        $0.model.network.bypass = architecture != .resnet18
      }
      let cpu = try CPUBackend(threads: 1)
      let model = try ONNXModel(run: folder + "/run", on: cpu)
      #expect(model.input == "features" && model.columns == 64 && model.classes == ["negative", "positive"])
      let digits = try model.write(to: folder + "/a.onnx")
      #expect(try ONNXModel(run: folder + "/run", on: cpu).write(to: folder + "/b.onnx") == digits)
      let graph = try ONNXReader(model.bytes)
      var known = Set(graph.inputs).union(graph.constants.keys).union([""])
      let values = graph.constants.values.reduce(0) { $0 + $1.values.count }
      let network = try TrainedModel.read(folder + "/run/model.safetensors", on: DeviceGroup(cpu)).network
      #expect(values > network.state.reduce(0) { $0 + $1.tensor.count })
      var operators: [String: Int] = [:]
      for node in graph.nodes {
        #expect(node.inputs.allSatisfy(known.contains) && known.insert(node.output).inserted)
        operators[node.operation, default: 0] += 1
      }
      #expect(graph.outputs == ["logits", "probabilities"] && graph.outputs.allSatisfy(known.contains))
      #expect(operators["Softmax"] == 1 && operators["Log"] == 1 && operators["Resize"] == 1)
      #expect(operators["Gemm"] == (architecture == .resnet18 ? 1 : 2))
      #expect((operators["LRN"] ?? 0) == (architecture == .alexnetBVLC ? 1 : 0))
      #expect((operators["Transpose"] ?? 0) == (architecture == .shuffleNet ? 4 : 0))
      try Self.expectAnswers(of: graph, folder + "/run")
    }
  }

  /// What the model says of the rows that a run was tested on, by the definitions of its operators in binary64, is what
  /// the run said in binary32.
  private static func expectAnswers(of graph: ONNXReader, _ run: String) throws {
    let features = try Embeddings.read(run + "/test.embeddings.safetensors")
    let columns = features.features.count / features.labels.count
    let rows = features.features[0..<features.features.count].map { Double($0) }
    let outputs = try ONNXEvaluator(graph).outputs(rows, columns: columns)
    let said = try TensorFile.open(run + "/predictions.safetensors").floats("log_probabilities")
    try expectEqual(outputs, said)
  }

  /// Logits and probabilities of a model beside logarithms of probabilities of a run.
  private static func expectEqual(
    _ outputs: [ONNXArray], _ said: [Float], location: SourceLocation = #_sourceLocation
  ) throws {
    let (logits, shares) = (outputs[0].values, outputs[1].values)
    let classes = outputs[0].shape[1]
    try #require(logits.count == said.count && shares.count == said.count && outputs.count == 2)
    for row in 0..<said.count / classes {
      let range = row * classes..<(row + 1) * classes
      let sum = logits[range].reduce(0) { $0 + exp($1) }
      let size = said[range].reduce(1) { max($0, abs(Double($1))) }
      for at in range {
        let off = abs(logits[at] - log(sum) - Double(said[at]))
        #expect(off <= 1e-5 * size, "row \(row): \(off)", sourceLocation: location)
        #expect(abs(shares[at] - exp(logits[at]) / sum) < 1e-12, sourceLocation: location)
      }
    }
  }

  /// A channel for each hidden state; and the official code's habit, the batch's own moments.
  @Test(arguments: [ImageChannels.layer, .grey])
  func answersOfOtherImages(_ channels: ImageChannels) throws {
    try ProofRun.withRun { folder in
      try ProofRun.make(folder, "run") {
        ($0.layout.channels, $0.model.training.epochs, $0.repeats) = (channels, 1, 1)
        if channels == .grey { $0.model.normalization = .batch }
      }
      let model = try ONNXModel(run: folder + "/run", on: try CPUBackend(threads: 1))
      try Self.expectAnswers(of: ONNXReader(model.bytes), folder + "/run")
    }
  }

  /// Four numbers: of a whole batch's thousands nobody could tell n from n - 1.
  @Test func aBatchsDeviationIsUnbiased() throws {
    var graph = ONNXGraph()
    let row = graph.input("row", .float32, columns: 4)
    let image = graph.node("Reshape", [row, graph.integers("shape", [-1, 1, 2, 2])])
    let standardised = ONNXModel.batchStandardised(&graph, image)
    graph.output(standardised, columns: 4)
    let bytes = graph.model("batch", note: "", metadata: [])
    let found = try ONNXEvaluator(ONNXReader(bytes)).outputs([1, 2, 4, 5], columns: 4)
    let deviation = (10.0 / 3).squareRoot()
    for (value, wanted) in zip(try #require(found.first).values, [-2.0, -1, 1, 2]) {
      #expect(abs(value - wanted / deviation) < 1e-7)
    }
  }

  /// What a layer of its own gives for one image.
  private func values(_ layer: LayerDescription, channels: Int, side: Int, _ image: [Double], _ count: Int)
    throws
    -> [Double]
  {
    var graph = ONNXGraph()
    let row = graph.input("row", .float32, columns: image.count)
    let x = graph.node("Reshape", [row, graph.integers("shape", [-1, channels, side, side])])
    var layers = ONNXLayers(graph, on: try CPUBackend(threads: 1), channels: channels, side: side)
    let y = try layers.add(layer, x, "layer")
    layers.graph.output(y, columns: count)
    let bytes = layers.graph.model("layer", note: "", metadata: [])
    let found = try ONNXEvaluator(ONNXReader(bytes)).outputs(image, columns: image.count)
    return try #require(found.first).values
  }

  @Test func layersAloneAreTheirDefinitions() throws {
    // Windows that share out what they do not divide overlap, as PyTorch's do: of three rows 0 and 1, 1 and 2.
    let pooled = try values(.adaptiveAveragePool(2), channels: 1, side: 3, (1...9).map(Double.init), 4)
    #expect(pooled == [3, 4, 6, 7])
    // Halves' channels take turns.
    let shuffled = try values(.shuffle(first: nil, second: .identity), channels: 4, side: 1, [1, 2, 3, 4], 4)
    #expect(shuffled == [1, 3, 2, 4])
  }

  /// A table's model takes the table's own numbers, what is missing among them.
  @Test func aTablesModelTakesItsOwnNumbers() throws {
    try withTemporaryFolder { folder in
      try Data(TinyTable.csv(60, missing: true).utf8).write(to: URL(fileURLWithPath: folder + "/rows.csv"))
      var options = TableOptions()
      (options.columns.ignored, options.missing) = (["id"], .median)
      var c = RunConfiguration(table: folder + "/rows.csv", options)
      (c.layout, c.model) = (Recipe.standard.layout, Recipe.standard.model())
      (c.layout.iterations, c.model.training.epochs) = (50, 1)
      let devices = DeviceGroup(try CPUBackend(threads: 2))
      _ = try Pipeline(c, devices: devices, out: folder + "/run", progress: ProgressLine(quiet: true)).run()
      let predictor = try Predictor(run: folder + "/run", devices: devices)
      let table = try predictor.table(folder + "/rows.csv", DataFormat(), options.columns, labelled: false)
      let numbers = (0..<60).flatMap { table.values(row: $0) }
      #expect(numbers.contains { $0.isNaN })
      let model = try ONNXModel(run: folder + "/run", on: devices.main)
      let outputs = try ONNXEvaluator(ONNXReader(model.bytes)).outputs(numbers, columns: 7)
      try Self.expectEqual(
        outputs, try predictor.predict(table, rows: Array(0..<60)).flatMap(\.logProbabilities))
    }
  }

  @Test func whatIsNoFinishedRunIsRefused() throws {
    try withTemporaryFolder { folder in
      let cpu = try CPUBackend(threads: 1)
      #expect(throws: TesseraError.self) { try ONNXModel(run: folder, on: cpu) }
    }
  }
}
