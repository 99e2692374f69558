// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

/// How much the rows of each class count in what is learnt: the mean of losses is one that is weighted so
/// (PyTorch's `CrossEntropyLoss(weight:)`).
///
/// A text of it is `balanced`, or `NAME=WEIGHT` for some classes, separated by commas; classes that are not named have
/// the weight 1. A backslash takes the meaning from a comma, an equals sign or a backslash after it.
public struct ClassWeights: Sendable, Equatable, Codable {
  /// The text.
  public let text: String
  /// Weights by class; nil: each class counts as much as every other, whatever its rows.
  private let named: [String: Float]?

  /// Every class counts alike: n / (C n_c), for n training rows, C classes that have some, n_c rows of the class
  /// (scikit-learn's `class_weight="balanced"`).
  public static let balanced = ClassWeights(text: "balanced", named: nil)

  private init(text: String, named: [String: Float]?) { (self.text, self.named) = (text, named) }

  /// Weights as they are written.
  ///
  /// - Throws: `TesseraError` naming what is no class with a weight.
  public init(_ text: String) throws {
    guard text != Self.balanced.text else {
      self = .balanced
      return
    }
    var named: [String: Float] = [:]
    for part in EscapedText.split(text, at: ",") {
      let sides = EscapedText.split(part, at: "=")
      let range = "above 0, at most \(Int(Self.most)) (--labels 'NAME=' leaves rows out)"
      guard sides.count == 2, let weight = Float(sides[1]) else {
        throw TesseraError.input(
          "class-weights", found: part.isEmpty ? "an empty weight" : part,
          wanted: "none, balanced, or NAME=WEIGHT,... (a backslash before a comma or equals sign of a name)")
      }
      guard weight > 0, weight <= Self.most else {
        throw TesseraError.input("class-weights", found: part, wanted: "a weight \(range)")
      }
      guard named.updateValue(weight, forKey: EscapedText.unescaped(sides[0])) == nil else {
        throw TesseraError.input("class-weights", found: "\(sides[0]) twice", wanted: "a weight for it")
      }
    }
    self.init(text: text, named: named)
  }

  private static let most: Float = 1_000_000

  /// Reads a text.
  ///
  /// - Throws: `TesseraError` for what are no weights.
  public init(from decoder: any Decoder) throws {
    try self.init(try decoder.singleValueContainer().decode(String.self))
  }

  /// Writes the text.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(text)
  }

  /// The weight of each class.
  ///
  /// - Parameters:
  ///   - classes: their names.
  ///   - labels: the class of each row that is learnt from.
  /// - Throws: `TesseraError` for a name that is no class.
  package func weights(of classes: [String], labels: some Sequence<Int32>) throws -> [Float] {
    if let named {
      for name in named.keys.ordered() where !classes.contains(where: { $0.utf8.elementsEqual(name.utf8) }) {
        throw TesseraError.input(
          "class-weights", found: "a weight for \(name)",
          wanted: "classes: \(classes.joined(separator: ", "))")
      }
      return classes.map { named[$0] ?? 1 }
    }
    var counts = [Int](repeating: 0, count: classes.count)
    for label in labels where classes.indices.contains(Int(label)) { counts[Int(label)] += 1 }
    let (all, occurring) = (Double(counts.reduce(0, +)), Double(counts.count { $0 > 0 }))
    return counts.map { $0 > 0 ? Float(all / (occurring * Double($0))) : 1 }
  }
}

/// What the losses of rows are multiplied by where classes have weights: the plain mean over all rows is then the
/// weighted mean, the sum of w l over the sum of w.
package struct LossFactors: Sendable {
  private let weights: [Float]
  private let scale: Double

  /// Factors among some rows, whose weights are summed in their order.
  ///
  /// - Parameters:
  ///   - weights: the weight of each class.
  ///   - labels: the class of each row of those that the mean is over.
  package init(_ weights: [Float], labels: some Collection<Int32>) {
    self.weights = weights
    let sum = labels.reduce(0.0) { $0 + Double(weights[Int($1)]) }
    scale = sum > 0 ? Double(labels.count) / sum : 1
  }

  /// The factors of rows of these classes.
  package func of(_ labels: some Sequence<Int32>) -> [Float] {
    labels.map { Float(Double(weights[Int($0)]) * scale) }
  }
}
