// SPDX-License-Identifier: Apache-2.0
import Foundation
import TesseraCompute
import TesseraData
import TesseraPipeline

/// The answer to one text: a line, whatever the text was.
struct PredictAnswer {
  let predictor: Predictor
  /// Whether answers are JSON objects, and what these hold besides.
  let json: Bool, image: Bool, evidence: Bool, words: Bool

  private struct Object: Encodable {
    var row: Int?, text: String?, label: String?, probability: Float?, probabilities: [String: Float]?
    var image: String?, evidence: Predictor.Evidence?, words: [Predictor.Word]?, error: String?,
      truth: String?
  }

  /// Class, probability and text, separated by tabs, or a JSON object, with the label that the data have.
  func line(_ text: String, _ prediction: Predictor.Prediction, truth: String? = nil) throws -> String {
    guard json else {
      let share = (Double(prediction.probability) * 1000).rounded() / 1000
      let line = text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
      return "\(prediction.label)\t\(share)\t\(line.count > 100 ? line.prefix(97) + "..." : line[...])"
    }
    var object = try object(prediction, text: text)
    object.truth = truth
    return try encoded(object)
  }

  /// The answer to a row of a table, by its number from 0; rows are told from 1.
  func line(_ table: NumberTable, row: Int, _ prediction: Predictor.Prediction) throws -> String {
    guard json else {
      let share = (Double(prediction.probability) * 1000).rounded() / 1000
      return "\(prediction.label)\t\(share)\t\(row + 1)"
    }
    var object = try object(prediction)
    (object.row, object.truth) = (row + 1, table.toldLabels[row])
    if evidence { object.evidence = try predictor.evidence(table, row: row, prediction) }
    return try encoded(object)
  }

  private func object(_ prediction: Predictor.Prediction, text: String? = nil) throws -> Object {
    Object(
      text: text, label: prediction.label, probability: prediction.probability,
      probabilities: Dictionary(
        zip(predictor.classes, prediction.probabilities), uniquingKeysWith: { first, _ in first }),
      image: image ? try predictor.picture(prediction).base64EncodedString() : nil,
      evidence: evidence && text != nil ? try predictor.evidence(prediction) : nil,
      words: words ? try text.map { try predictor.words($0, prediction) } : nil)
  }

  /// The answer to what holds no text: `-` for class and probability and the reason, or an object with
  /// `error` and no label.
  func line(without reason: String, text: String? = nil) throws -> String {
    json ? try encoded(Object(text: text, error: reason)) : "-\t-\t(\(reason))"
  }

  private func encoded(_ object: Object) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(object), as: UTF8.self)
  }
}
