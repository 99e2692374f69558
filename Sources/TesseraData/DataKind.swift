// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

/// What reviews are read from.
public enum DataKind: String, Sendable {
  /// A folder with one folder of texts per class.
  case folder = "a folder of classes"
  /// JSON lines, or one array of objects.
  case json = "JSON"
  /// Delimited text: a record a line.
  case table = "a table"
  /// Numbers: a table whose columns are features.
  case numbers = "a table of numbers"
}

extension DataFormat {
  /// The options that were given and that say nothing about such data, by their names on the command line.
  func optionsWithoutEffect(on kind: DataKind) -> [String] {
    let effects = DataSetFormats.options(of: kind)
    var names: [String] = []
    if !effects.contains(.dialect) {
      if quotes != .auto { names.append("quotes") }
      if separator != nil { names.append("separator") }
      if !header { names.append("no-header") }
    }
    if !effects.contains(.columns) {
      if text != nil { names.append("text-column") }
      if label != nil { names.append("label-column") }
    }
    return names
  }

  /// Throws for an option that says nothing about any of the data sets: it would be ignored in silence.
  ///
  /// - Throws: `TesseraError` that names the option and what the data are.
  public func requireEffect(on sets: [DataSet]) throws {
    guard let first = sets.first else { return }
    let idle = sets.dropFirst().reduce(optionsWithoutEffect(on: first.kind)) { names, set in
      let others = optionsWithoutEffect(on: set.kind)
      return names.filter { others.contains($0) }
    }
    guard let name = idle.first else { return }
    throw TesseraError.input(
      name, found: "data that are \(first.kind.rawValue)",
      wanted: name.hasSuffix("column") ? "a table or JSON (else leave it out)" : "a table (else leave it out)"
    )
  }
}
