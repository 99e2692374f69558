// SPDX-License-Identifier: Apache-2.0
/// A tensor that a network takes from a file of weights.
package struct WantedTensor {
  /// Its name as the network calls it, then names that mean the same.
  let names: [String]
  /// Shapes that will do, the usual one first; nil is any extent.
  let shapes: [[Int?]]

  /// A tensor by its name.
  ///
  /// - Parameters:
  ///   - others: names that mean the same.
  ///   - shape: its extents; nil is any.
  ///   - otherShape: a shape that will do as well.
  package init(_ name: String, or others: [String] = [], shape: [Int?], otherShape: [Int?]? = nil) {
    names = [name] + others
    shapes = [shape] + (otherShape.map { [$0] } ?? [])
  }

  package var name: String { names[0] }

  /// Its name and those that mean the same.
  package var allNames: [String] { names }

  func fits(_ shape: [Int]) -> Bool {
    shapes.contains { wanted in
      wanted.count == shape.count && zip(wanted, shape).allSatisfy { $0 == nil || $0 == $1 }
    }
  }

  /// The shapes, for messages.
  var shapeText: String {
    shapes.map { "[" + $0.map { $0.map(String.init) ?? "any" }.joined(separator: ", ") + "]" }
      .joined(separator: " or ")
  }
}

/// Names of tensors as paths of components.
enum TensorPath {
  /// What PyTorch's wrappers put into the names of the modules that they wrap: data parallel, compiled,
  /// sharded, checkpointed.
  static let wrappers: Set<Substring> = [
    "module", "_orig_mod", "_forward_module", "_fsdp_wrapped_module", "_checkpoint_wrapped_module",
    "_fpw_module",
  ]

  /// Every way to divide a name: what stands before, and the rest without wrappers' names, of at most so
  /// many components. The rest never begins with a wrapper.
  static func divisions(_ name: String, most: Int) -> [(root: String, rest: String)] {
    let parts = name.split(separator: ".", omittingEmptySubsequences: false)
    let own = parts.filter { !wrappers.contains($0) }
    return own.indices.suffix(most).map { at in
      (String(name[..<own[at].startIndex]), own[at...].joined(separator: "."))
    }
  }

  /// The rest of a name after a root, without wrappers' names; nil if it has another root.
  static func rest(_ name: String, after root: String) -> String? {
    guard name.hasPrefix(root) else { return nil }
    let parts = name.dropFirst(root.count).split(separator: ".", omittingEmptySubsequences: false)
    guard let first = parts.first, !wrappers.contains(first) else { return nil }
    return parts.filter { !wrappers.contains($0) }.joined(separator: ".")
  }
}

extension TensorFile {
  /// What a name may be after something that stands before it: its last components, without wrappers' names.
  package func rests(of name: String) -> [String] {
    TensorPath.divisions(name, most: .max).map(\.rest)
  }
}
