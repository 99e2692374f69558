// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

/// Which columns of a table are features, where its file does not say so itself: the one place of these options and
/// their defaults. A run's file keeps them under the names of the properties.
public struct TableColumns: Sendable, Equatable {
  /// Columns that are no features, by name; of a table without names by number from 1.
  public var ignored: [String] = []
  /// The features' array in an `.npz` or a safetensors file; well-known names are looked for if nil.
  public var array: String?

  /// The defaults.
  public init() {}

  /// Names that arrays of features, of labels and of the features' names usually have.
  static let usualArrays = ["features", "X", "x", "data", "arr_0"]
  static let usualLabels = ["label", "class", "target", "labels", "y", "arr_1"]
  static let usualNames = ["feature_names", "names", "columns"]
}

/// What is asked of a table.
public struct TableRequest: Sendable {
  /// How its file is read, where it does not say so itself: dialect, label column, labels.
  public var format = DataFormat()
  /// Which columns are features.
  public var columns = TableColumns()
  /// Whether every row must have a class.
  public var labelled = true
  /// The classes of a model; nil: all that occur.
  public var classes: [String]?
  /// The features that a model has, in its order; nil: all columns that are left.
  public var wanted: [String]?
  /// Columns that the model's table had and that are no features: they may be there or not.
  public var known: [String] = []

  /// Nothing in particular.
  public init() {}

  /// Names under which the column of the labels is looked for.
  package var labelNames: [String] { format.label.map { [$0] } ?? TableColumns.usualLabels }
}
