// SPDX-License-Identifier: Apache-2.0
import Foundation
import TesseraCompute
import TesseraData

/// What a finished run's classifier, and the linear probe beside it, said of each row that it was tested on: a table for
/// other programs, as JSON lines or CSV. Rows are counted from 1, as the report, messages and `tessera predict` count them.
public struct PredictionTable {
  private let predictions: Predictions
  private let classes: [String], rows: [Int], texts: [String]?

  /// The forms of a table.
  public enum Form: String, NamedOption {
    /// A line of names, then a line a text, with commas.
    case csv
    /// A JSON object a line.
    case jsonl

    /// The form of a file by its ending.
    ///
    /// - Throws: `TesseraError` for another ending.
    public init(of path: String) throws {
      let ending = URL(fileURLWithPath: path).pathExtension.lowercased()
      guard let form = Form(rawValue: ending) else {
        throw TesseraError.input(
          path, found: ending.isEmpty ? "no ending" : "the ending \(ending)", wanted: ".csv or .jsonl")
      }
      self = form
    }
  }

  /// Reads a finished run; the texts are there where its data are as they were.
  ///
  /// - Throws: `TesseraError` for a run that is not finished, or files that are not as it left them.
  public init(folder: String) throws {
    let run = try FinishedRun(folder)
    let isOwn = run.configuration.test == nil
    let images = try ImageSet.read(run.checked(isOwn ? Pipeline.Files.images : Pipeline.Files.testImages))
    classes = images.classes
    rows = isOwn ? images.split.test : Array(images.labels.indices)
    predictions = try Predictions(run.checked(Pipeline.Files.predictions), classes: classes.count)
    let known = 0..<Int32(classes.count)
    guard predictions.count == rows.count, predictions.labels.allSatisfy(known.contains),
      predictions.probe.allSatisfy(known.contains)
    else {
      throw TesseraError.input(
        "\(folder)/\(Pipeline.Files.predictions)", found: "\(predictions.count) rows",
        wanted: "the \(rows.count) of the run, each of one of \(classes.count) classes")
    }
    texts = run.testTexts(classes: classes, rows: rows)
  }

  /// Writes the table.
  ///
  /// - Parameters:
  ///   - path: the file.
  ///   - form: what it is.
  /// - Throws: `TesseraError` if it cannot be written.
  package func write(to path: String, as form: Form) throws {
    let file = try AtomicFile(path)
    if form == .csv { try file.write(Data((CSVRecord.line(header) + "\n").utf8)) }
    let answers = Predictions.classes(of: predictions.scores, classes: classes.count).map(Int.init)
    // Some rows at a time: a table of all of them has no place in memory.
    for begin in stride(from: 0, to: rows.count, by: 4096) {
      let part = begin..<min(rows.count, begin + 4096)
      let shares = try probabilities(part)
      var text = ""
      for row in part {
        let own = shares[(row - begin) * classes.count..<(row - begin + 1) * classes.count]
        text += try form == .csv ? line(row, answers[row], own) : object(row, answers[row], own)
        text += "\n"
      }
      try file.write(Data(text.utf8))
    }
    try file.commit()
  }

  private func probabilities(_ part: Range<Int>) throws -> [Float] {
    let cpu = try CPUBackend(threads: 1), count = classes.count
    let scores = Array(predictions.scores[part.lowerBound * count..<part.upperBound * count])
    let tensor = try cpu.tensor(scores, [scores.count])
    try cpu.unary(.exp, tensor, alpha: 0, beta: 0, into: tensor)
    return try cpu.floats(tensor)
  }

  private var header: [String] {
    ["row"] + (texts == nil ? [] : ["text"]) + ["label", "predicted", "probe"] + classes.map { "p(\($0))" }
  }

  private func line(_ row: Int, _ answer: Int, _ shares: ArraySlice<Float>) -> String {
    var fields = ["\(rows[row] + 1)"]
    if let texts { fields.append(texts[row]) }
    fields += [
      classes[Int(predictions.labels[row])], classes[answer], classes[Int(predictions.probe[row])],
    ]
    return CSVRecord.line(fields + shares.map { "\($0)" })
  }

  private struct Row: Encodable {
    let row: Int, text: String?, label: String, predicted: String, probe: String,
      probabilities: [String: Float]
  }

  private func object(_ row: Int, _ answer: Int, _ shares: ArraySlice<Float>) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    let value = Row(
      row: rows[row] + 1, text: texts?[row], label: classes[Int(predictions.labels[row])],
      predicted: classes[answer],
      probe: classes[Int(predictions.probe[row])],
      probabilities: Dictionary(zip(classes, shares), uniquingKeysWith: { first, _ in first }))
    return String(decoding: try encoder.encode(value), as: UTF8.self)
  }
}

extension FinishedRun {
  /// The texts of the rows that were tested on; nil where the data are no longer there, or no longer the same.
  ///
  /// - Parameters:
  ///   - classes: the run's.
  ///   - rows: their numbers.
  func testTexts(classes: [String], rows: [Int]) -> [String]? {
    let isOwn = configuration.test == nil
    let source = configuration.test ?? configuration.data
    // What was read of a stream is gone.
    guard source != "-", !source.hasPrefix("/dev/"),
      let data = try? DataSet.read(
        source, format: configuration.format, classes: isOwn ? nil : classes, part: isOwn ? .training : .test),
      data.fingerprint == records[isOwn ? "embeddings" : "test-embeddings"]?.inputs["data"],
      rows.allSatisfy({ data.texts.indices.contains($0) })
    else { return nil }
    return rows.map { data.texts[$0] }
  }
}
