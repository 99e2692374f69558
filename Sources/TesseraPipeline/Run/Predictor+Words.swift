// SPDX-License-Identifier: Apache-2.0
extension Predictor {
  /// A word of a text and what it did for the prediction.
  public struct Word: Sendable, Codable {
    /// The word as it stands there.
    public let word: String
    /// Its number among the text's words, from 0.
    public let index: Int
    /// By how much the predicted class's lead (its logit over the mean of the others) falls when the word
    /// is left out; negative where the word spoke against the class.
    public let evidence: Float
  }

  /// The words that a prediction hangs on: each is left out in turn, and the whole way from text to logits
  /// is gone again (occlusion), which costs as many encodings as the text has words.
  ///
  /// - Parameters:
  ///   - text: the text of the prediction.
  ///   - prediction: the same predictor's prediction for the whole text.
  ///   - most: how many words are named, those that change most first.
  public func words(_ text: String, _ prediction: Prediction, most: Int = 10) throws -> [Word] {
    let words = text.split(whereSeparator: \.isWhitespace)
    guard let target = classes.firstIndex(of: prediction.label), words.count > 1 else { return [] }
    // Everything between the words stays as it is: a word is cut out of the text, not the text made anew.
    let without = words.map { String(text[..<$0.startIndex] + text[$0.endIndex...]) }
    let whole = Self.lead(prediction.logProbabilities, target)
    var result: [Word] = []
    for begin in stride(from: 0, to: words.count, by: Self.wordsAtOnce) {
      let part = begin..<min(words.count, begin + Self.wordsAtOnce)
      for (index, other) in zip(part, try predict(Array(without[part]))) {
        result.append(
          Word(
            word: String(words[index]), index: index,
            evidence: whole - Self.lead(other.logProbabilities, target)))
      }
    }
    return Array(
      result.sorted { (abs($1.evidence), $0.index) < (abs($0.evidence), $1.index) }.prefix(max(0, most)))
  }

  /// A part of a text and what it did for a class.
  struct Stretch {
    let range: Range<String.Index>
    /// By how much the class's lead falls without it.
    let evidence: Float
  }

  /// A text in stretches of as many words each, all of them in their order, with what each does for a class: each is
  /// left out in turn.
  ///
  /// - Parameters:
  ///   - text: the text.
  ///   - target: the number of the class.
  ///   - most: into how many stretches it is divided at the most; as many encodings are made, and one.
  func stretches(_ text: String, target: Int, most: Int) throws -> [Stretch] {
    let words = text.split(whereSeparator: \.isWhitespace)
    guard words.count > 1, most > 1, classes.indices.contains(target) else { return [] }
    let length = (words.count + most - 1) / most
    let ranges = stride(from: 0, to: words.count, by: length).map {
      words[$0].startIndex..<words[min(words.count, $0 + length) - 1].endIndex
    }
    guard ranges.count > 1 else { return [] }
    let answers = try predict([text] + ranges.map { String(text[..<$0.lowerBound] + text[$0.upperBound...]) })
    let leads = answers.map { Self.lead($0.logProbabilities, target) }
    return zip(ranges, leads.dropFirst()).map { Stretch(range: $0, evidence: leads[0] - $1) }
  }

  /// So many variants of a text, with their images, are in memory together.
  private static let wordsAtOnce = 256

  /// By how much a class's logit leads the mean of the others'.
  static func lead(_ logProbabilities: [Float], _ target: Int) -> Float {
    let others = logProbabilities.indices.reduce(Float(0)) { $0 + ($1 == target ? 0 : logProbabilities[$1]) }
    return logProbabilities[target] - others / Float(max(1, logProbabilities.count - 1))
  }
}
