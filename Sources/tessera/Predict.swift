// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Foundation
import TesseraCompute
import TesseraData
import TesseraPipeline

/// Classifies texts with a finished run.
struct Predict: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract:
      "Classifies texts: --text, --data, or lines on standard input, answered as they come; or a table's rows.",
    discussion: """
      Of a run of a table --data is a table with the run's columns, in any order, with labels or without; a row's answer has \
      its number, from 1, in place of the text.

      Every line of standard input has one line as its answer, in order: class, probability and text, separated by tabs, or with \
      --json an object. A line is answered at once when the next is not there yet, else with up to 31 others. A blank line is \
      answered by '-' for class and probability (JSON: an object with error and no label); so is one that is not UTF-8, for which \
      the exit code is 2 in the end.
      """)

  @Option(name: .customLong("run"), help: "Run directory.")
  var folder: String
  @Option(help: "A text.")
  var text: String?
  @Option(
    help:
      "Texts: CSV, TSV, JSON lines, a JSON array or a folder; classes are not looked at. -: standard input, one text a line, or with --text-column a file of these kinds."
  )
  var data: String?
  @OptionGroup var file: DataFormatOptions
  @OptionGroup(title: "Table of numbers") var column: ColumnArguments
  @Flag(
    help:
      "A JSON object a line: text or row, label, probability, probabilities, and truth, the label in the data, if they have one."
  )
  var json = false
  @Flag(help: "With --json: the text's image as PNG in base64.")
  var image = false
  @Flag(
    help:
      "With --json: where the evidence lies (Grad-CAM), by hidden state and feature; of a table by column.")
  var evidence = false
  @Flag(help: "With --json: the words it hangs on, each left out in turn (as many encodings as words).")
  var words = false
  @OptionGroup(title: "Device") var device: DeviceOptions

  /// Texts that a device takes at once: few enough that answers come soon, no matter to the bits.
  private static let chunk = 32

  /// Rows of a table at once.
  private static let rows = 1024

  /// Checks that options go together.
  func validate() throws {
    guard json || !(image || evidence || words) else {
      throw TesseraError.input(
        "predict", found: "--image, --evidence or --words alone", wanted: "--json with them")
    }
    guard text == nil || data == nil else {
      throw TesseraError.input("predict", found: "--text and --data", wanted: "one of them")
    }
    var other = file
    other.encoding = DataFormat().encoding
    let given = (text == nil ? other : file).isGiven
    guard data != nil || !given else {
      throw TesseraError.input(
        "predict", found: "options of a file's format alone", wanted: "--data with them")
    }
    guard data != "-" || file.textColumn != nil || !given else {
      throw TesseraError.input(
        "predict", found: "options of a table for standard input, a line of which is a text",
        wanted: "--text-column with them")
    }
  }

  /// Prints the answers.
  func run() throws {
    // Which kind of rows is wanted, the run says.
    if try FinishedRun(folder).configuration.table != nil { return try answerTable() }
    if let name = column.given {
      throw TesseraError.input(name, found: "an option of a table for a run of texts", wanted: "none")
    }
    var (texts, found): ([String]?, DataSummary?) = (nil, nil)
    var truths: [String?] = []
    if let text { texts = [text] }
    if let data, data != "-" || file.textColumn != nil {
      let set = try DataSet.read(data, format: file.format(), labelled: false, part: .test)
      try file.format().requireEffect(on: [set])
      (texts, found) = (set.texts, set.summary)
      truths = set.labels.map { $0 >= 0 ? set.classes[Int($0)] : nil }
    }
    let labels = truths
    try device.useAll(for: "predict") { devices in
      if let found { device.progress.note("data: \(found.line)") }
      let predictor = try Predictor(run: folder, devices: devices, batch: Self.chunk)
      let answer = PredictAnswer(
        predictor: predictor, json: json, image: image, evidence: evidence, words: words)
      let atOnce = Self.chunk * devices.all.count
      if let texts {
        for begin in stride(from: 0, to: texts.count, by: atOnce) {
          let part = texts[begin..<min(texts.count, begin + atOnce)]
          try print(part.map { .text($0) }, answer, blanks: true, labels.dropFirst(begin))
        }
      } else {
        try answerLines(answer, atOnce)
      }
    }
  }

  /// Answers the rows of a table.
  private func answerTable() throws {
    guard let data, text == nil, !words else {
      throw TesseraError.input(
        "predict", found: text != nil ? "--text" : words ? "--words" : "no --data",
        wanted: "--data with a table of the run's columns: \(folder) is a run of a table")
    }
    try device.useAll(for: "predict") { devices in
      let predictor = try Predictor(run: folder, devices: devices)
      let table = try predictor.table(data, file.format(), column.columns, labelled: false)
      device.progress.note("data: \(table.summary.line)")
      let answer = PredictAnswer(
        predictor: predictor, json: json, image: image, evidence: evidence, words: false)
      for begin in stride(from: 0, to: table.count, by: Self.rows) {
        let rows = Array(begin..<min(table.count, begin + Self.rows))
        for (row, prediction) in zip(rows, try predictor.predict(table, rows: rows)) {
          Swift.print(try answer.line(table, row: row, prediction))
        }
        try StandardStreams.finish()
      }
    }
  }

  private func answerLines(_ answer: PredictAnswer, _ atOnce: Int) throws {
    var lines = try LineReader(0, encoding: file.encoding)
    var broken: (first: Int, count: Int)?
    while true {
      let before = lines.count
      let part = try lines.next(atMost: atOnce)
      guard !part.isEmpty else { break }
      if before == 0, data == "-" { try refuseTable(part[0]) }
      try print(part, answer, blanks: false)
      for (index, line) in part.enumerated() {
        guard case .broken = line else { continue }
        broken = (broken?.first ?? before + index + 1, (broken?.count ?? 0) + 1)
      }
    }
    guard lines.count > 0 else {
      throw TesseraError.input("predict", found: "no text", wanted: "--text, --data or lines")
    }
    if let broken {
      throw TesseraError.input(
        "standard input: line \(broken.first)",
        found: "\(broken.count) of \(lines.count) lines that could not be read (this is the first)",
        wanted: "UTF-8 (--encoding names another)")
    }
  }

  /// What `--data -` may have been meant for: a table on standard input, whose header is no text.
  private func refuseTable(_ line: LineReader.Line) throws {
    guard case .text(let text) = line, DataSet.looksLikeTable(text) else { return }
    throw TesseraError.input(
      "standard input", found: "what looks like the beginning of a table or of JSON: \(text)",
      wanted: "one text a line; for a table name its column with --text-column")
  }

  /// Prints the answers to some lines, with the labels that the data have of them, and sees that they are out.
  private func print(
    _ lines: [LineReader.Line], _ answer: PredictAnswer, blanks: Bool, _ truths: ArraySlice<String?> = []
  ) throws {
    var truths = truths
    func isText(_ text: String) -> Bool { blanks || !text.allSatisfy(\.isWhitespace) }
    let texts = lines.compactMap { line in
      if case .text(let text) = line, isText(text) { text } else { nil as String? }
    }
    var predictions = try texts.isEmpty ? [][...] : answer.predictor.predict(texts)[...]
    for line in lines {
      let truth = truths.popFirst() ?? nil
      switch line {
      case .broken(let reason): Swift.print(try answer.line(without: reason))
      case .text(let text):
        guard isText(text), let prediction = predictions.popFirst() else {
          Swift.print(try answer.line(without: "a blank line", text: text))
          continue
        }
        Swift.print(try answer.line(text, prediction, truth: truth))
      }
    }
    try StandardStreams.finish()
  }
}
