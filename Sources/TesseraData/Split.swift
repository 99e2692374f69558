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
  ///   - test: share of the test rows, 0 or more; both shares together are below 1.
  ///   - seed: what the rows are shuffled by.
  ///   - trainingRows: so many of the training rows alone (nil: all); a larger number has those of a smaller
  ///     one among its own. What more data would bring can so be measured on the same validation and test
  ///     rows.
  /// - Throws: `TesseraError` if no row or only one class is left to train on, or there are fewer than are
  ///   asked for.
  public init(
    labels: [Int32], validation: Double, test: Double, seed: UInt64, trainingRows: Int? = nil
  ) throws {
    guard validation >= 0, test >= 0, validation + test < 1 else {
      throw TesseraError.input(
        "split", found: "shares \(validation) and \(test)", wanted: "0 or more, together below 1")
    }
    let order = try RandomStream(seed: seed, stream: Self.stream).shuffled(Array(labels.indices))
    let held = (Double(order.count) * validation).rounded()
    let last = (Double(order.count) * test).rounded()
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
}
