// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

/// Which rows are for what: the one place of these options and their defaults; `Split` checks them. A run's
/// file keeps them under the names of the properties.
public struct SplitOptions: Sendable, Equatable, Codable {
  /// Share of the rows for validation.
  public var validationShare = 0.2
  /// Share of the rows for the test, where there is no test data.
  public var testShare = 0.2
  /// How many of the training rows are used; nil: all.
  public var trainingRows: Int?
  /// How rows are divided; nil: by chance.
  public var splitMethod: SplitMethod?
  /// The part of a cross-validation that is tested on, from 1 on, and how many parts there are; nil: a share is.
  public var fold: Int?, folds: Int?

  /// The defaults.
  public init() {}

  /// Which rows are for what.
  ///
  /// - Parameters:
  ///   - labels: the class of each row.
  ///   - seed: what the rows are shuffled by.
  ///   - hasTest: whether the rows to test on are others, so that none of these are.
  /// - Throws: `TesseraError` for shares, rows or folds that there are not.
  public func split(of labels: [Int32], seed: UInt64, hasTest: Bool = false) throws -> Split {
    guard (fold == nil) == (folds == nil) else {
      throw TesseraError.input("fold", found: "a fold without their number, or none of some", wanted: "both")
    }
    let part = fold.flatMap { number in folds.map { Fold(number, of: $0) } }
    guard part == nil || !hasTest else {
      throw TesseraError.input("folds", found: "rows to test on besides", wanted: "no --test, or no folds")
    }
    return try Split(
      labels: labels, validation: validationShare, test: hasTest ? 0 : testShare, seed: seed,
      method: splitMethod ?? .random, fold: part, trainingRows: trainingRows)
  }
}
