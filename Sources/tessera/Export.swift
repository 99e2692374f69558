// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import TesseraCompute
import TesseraPipeline

/// A finished run's classifier for other programs.
struct Export: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Writes a finished run's classifier as a model of ONNX, from features to logits.",
    discussion: """
      Of a run of texts the model takes the encoder's features (float32); of a run of a table its columns as they are \
      (float64, missing ones NaN, in the order that the model's metadata tell). It gives logits and probabilities.

      EXAMPLES:
        tessera export --run runs/a --onnx classifier.onnx
      """)

  @Option(name: .customLong("run"), help: "Run directory.")
  var folder: String
  @Option(help: "File to write.")
  var onnx: String
  @Flag(help: "JSON instead of text.")
  var json = false

  private struct Result: Encodable {
    let onnx: String, sha256: String, input: String, columns: Int, outputs: [String], classes: [String]
  }

  /// Writes the model.
  func run() throws {
    try AtomicFile.requireWritable(onnx)
    let model = try ONNXModel(run: folder, on: try CPUBackend(threads: 1))
    let digits = try model.write(to: onnx)
    guard !json else {
      return try printJSON(
        Result(
          onnx: onnx, sha256: digits, input: model.input, columns: model.columns,
          outputs: ["logits", "probabilities"], classes: model.classes))
    }
    print("onnx           \(onnx)")
    print("input          \(model.input): \(model.columns) numbers a row")
    print("outputs        logits, probabilities: \(model.classes.joined(separator: ", "))")
    print("SHA-256        \(digits)")
  }
}
