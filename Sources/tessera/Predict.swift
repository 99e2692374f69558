import ArgumentParser
import Foundation
import TesseraCompute
import TesseraPipeline

/// Classifies texts with a finished run.
struct Predict: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Classifies texts: --text, --data, or lines on standard input.")

  @Option(name: .customLong("run"), help: "Run directory.")
  var folder: String
  @Option(help: "A text.")
  var text: String?
  @Option(help: "Texts: CSV, TSV, JSON lines or a folder; classes are not looked at.")
  var data: String?
  @Option(help: "Column of the text (default: review, text or sentence).")
  var textColumn: String?
  @OptionGroup var device: DeviceOptions

  /// Prints class, probability and text of each, separated by tabs.
  func run() throws {
    let texts = try self.texts()
    guard !texts.isEmpty else {
      throw TesseraError.input("predict", found: "no text", wanted: "--text, --data or lines")
    }
    let predictor = try Predictor(run: folder, device: try device.open())
    for (text, prediction) in zip(texts, try predictor.predict(texts)) {
      let share = (Double(prediction.probability) * 1000).rounded() / 1000
      let line = text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
      print("\(prediction.label)\t\(share)\t\(line.count > 100 ? line.prefix(97) + "..." : line[...])")
    }
  }

  private func texts() throws -> [String] {
    if let text { return [text] }
    if let data {
      return try DataSet.read(data, columns: .init(text: textColumn), classes: nil, labelled: false).texts
    }
    var lines: [String] = []
    while let line = readLine() {
      if !line.trimmingCharacters(in: .whitespaces).isEmpty { lines.append(line) }
    }
    return lines
  }
}
