import ArgumentParser
import Foundation
import TesseraCompute
import TesseraPipeline

/// Classifies texts with a finished run.
struct Predict: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Classifies texts: --text, --data, or lines on standard input, answered as they come.")

  @Option(name: .customLong("run"), help: "Run directory.")
  var folder: String
  @Option(help: "A text.")
  var text: String?
  @Option(help: "Texts: CSV, TSV, JSON lines or a folder; classes are not looked at.")
  var data: String?
  @Option(help: "Column of the text (default: review, text or sentence).")
  var textColumn: String?
  @Flag(help: "A JSON object a line: text, label, probability, probabilities.")
  var json = false
  @Flag(help: "With --json: the text's image as PNG in base64.")
  var image = false
  @Flag(help: "With --json: where the evidence lies (Grad-CAM), by hidden state and feature.")
  var evidence = false
  @Flag(help: "With --json: the words it hangs on, each left out in turn (as many encodings as words).")
  var words = false
  @OptionGroup var device: DeviceOptions

  /// Texts that a device takes at once: few enough that answers come soon, no matter to the bits.
  private static let chunk = 32

  private struct Line: Encodable {
    let text: String, label: String, probability: Float, probabilities: [String: Float]
    let image: String?, evidence: Predictor.Evidence?, words: [Predictor.Word]?
  }

  /// Checks that options go together.
  func validate() throws {
    guard json || !(image || evidence || words) else {
      throw TesseraError.input(
        "predict", found: "--image, --evidence or --words alone", wanted: "--json with them")
    }
  }

  /// Prints class, probability and text of each, separated by tabs, or JSON lines.
  func run() throws {
    var texts: [String]?
    if let text { texts = [text] }
    if let data {
      texts = try DataSet.read(data, columns: .init(text: textColumn), classes: nil, labelled: false).texts
    }
    try device.useAll(for: "predict") { devices in
      try answerAll(
        texts, try Predictor(run: folder, devices: devices, batch: Self.chunk),
        atOnce: Self.chunk * devices.all.count)
    }
  }

  private func answerAll(_ texts: [String]?, _ predictor: Predictor, atOnce chunk: Int) throws {
    var answered = 0
    if let texts {
      for begin in stride(from: 0, to: texts.count, by: chunk) {
        answered += try answer(Array(texts[begin..<min(texts.count, begin + chunk)]), predictor)
      }
    } else {
      // A person who types gets an answer a line; a file is taken in larger parts.
      let size = isatty(0) == 1 ? 1 : chunk
      var waiting: [String] = []
      while let line = readLine() {
        if !line.trimmingCharacters(in: .whitespaces).isEmpty { waiting.append(line) }
        if waiting.count == size {
          answered += try answer(waiting, predictor)
          waiting = []
        }
      }
      answered += try answer(waiting, predictor)
    }
    guard answered > 0 else {
      throw TesseraError.input("predict", found: "no text", wanted: "--text, --data or lines")
    }
  }

  private func answer(_ texts: [String], _ predictor: Predictor) throws -> Int {
    guard !texts.isEmpty else { return 0 }
    for (text, prediction) in zip(texts, try predictor.predict(texts)) {
      print(json ? try line(text, prediction, predictor) : plain(text, prediction))
    }
    fflush(nil)
    return texts.count
  }

  private func plain(_ text: String, _ prediction: Predictor.Prediction) -> String {
    let share = (Double(prediction.probability) * 1000).rounded() / 1000
    let line = text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    return "\(prediction.label)\t\(share)\t\(line.count > 100 ? line.prefix(97) + "..." : line[...])"
  }

  private func line(_ text: String, _ prediction: Predictor.Prediction, _ predictor: Predictor) throws
    -> String
  {
    let png = image ? try predictor.picture(prediction).base64EncodedString() : nil
    let object = Line(
      text: text, label: prediction.label, probability: prediction.probability,
      probabilities: Dictionary(
        zip(predictor.classes, prediction.probabilities), uniquingKeysWith: { first, _ in first }),
      image: png,
      evidence: evidence ? try predictor.evidence(prediction) : nil,
      words: words ? try predictor.words(text, prediction) : nil)
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(object), as: UTF8.self)
  }
}
