// SPDX-License-Identifier: Apache-2.0
extension TensorFile {
  /// The refusal of a file that lacks tensors: the first of them, how many more, and the nearest that the
  /// file holds.
  ///
  /// - Parameter found: what was found under each root, by the wanted tensor.
  func missing(
    _ wanted: [WantedTensor], _ found: [String: [Int: (name: String, choice: Int)]], _ network: String
  ) -> TesseraError {
    let best = found.min {
      ($1.value.count, $0.key.count, $0.key) < ($0.value.count, $1.key.count, $1.key)
    }
    let missing = wanted.indices.filter { best?.value[$0] == nil }
    guard let first = missing.first else {
      return .input(path, found: "tensors that do not fit", wanted: network)
    }
    let root = best?.key ?? ""
    let misfit = wanted.indices.lazy.compactMap { index -> String? in
      guard let name = best?.value[index]?.name, let tensor = self.tensors[name],
        tensor.type.isFloat, !wanted[index].fits(tensor.shape)
      else { return nil }
      return "\(name.shortened) of shape \(tensor.shape) instead of \(wanted[index].shapeText), and "
    }.first
    var text = (misfit ?? "") + "no tensor \(wanted[first].name) \(wanted[first].shapeText)"
    if missing.count > 1 { text += " nor \(missing.count - 1) more of \(wanted.count)" }
    if !root.isEmpty { text += " under the prefix \"\(root.shortened)\"" }
    let nearest = nearest(wanted[first], after: root)
    if tensors.isEmpty {
      text += "; it holds no tensors"
    } else if !nearest.isEmpty {
      text += "; the nearest of \(tensors.count): \(nearest.joined(separator: ", "))"
    }
    return .input(path, found: text, wanted: network)
  }

  /// The names and shapes of at most three tensors that are most like one that is wanted.
  private func nearest(_ wanted: WantedTensor, after root: String) -> [String] {
    // Distances of names cost their lengths' product: of a file that is no checkpoint, a part will do.
    let names = names.prefix(5000)
    let scored = names.compactMap { name -> (differs: Int, distance: Int, name: String)? in
      guard let tensor = tensors[name], !name.hasSuffix("num_batches_tracked") else { return nil }
      let rest = TensorPath.rest(name, after: root) ?? name
      let distance = wanted.names.map { Self.distance($0, rest) }.min() ?? .max
      return (wanted.fits(tensor.shape) ? 0 : 1, distance, name)
    }
    return scored.ordered { $0 < $1 }.prefix(3).map { entry in
      "\(entry.name.shortened) \(tensors[entry.name]?.shape ?? [])"
    }
  }

  /// Levenshtein's distance of the ends of two names.
  static func distance(_ a: String, _ b: String) -> Int {
    let (a, b) = (Array(a.utf8.suffix(80)), Array(b.utf8.suffix(80)))
    var row = Array(0...b.count)
    for (i, x) in a.enumerated() {
      var corner = row[0]
      row[0] = i + 1
      for (j, y) in b.enumerated() {
        let above = row[j + 1]
        row[j + 1] = min(above + 1, row[j] + 1, corner + (x == y ? 0 : 1))
        corner = above
      }
    }
    return row[b.count]
  }
}

extension String {
  /// The end of a name that is too long for a line.
  fileprivate var shortened: String { count > 60 ? "..." + suffix(57) : self }
}
