// SPDX-License-Identifier: Apache-2.0
import Foundation
import TesseraCompute

/// A table of numbers in a safetensors file: a tensor of features (rows, columns) and one of labels (rows). The
/// metadata may hold `names`, the features' names, and `classes`, the names that whole labels are numbers of: a JSON
/// array of text each.
enum TensorTable {
  /// Reads a table.
  ///
  /// - Throws: `TesseraError` naming the tensor and what is wrong with it.
  static func read(_ path: String, _ request: TableRequest) throws -> TableContent {
    try TableFormats.requireNoDialect(request.format, "a safetensors file")
    let file = try TensorFile.open(path)
    let set = NamedArrays(path: path, names: file.names)
    let name = try set.features(request)
    let labels = try set.labels(request).map { ($0, try array(file, $0)) }
    if let labels, labels.1.columns != 1 {
      throw TesseraError.input(
        "\(path): \(labels.0)", found: "shape \(labels.1.shape)", wanted: "one label a row")
    }
    var content = try set.content(
      try array(file, name), name, names: try list(file, "names"),
      labels: labels.map { ($0.0, $0.1.labels()) },
      request)
    content.classes = try list(file, "classes")
    return content
  }

  private static func array(_ file: TensorFile, _ name: String) throws -> NumberArray {
    let (data, offset, type, shape) = try file.elements(of: name)
    guard let kind = ElementKind(rawValue: type) else {
      throw TesseraError.input(
        "\(file.path): \(name)", found: "elements of the type \(type)",
        wanted: ElementKind.allCases.map(\.rawValue).joined(separator: ", "))
    }
    return try NumberArray(data, offset: offset, kind: kind, shape: shape, place: "\(file.path): \(name)")
  }

  /// A list of the metadata; nil where there is none.
  private static func list(_ file: TensorFile, _ key: String) throws -> [String]? {
    guard let text = file.metadata[key] else { return nil }
    guard let list = try? JSONDecoder().decode([String].self, from: Data(text.utf8)) else {
      throw TesseraError.input("\(file.path): metadata \(key)", found: text, wanted: "a JSON array of text")
    }
    return list
  }
}
