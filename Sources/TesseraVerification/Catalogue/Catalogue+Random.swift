// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

extension Catalogue {
  private static let stream = RandomStream(seed: 0x1234_5678_9abc_def0, stream: 0x1_0000_0007)

  /// Random numbers, dropout and gathers.
  @_optimize(none)
  static var randomCases: [CatalogueCase] {
    let counts = [0, 1, 2, 3, 4, 5, 63, 1025].flatMap {
      [randomUniform($0), randomNormal($0), dropout($0)]
    }
    // One ulp wide: half of the sums round to the upper end, which must not be given.
    let narrow = [randomUniform(301, low: 1, high: Float(1).nextUp)]
    // Parts of larger tensors; the blocks of the second go beyond 32 bits.
    var (later, far) = (stream, stream)
    (later.first, far.first) = (1 << 12, (1 << 34) - 8)
    let parts = [randomUniform(67, stream: later), randomNormal(67, stream: far), dropout(67, stream: far)]
    let gathers = [(5, 1, 1), (11, 7, 3), (100, 9, 384), (3, 0, 5)].map { gatherRows($0, $1, $2) }
    return counts + narrow + parts + [dropout(65, specials: true)] + gathers + [
      gatherRows(4, 6, 5, outside: true), gatherRowsGrad(5, 1, 1, group: 1),
      gatherRowsGrad(11, 70, 3, group: 8), gatherRowsGrad(100, 9, 384, group: 80),
      gatherRowsGrad(3, 0, 5, group: 8),
      gatherRowsGrad(2, 65, 130, group: 16), gatherRowsGrad(4, 30, 5, group: 3, outside: true),
    ]
  }

  @inline(never)
  static func randomUniform(
    _ count: Int, low: Float = -2, high: Float = 3, stream: RandomStream = stream
  ) -> CatalogueCase {
    CatalogueCase("randomUniform", "\(count) in \(low)..<\(high)\(stream.place)") { device in
      let y = try device.empty(count)
      try device.randomUniform(stream, low: low, high: high, into: y)
      return [try device.output("y", y)]
    }
  }

  static func randomNormal(_ count: Int, stream: RandomStream = stream) -> CatalogueCase {
    CatalogueCase("randomNormal", "\(count)\(stream.place)") { device in
      let y = try device.empty(count)
      try device.randomNormal(stream, mean: 0.5, deviation: 1e-4, into: y)
      return [try device.output("y", y)]
    }
  }

  static func dropout(_ count: Int, specials: Bool = false, stream: RandomStream = stream) -> CatalogueCase {
    CatalogueCase("dropout", "\(count)\(specials ? " specials" : "")\(stream.place)") { device in
      var inputs = CaseInputs(seed: 81)
      let x = try device.tensor(specials ? inputs.withSpecials(count) : inputs.floats(count), [count])
      let y = try device.empty(count)
      try device.dropout(stream, rate: 0.3, x, into: y)
      return [try device.output("y", y)]
    }
  }

  /// `outside`: with ids below 0 and beyond the table, by one and by far.
  @inline(never)
  static func gatherRows(
    _ entries: Int, _ rows: Int, _ columns: Int, outside: Bool = false
  ) -> CatalogueCase {
    let label = "\(rows) of \(entries)x\(columns)\(outside ? ", ids outside" : "")"
    return CatalogueCase("gatherRows", label) { device in
      var inputs = CaseInputs(seed: 82)
      let table = try device.tensor(inputs.floats(entries * columns), [entries, columns])
      var places = inputs.ints(rows, below: entries)
      if outside {
        for (row, id) in [-1, Int32(entries), .min, .max].enumerated() where row < rows { places[row] = id }
      }
      let ids = try device.tensor(places, [rows])
      if outside { ids.assumeGood() }
      let y = try device.empty(rows, columns)
      try device.gatherRows(table, ids: ids, columns: columns, into: y)
      return [try device.output("y", y)]
    }
  }

  static func gatherRowsGrad(
    _ entries: Int, _ rows: Int, _ columns: Int, group: Int, outside: Bool = false
  ) -> CatalogueCase {
    let label = "\(rows) of \(entries)x\(columns) by \(group)\(outside ? ", ids outside" : "")"
    return CatalogueCase("gatherRowsGrad", label) { device in
      var inputs = CaseInputs(seed: 83)
      let dy = try device.tensor(inputs.ordinary(rows * columns), [rows, columns])
      var places = inputs.ints(rows, below: entries)
      if outside {
        for (row, id) in [-1, Int32(entries), .min, .max].enumerated() where row < rows { places[row] = id }
      }
      let table = try device.empty(entries, columns)
      try device.gatherRowsGrad(
        dy, ids: try device.tensor(places, [rows]), columns: columns, group: group, into: table)
      return [try device.output("table", table)]
    }
  }
}

extension RandomStream {
  /// Where a part begins, for a case's name.
  fileprivate var place: String { first == 0 ? "" : " from \(first)" }
}
