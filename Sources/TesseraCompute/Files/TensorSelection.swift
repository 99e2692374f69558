// SPDX-License-Identifier: Apache-2.0
import Foundation

/// A network's tensors found in a file, whatever stands before their names there: keys of dictionaries such
/// as `state_dict`, and prefixes such as `module.`.
package struct TensorSelection {
  /// The file.
  package let file: TensorFile
  /// What stands before the names.
  package let root: String
  /// What was done on the way, for someone to be told: one line each.
  package fileprivate(set) var notes: [String] = []
  /// Names in the file by the network's.
  fileprivate let stored: [String: String]

  /// The name in the file of a tensor that was wanted.
  package func name(_ wanted: String) -> String { stored[wanted] ?? wanted }

  /// Whether a name that was found is one of those that mean the same as the network's.
  package func isRenamed(_ wanted: String) -> Bool {
    TensorPath.rest(name(wanted), after: root).map { $0 != wanted } ?? false
  }

  /// Names, without what stands before them, of floating-point tensors in the file that lie inside modules
  /// of the network and were not wanted: the file is of another network. Sorted.
  ///
  /// - Parameter modules: names of modules that are whole in the network.
  package func strangers(in modules: [String]) -> [String] {
    let known = Set(stored.values)
    return file.tensors.compactMap { name, tensor in
      guard !known.contains(name), !tensor.type.isWhole,
        let rest = TensorPath.rest(name, after: root), !rest.hasSuffix("num_batches_tracked"),
        modules.contains(where: { rest.hasPrefix($0 + ".") })
      else { return nil }
      return rest
    }.ordered()
  }

  /// Whether the file holds anything inside a module.
  package func holds(_ module: String) -> Bool {
    file.tensors.keys.contains { TensorPath.rest($0, after: root)?.hasPrefix(module + ".") == true }
  }
}

extension TensorFile {
  /// What was found under one root: name in the file and place among the names that mean the same, by the
  /// wanted tensor.
  fileprivate typealias Found = [Int: (name: String, choice: Int)]

  /// Finds a network's tensors, all of them under one root.
  ///
  /// Where several roots hold all of them, the choice is, in this order: one whose shapes fit; equal ones
  /// are one; no moving averages (`ema`); names without a root; the usual keys (`state_dict`,
  /// `model_state_dict`, `model` and so on).
  ///
  /// - Parameter network: what it is, for messages.
  /// - Throws: `TesseraError` naming the tensors that are missing with the nearest that the file holds, one
  ///   of another shape or type, or roots between which nothing decides.
  package func select(_ wanted: [WantedTensor], for network: String) throws -> TensorSelection {
    let found = roots(wanted)
    let whole = found.filter { $0.value.count == wanted.count }
    guard !whole.isEmpty else { throw missing(wanted, found, network) }
    let fitting = whole.filter { fits(wanted, $0.value) }
    guard !fitting.isEmpty else {
      let root = whole.keys.min { (Self.rank($0), $0.count, $0) < (Self.rank($1), $1.count, $1) } ?? ""
      throw misfit(wanted, whole[root] ?? [:])
    }
    let (root, others) = try choice(wanted, fitting, network)
    var names: [String: String] = [:]
    for (index, entry) in fitting[root] ?? [:] { names[wanted[index].name] = entry.name }
    var selection = TensorSelection(file: self, root: root, stored: names)
    selection.notes = notes(selection, others: others)
    return selection
  }

  private func roots(_ wanted: [WantedTensor]) -> [String: Found] {
    var places: [String: (index: Int, choice: Int)] = [:]
    for (index, tensor) in wanted.enumerated() {
      for (choice, name) in tensor.names.enumerated() { places[name] = (index, choice) }
    }
    let most = places.keys.map { $0.split(separator: ".").count }.max() ?? 1
    var found: [String: Found] = [:]
    for name in names {
      for (root, rest) in TensorPath.divisions(name, most: most) {
        guard let (index, choice) = places[rest] else { continue }
        if let other = found[root]?[index], (other.choice, other.name.count) <= (choice, name.count) {
          continue
        }
        found[root, default: [:]][index] = (name, choice)
      }
    }
    return found
  }

  private func fits(_ wanted: [WantedTensor], _ found: Found) -> Bool {
    found.allSatisfy { index, entry in
      tensors[entry.name].map { $0.type.isFloat && wanted[index].fits($0.shape) } ?? false
    }
  }

  /// The first tensor of another type or shape.
  private func misfit(_ wanted: [WantedTensor], _ found: Found) -> TesseraError {
    for (index, tensor) in wanted.enumerated() {
      guard let name = found[index]?.name, let stored = tensors[name] else { continue }
      guard stored.type.isFloat else {
        return .input(
          "\(path): \(name)", found: stored.type.name,
          wanted: "floating-point numbers (F32, F64, F16 or BF16)")
      }
      if !tensor.fits(stored.shape) {
        return .input("\(path): \(name)", found: "shape \(stored.shape)", wanted: tensor.shapeText)
      }
    }
    return .input(path, found: "tensors that do not fit", wanted: "a network's weights")
  }

  /// The root to take, and those that were left.
  private func choice(
    _ wanted: [WantedTensor], _ fitting: [String: Found], _ network: String
  ) throws -> (root: String, others: [String]) {
    var roots: [String] = []
    for root in fitting.keys.ordered(by: { (Self.rank($0), $0.count, $0) < (Self.rank($1), $1.count, $1) })
    where !roots.contains(where: { isEqual(fitting[$0] ?? [:], fitting[root] ?? [:]) }) {
      roots.append(root)
      // So many sets of weights are no checkpoint; comparing them all would take for ever.
      guard roots.count <= 16 else { break }
    }
    let ranks = roots.map(Self.rank)
    guard let root = roots.first, roots.count == 1 || ranks[0] < ranks[1] else {
      let named = roots.prefix(4).map { $0.isEmpty ? "no prefix" : "\"\($0)\"" }.joined(separator: ", ")
      throw TesseraError.input(
        path, found: "different weights that fit under \(named)\(roots.count > 4 ? " and more" : "")",
        wanted: "one \(network): torch.save those that are meant alone")
    }
    return (root, Array(roots.dropFirst()))
  }

  /// How usual a root is as the place of a network's weights: less is more so.
  private static func rank(_ root: String) -> Int {
    let usual = ["state_dict", "model_state_dict", "model", "net", "network", "weights", "params"]
    let words = root.lowercased().split { $0 == "." || $0 == "_" }
    let averages: Set<Substring> = [
      "ema", "swa", "shadow", "averaged", "average", "momentum", "optimizer", "optim", "optimizers",
    ]
    if words.contains(where: averages.contains) { return 100 }
    let parts = root.split(separator: ".").filter { !TensorPath.wrappers.contains($0) }
    guard let first = parts.first else { return 0 }
    guard let place = usual.firstIndex(of: String(first)) else { return 50 }
    return 1 + place + (parts.count > 1 ? 20 : 0)
  }

  private func isEqual(_ a: Found, _ b: Found) -> Bool {
    a.allSatisfy { index, entry in
      guard let other = b[index], let x = tensors[entry.name], let y = tensors[other.name] else {
        return false
      }
      guard x.type == y.type, x.shape == y.shape, x.strides == y.strides, x.range.count == y.range.count
      else {
        return false
      }
      if x.source == y.source, x.range == y.range { return true }
      return withBytes(of: x) { a in
        withBytes(of: y) { b in
          guard let a = a.baseAddress, let b = b.baseAddress else { return true }
          return memcmp(a, b, x.range.count) == 0
        }
      }
    }
  }

  private func notes(_ selection: TensorSelection, others: [String]) -> [String] {
    var parts: [String] = []
    if !selection.root.isEmpty { parts.append("the prefix \"\(selection.root)\" is taken off the names") }
    var inner: Set<Substring> = []
    for name in selection.stored.values {
      inner.formUnion(
        name.dropFirst(selection.root.count).split(separator: ".").filter(TensorPath.wrappers.contains))
    }
    if !inner.isEmpty {
      parts.append("\"\(inner.ordered().joined(separator: "\", \""))\" within names is left out")
    }
    if !others.isEmpty {
      let named = others.prefix(4).map { "\"\($0)\"" }.joined(separator: ", ")
      parts.append("other weights that fit, under \(named), are left")
    }
    return parts.isEmpty ? [] : ["\(path): \(parts.joined(separator: "; "))"]
  }
}
