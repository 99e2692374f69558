// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import TesseraCompute
import TesseraData
import TesseraPipeline

/// Which columns of a table are features, on the command line.
struct ColumnArguments: ParsableArguments {
  @Option(
    parsing: .singleValue,
    help:
      "Column of a table of numbers that is no feature, such as an id (again for each; '' for one without a name)."
  )
  var ignore: [String] = []
  @Option(help: "Array of the features in .npz or safetensors (default: features, X, x, data or arr_0).")
  var array: String?

  /// The options.
  var columns: TableColumns {
    var columns = TableColumns()
    (columns.ignored, columns.array) = (ignore, array)
    return columns
  }

  /// The first of them that was given.
  var given: String? { ignore.isEmpty ? array == nil ? nil : "array" : "ignore" }
}

/// A table of numbers in place of reviews, and how its columns become features.
struct TableArguments: ParsableArguments {
  @Option(
    help: """
      A table of numbers in place of --data and --encoder: CSV or TSV (also .gz), .npy, .npz or safetensors; every \
      column but the label's is a feature.
      """)
  var features: String?
  @OptionGroup(title: "Table of numbers") var column: ColumnArguments
  @Option(
    help: """
      What stands for a table's missing values (empty, NA, nan, ?, inf): the column's mean or median over the training \
      rows, or zero; refuse: there may be none.
      """)
  var missing = TableOptions().missing
  @Option(
    help: """
      What brings a table's columns to one scale: mean 0 and deviation 1 over the training rows (standard), 0 to 1 \
      (minmax), or none.
      """)
  var scaling = TableOptions().scaling

  /// The options.
  var options: TableOptions {
    var options = TableOptions()
    (options.columns, options.missing, options.scaling) = (column.columns, missing, scaling)
    return options
  }

  /// The first of them that was given without a table.
  var givenAlone: String? {
    let usual = TableOptions()
    if let name = column.given { return name }
    return missing != usual.missing ? "missing" : scaling != usual.scaling ? "scaling" : nil
  }
}
