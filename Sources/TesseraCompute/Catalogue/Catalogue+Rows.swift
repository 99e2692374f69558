extension Catalogue {
  /// Rows and columns off by one of the 64 lanes.
  static let rowShapes = [
    (0, 5), (1, 1), (1, 2), (3, 31), (2, 63), (5, 64), (4, 65), (3, 127), (2, 129), (7, 1000), (67, 3),
  ]

  /// Reductions over rows, channels and whole tensors.
  static var reductionCases: [CatalogueCase] {
    let rows = (rowShapes + [(3, 0)]).flatMap { rows, columns in
      [false, true].map { rowSum(rows, columns, specials: $0) }
    }
    let maxima = rowShapes.flatMap {
      [rowMax($0, $1), rowMax($0, $1, specials: true), rowArgmax($0, $1)]
    }
    let channels = [(1, 1, 1), (0, 3, 4), (8, 3, 5), (9, 2, 64), (17, 5, 13), (3, 1, 1000), (33, 7, 1)]
      .map { channelSum($0, $1, $2) }
    let moments = [(1, 1), (7, 3), (8, 64), (9, 65), (20, 333)].map { self.moments($0, $1) }
    return rows + maxima + channels + moments
  }

  static func rowSum(_ rows: Int, _ columns: Int, specials: Bool) -> CatalogueCase {
    CatalogueCase("rowSum", "\(rows)x\(columns)\(specials ? " specials" : "")") { device in
      var inputs = CaseInputs(seed: 31)
      let count = rows * columns
      let x = try device.tensor(
        specials ? inputs.withSpecials(count) : inputs.floats(count), [rows, columns])
      let sum = try device.empty(rows)
      try device.rowSum(x, rows: rows, columns: columns, into: sum)
      return [try device.output("sum", sum)]
    }
  }

  static func rowMax(_ rows: Int, _ columns: Int, specials: Bool = false) -> CatalogueCase {
    CatalogueCase("rowMax", "\(rows)x\(columns)\(specials ? " specials" : "")") { device in
      var inputs = CaseInputs(seed: 32)
      let count = rows * columns
      let x = try device.tensor(
        specials ? inputs.withSpecials(count) : inputs.floats(count), [rows, columns])
      let y = try device.empty(rows)
      try device.rowMax(x, rows: rows, columns: columns, into: y)
      return [try device.output("max", y)]
    }
  }

  static func rowArgmax(_ rows: Int, _ columns: Int) -> CatalogueCase {
    CatalogueCase("rowArgmax", "\(rows)x\(columns) with ties") { device in
      var inputs = CaseInputs(seed: 33)
      let values = inputs.floats(rows * columns).map { ($0 * 4).rounded() }
      let x = try device.tensor(values, [rows, columns])
      let y = try device.allocate([rows], .int32)
      try device.rowArgmax(x, rows: rows, columns: columns, into: y)
      return [try device.outputInts("argmax", y)]
    }
  }

  static func channelSum(_ outer: Int, _ channels: Int, _ inner: Int) -> CatalogueCase {
    CatalogueCase("channelSum", "\(outer)x\(channels)x\(inner)") { device in
      var inputs = CaseInputs(seed: 34)
      let p = ChannelsParameters(outer: outer, channels: channels, inner: inner)
      let x = try device.tensor(inputs.floats(p.count), [p.count])
      let y = try device.empty(channels)
      try device.channelSum(p, x, into: y)
      return [try device.output("sum", y)]
    }
  }

  static func moments(_ samples: Int, _ inner: Int) -> CatalogueCase {
    CatalogueCase("moments", "\(samples)x\(inner)") { device in
      var inputs = CaseInputs(seed: 35)
      let x = try device.tensor(inputs.floats(samples * inner, 3, 5), [samples, inner])
      let mean = try device.empty(1)
      let variance = try device.empty(1)
      try device.moments(x, samples: samples, inner: inner, mean: mean, variance: variance)
      return [try device.output("mean", mean), try device.output("variance", variance)]
    }
  }
}
