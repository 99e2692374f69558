// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

/// How rows are divided.
public enum SplitMethod: String, NamedOption {
  /// By chance, whatever their classes.
  case random
  /// The rows of each class in the same shares, but for a row: which rows they are is chance.
  case stratified
}

/// A part of a cross-validation: the rows are divided into as many parts as there are folds, and each part in turn is
/// tested on.
public struct Fold: Sendable, Equatable {
  /// The number of the part that is tested on, from 1 on.
  public let number: Int
  /// How many parts there are.
  public let count: Int

  /// A part of a number of parts; `Split` refuses one that there is not.
  public init(_ number: Int, of count: Int) { (self.number, self.count) = (number, count) }

  /// The most folds that make sense.
  public static let most = 1000

  /// The part's rows in the order of all.
  ///
  /// - Throws: `TesseraError` for a part that there is not, or fewer rows than parts.
  func part(of rows: Int) throws -> Range<Int> {
    guard (2...Self.most).contains(count), rows >= count else {
      throw TesseraError.input(
        "folds", found: "\(count) of \(rows) rows", wanted: "2 to \(Self.most), and as many rows or more")
    }
    guard (1...count).contains(number) else {
      throw TesseraError.input("fold", found: "\(number)", wanted: "1 to \(count)")
    }
    return rows * (number - 1) / count..<rows * number / count
  }
}
