// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

extension Catalogue {
  /// Copies, transpositions and swapped axes.
  @_optimize(none)
  static var memoryCases: [CatalogueCase] {
    let regions = [(1, 1, 1, 1), (3, 5, 9, 7), (7, 4, 4, 6), (0, 3, 3, 3), (2, 0, 3, 3)].map {
      copyRegion($0, $1, $2, $3)
    }
    let transposes = [(1, 1), (15, 17), (16, 16), (33, 7), (64, 65), (0, 4)].map { transpose($0, $1) }
    let swaps = [(1, 1, 1, 1), (2, 2, 3, 5), (3, 7, 2, 65), (1, 2, 58, 361), (0, 2, 2, 2)].map {
      swapAxes($0, $1, $2, $3)
    }
    return regions + transposes + swaps
  }

  static func copyRegion(_ rows: Int, _ columns: Int, _ from: Int, _ to: Int) -> CatalogueCase {
    CatalogueCase("copy", "\(rows)x\(columns) stride \(from) to \(to)") { device in
      var inputs = CaseInputs(seed: 91)
      let source = try device.tensor(inputs.anyBits(rows * from + 3), [rows * from + 3])
      let target = try device.empty(rows * to + 2)
      try device.fill(target, with: 0.25)
      try device.copy(
        source, to: target,
        region: CopyRegion(
          rows: rows, columns: columns, sourceOffset: 3, sourceStride: from, destinationOffset: 2,
          destinationStride: to))
      return [try device.output("target", target)]
    }
  }

  static func transpose(_ rows: Int, _ columns: Int) -> CatalogueCase {
    CatalogueCase("transpose", "\(rows)x\(columns)") { device in
      var inputs = CaseInputs(seed: 92)
      let x = try device.tensor(inputs.anyBits(rows * columns), [rows, columns])
      let y = try device.empty(columns, rows)
      try device.transpose(x, rows: rows, columns: columns, into: y)
      return [try device.output("y", y)]
    }
  }

  static func swapAxes(_ outer: Int, _ a: Int, _ b: Int, _ inner: Int) -> CatalogueCase {
    CatalogueCase("swapAxes", "\(outer)x\(a)x\(b)x\(inner)") { device in
      var inputs = CaseInputs(seed: 93)
      let count = outer * a * b * inner
      let x = try device.tensor(inputs.anyBits(count), [count])
      let y = try device.empty(count)
      try device.swapAxes(x, outer: outer, a: a, b: b, inner: inner, into: y)
      return [try device.output("y", y)]
    }
  }
}
