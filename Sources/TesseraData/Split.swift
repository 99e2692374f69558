// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

/// Which rows are trained on, which choose the epoch, and which are looked at once in the end.
public struct Split: Sendable, Equatable {
  /// Numbers of the rows that are trained on, ascending.
  public let training: [Int]
  /// Numbers of the rows that choose the epoch, ascending.
  public let validation: [Int]
  /// Numbers of the rows that are looked at once in the end, ascending.
  public let test: [Int]

  /// Known rows.
  public init(training: [Int], validation: [Int], test: [Int]) {
    (self.training, self.validation, self.test) = (training, validation, test)
  }

  /// Rows at random by seed; shares are of all rows, the rest is for training.
  ///
  /// - Parameters:
  ///   - labels: the class of each row.
  ///   - validation: share of the validation rows, 0 or more.
  ///   - test: share of the test rows, 0 or more; both shares together are below 1. Of a fold it is left out.
  ///   - seed: what the rows are shuffled by.
  ///   - method: whether every class is divided in the same share.
  ///   - fold: the part of a cross-validation that is tested on; nil: there is none.
  ///   - trainingRows: so many of the training rows alone (nil: all); a larger number has those of a smaller
  ///     one among its own. What more data would bring can so be measured on the same validation and test
  ///     rows.
  /// - Throws: `TesseraError` if no row or only one class is left to train on, there are fewer than are asked for,
  ///   or a fold is none.
  public init(
    labels: [Int32], validation: Double, test: Double, seed: UInt64, method: SplitMethod = .random,
    fold: Fold? = nil, trainingRows: Int? = nil
  ) throws {
    let tested = fold.map { 1 / Double(max(1, $0.count)) } ?? test
    guard validation >= 0, tested >= 0, validation + tested < 1 else {
      throw TesseraError.input(
        "split", found: "shares \(validation) and \(tested)", wanted: "0 or more, together below 1")
    }
    var order = try RandomStream(seed: seed, stream: Self.stream).shuffled(Array(labels.indices))
    if method == .stratified { order = Self.evenly(order, by: labels) }
    let held = (Double(order.count) * validation).rounded()
    var last = (Double(order.count) * tested).rounded()
    if let fold {
      let part = try fold.part(of: order.count)
      order = Array(order[part.upperBound...] + order[..<part.lowerBound] + order[part])
      last = Double(part.count)
    }
    let first = order.count - Int(held) - Int(last)
    guard trainingRows ?? 1 >= 1, trainingRows ?? 0 <= first else {
      throw TesseraError.input(
        "training-rows", found: "\(trainingRows ?? 0)",
        wanted: "1 to \(first), what the shares leave of \(order.count)")
    }
    self.init(
      training: order[..<(trainingRows ?? first)].sorted(),
      validation: order[first..<first + Int(held)].sorted(),
      test: order[(first + Int(held))...].sorted())
    guard Set(training.map { labels[$0] }).count > 1 else {
      throw TesseraError.input(
        "split", found: "\(training.count) training rows of one class", wanted: "rows of two classes or more")
    }
  }

  private static let stream: UInt64 = 1 << 59

  /// The rows in an order in which those of each class stand evenly, so that every stretch of it has the classes in
  /// the shares that they have in all: row r of the n of a class, counted from 0 in the order that was given, stands
  /// at (2 r + 1) / 2 n; of equal places the class with the smaller number comes first.
  private static func evenly(_ order: [Int], by labels: [Int32]) -> [Int] {
    var counts: [Int32: Int] = [:]
    let ranks = order.map { row in
      let rank = counts[labels[row], default: 0]
      counts[labels[row]] = rank + 1
      return rank
    }
    return order.indices.sorted { a, b in
      let (one, other) = (labels[order[a]], labels[order[b]])
      let left = (2 * ranks[a] + 1) * (counts[other] ?? 1), right = (2 * ranks[b] + 1) * (counts[one] ?? 1)
      return (left, one) < (right, other)
    }.map { order[$0] }
  }
}
