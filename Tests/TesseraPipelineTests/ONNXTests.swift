// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import TesseraCompute
import TesseraVision
import Testing

@testable import TesseraPipeline

/// Models of ONNX: their bytes against those of ONNX's own code (tools/golden/onnx_model.py), and what an exported run
/// holds. `tools/check/onnx` runs them in onnxruntime.
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

  /// Fields of a message with the bytes of each.
  private func fields(_ data: ArraySlice<UInt8>) throws -> [(field: Int, bytes: ArraySlice<UInt8>)] {
    var (at, found) = (data.startIndex, [(field: Int, bytes: ArraySlice<UInt8>)]())
    func varint() throws -> Int {
      var (value, shift) = (0, 0)
      while true {
        try #require(at < data.endIndex && shift < 63)
        value |= Int(data[at] & 0x7f) << shift
        shift += 7
        at += 1
        if data[at - 1] < 0x80 { return value }
      }
    }
    while at < data.endIndex {
      let key = try varint(), begin = at
      switch key & 7 {
      case 0:
        while data[at] >= 0x80 { at += 1 }
        at += 1
        found.append((key >> 3, data[begin..<at]))
      case 5:
        found.append((key >> 3, data[at..<at + 4]))
        at += 4
      default:
        try #require(key & 7 == 2)
        let length = try varint()
        found.append((key >> 3, data[at..<at + length]))
        at += length
      }
    }
    return found
  }

  private func text(_ bytes: ArraySlice<UInt8>) -> String { String(decoding: bytes, as: UTF8.self) }

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
      let graph = try #require(try fields(model.bytes[...]).first { $0.field == 7 }).bytes
      let parts = try fields(graph)
      var known: Set<String> = [""]
      for part in parts where part.field == 11 { known.insert(text(try fields(part.bytes)[0].bytes)) }
      var values = 0
      for part in parts where part.field == 5 {
        let tensor = try fields(part.bytes)
        #expect(known.insert(text(try #require(tensor.first { $0.field == 8 }).bytes)).inserted)
        values += try #require(tensor.first { $0.field == 9 }).bytes.count / 4
      }
      let network = try TrainedModel.read(folder + "/run/model.safetensors", on: DeviceGroup(cpu)).network
      #expect(values > network.state.reduce(0) { $0 + $1.tensor.count })
      var operators: [String: Int] = [:]
      for part in parts where part.field == 1 {
        let node = try fields(part.bytes)
        #expect(node.filter { $0.field == 1 }.allSatisfy { known.contains(text($0.bytes)) })
        for output in node where output.field == 2 { #expect(known.insert(text(output.bytes)).inserted) }
        operators[text(try #require(node.first { $0.field == 4 }).bytes), default: 0] += 1
      }
      let outputs = try parts.filter { $0.field == 12 }.map { text(try fields($0.bytes)[0].bytes) }
      #expect(outputs == ["logits", "probabilities"] && outputs.allSatisfy(known.contains))
      #expect(operators["Softmax"] == 1 && operators["Log"] == 1 && operators["Resize"] == 1)
      #expect(operators["Gemm"] == (architecture == .resnet18 ? 1 : 2))
      #expect((operators["LRN"] ?? 0) == (architecture == .alexnetBVLC ? 1 : 0))
      #expect((operators["Transpose"] ?? 0) == (architecture == .shuffleNet ? 4 : 0))
    }
  }

  @Test func whatIsNoFinishedRunIsRefused() throws {
    try withTemporaryFolder { folder in
      let cpu = try CPUBackend(threads: 1)
      #expect(throws: TesseraError.self) { try ONNXModel(run: folder, on: cpu) }
    }
  }
}
