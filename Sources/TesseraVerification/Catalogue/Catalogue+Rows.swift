// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

extension Catalogue {
  /// Rows and columns off by one of the 64 lanes.
  static let rowShapes = [
    (0, 5), (1, 1), (1, 2), (3, 31), (2, 63), (5, 64), (4, 65), (3, 127), (2, 129), (7, 1000), (67, 3),
  ]

  /// Reductions over rows, channels and whole tensors.
  @_optimize(none)
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
    // Off by one of a block of 1,024 elements, and of two and four of them.
    let blocks = [
      (2, 1023), (3, 1024), (2, 1025), (1, 2048), (2, 2049), (1, 3073), (1, 4096), (1, 5121), (1, 9000),
    ]
    .map { rowSum($0, $1, specials: false) }
    // A group's blocks run on from sample to sample: 16 steps of 64 elements, and one more.
    let groups = [
      (8, 3, 127), (8, 2, 128), (9, 2, 129), (8, 1, 192), (11, 2, 1025), (17, 1, 2500), (1, 2, 4097),
      (140, 3, 1),
      (1100, 2, 3),
    ].map { channelSum($0, $1, $2) }
    return rows + maxima + channels + moments + blocks + groups + [channelSum(33, 2, 3, infinite: true)]
      + [(8, 129), (9, 1111), (300, 17)].map { self.moments($0, $1) }
      + StructuredInputs.allCases.flatMap { structuredSums($0) }
  }

  /// Sums, means and variances of data with structure.
  static func structuredSums(_ kind: StructuredInputs) -> [CatalogueCase] {
    [(2, 30_000), (1, 100_001), (300, 33)].map { samples, inner in
      CatalogueCase(
        "moments", "\(samples)x\(inner), \(kind.rawValue)", work: 2 * samples * inner
      ) { device in
        let x = try device.tensor(kind.floats(samples * inner), [samples, inner])
        let (mean, variance) = (try device.empty(1), try device.empty(1))
        let (rows, channels) = (try device.empty(samples), try device.empty(samples))
        try device.moments(x, samples: samples, inner: inner, mean: mean, variance: variance)
        try device.rowSum(x, rows: samples, columns: inner, into: rows)
        try device.channelSum(
          ChannelLayout(outer: inner, channels: samples, inner: 1), x, into: channels)
        return [
          try device.output("mean", mean), try device.output("variance", variance),
          try device.output("rows", rows), try device.output("channels", channels),
        ]
      }
    }
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

  /// `infinite`: with an infinity in the first group, which the sum keeps.
  @inline(never)
  static func channelSum(
    _ outer: Int, _ channels: Int, _ inner: Int, infinite: Bool = false
  ) -> CatalogueCase {
    CatalogueCase("channelSum", "\(outer)x\(channels)x\(inner)\(infinite ? " infinite" : "")") { device in
      var inputs = CaseInputs(seed: 34)
      let p = ChannelLayout(outer: outer, channels: channels, inner: inner)
      var values = inputs.floats(p.count)
      if infinite { values[0] = .infinity }
      let x = try device.tensor(values, [p.count])
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
