// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

extension Catalogue {
  /// t-SNE by nearest neighbours: blocks of distances, the search, affinities, steps.
  @_optimize(none)
  static var neighbourCases: [CatalogueCase] {
    let blocks: [(Int, Range<Int>, Range<Int>, Int)] = [
      (1, 0..<1, 0..<1, 3), (3, 1..<1, 0..<3, 2), (9, 2..<7, 4..<9, 0), (33, 1..<16, 17..<33, 5),
      (70, 3..<68, 5..<70, 63), (40, 7..<40, 0..<31, 513), (97, 0..<97, 0..<97, 40),
    ]
    // Points, rows, k, columns of a block: ends of 16, 64 and 2,048 columns, of lists of 64, and lists that
    // stay short.
    let searches: [(Int, Range<Int>, Int, Int)] = [
      (1, 0..<1, 1, 1), (2, 0..<2, 1, 1), (5, 1..<1, 2, 5), (5, 0..<5, 4, 2), (7, 2..<6, 9, 3),
      (17, 0..<17, 3, 15), (33, 5..<21, 16, 16), (64, 60..<64, 63, 17), (65, 0..<2, 64, 64),
      (66, 1..<3, 65, 65), (131, 0..<3, 91, 63), (200, 7..<9, 129, 200), (2050, 3..<5, 5, 2050),
      (2047, 0..<2, 2, 2047), (2113, 2..<4, 1, 2048), (4300, 1..<2, 91, 2049),
    ]
    return blocks.map { distances($0, rows: $1, columns: $2, dims: $3) }
      + searches.flatMap { search in NeighbourInputs.allCases.map { nearest(search, $0) } }
      + [(0, 1), (1, 1), (3, 2), (2, 15), (3, 63), (2, 64), (3, 65), (5, 91), (2, 130), (2, 1025), (1, 3073)]
      .map {
        neighbourAffinities($0, $1)
      }
      + [1, 2, 5, 31, 63, 64, 65, 131, 1025, 2117, 4097].map { neighbourSteps($0) }
      + [neighbourSteps(26, .farApart), neighbourSteps(27, .specials)]
  }

  /// What distances are drawn: any, few different ones, every special value.
  enum NeighbourInputs: String, CaseIterable { case any, ties, specials }

  static func distances(_ points: Int, rows: Range<Int>, columns: Range<Int>, dims: Int) -> CatalogueCase {
    CatalogueCase(
      "squaredDistances", "rows \(rows), columns \(columns) of \(points) points x \(dims)",
      work: rows.count * columns.count * dims
    ) { device in
      var inputs = CaseInputs(seed: 15)
      let x = try device.tensor(inputs.floats(points * dims), [points, dims])
      let d = try device.empty(rows.count, columns.count)
      try device.squaredDistances(x, rows: rows, columns: columns, points: points, dims: dims, into: d)
      return [try device.output("d", d)]
    }
  }

  /// Blocks in ascending order, the first of them fresh, and once more in descending order.
  @inline(never)
  static func nearest(_ search: (points: Int, rows: Range<Int>, k: Int, width: Int), _ kind: NeighbourInputs)
    -> CatalogueCase
  {
    let (points, rows, k, width) = search
    let label = "\(k) of \(points) points, rows \(rows), blocks of \(width), \(kind) distances"
    return CatalogueCase("nearestNeighbours", label, work: 2 * rows.count * points) { device in
      var inputs = CaseInputs(seed: 102)
      let all: [Float] =
        switch kind {
        case .any: inputs.floats(rows.count * points, 0, 9)
        case .ties: inputs.ints(rows.count * points, below: 4).map { Float($0) }
        case .specials: inputs.withSpecials(rows.count * points)
        }
      let blocks = try stride(from: 0, to: points, by: width).map { begin in
        let columns = begin..<min(points, begin + width)
        let values = rows.indices.flatMap { row in
          columns.map { all[(row - rows.lowerBound) * points + $0] }
        }
        return (columns, try device.tensor(values, [rows.count, columns.count]))
      }
      var outputs: [CaseOutput] = []
      for (order, blocks) in [("ascending", blocks), ("descending", blocks.reversed())] {
        // Other rows than those of the search stay as they are.
        let kept = rows.upperBound + 1
        let nearest = try device.tensor([Float](repeating: -1, count: kept * k), [kept, k])
        let found = try device.tensor([Int32](repeating: -1, count: kept * k), [kept, k])
        for (number, block) in blocks.enumerated() {
          try device.nearestNeighbours(
            block.1, rows: rows, columns: block.0, fresh: number == 0, nearest: nearest, neighbours: found)
        }
        outputs += [
          try device.output("nearest, \(order)", nearest),
          try device.outputInts("neighbours, \(order)", found),
        ]
      }
      return outputs
    }
  }

  /// Rows of any distances, equal ones, far ones and special ones.
  static func neighbourAffinities(_ points: Int, _ k: Int) -> CatalogueCase {
    let label = "\(points) points, \(k) neighbours"
    return CatalogueCase("neighbourAffinities", label, work: points * k * 100) { device in
      var inputs = CaseInputs(seed: 103)
      let rows = (0..<points).flatMap { point -> [Float] in
        switch point {
        case 1: [Float](repeating: 3, count: k)
        case 2: inputs.withSpecials(k)
        case 3: inputs.floats(k, 1e6, 1e7)
        default: inputs.floats(k, 0, 9)
        }
      }
      let (d, p) = (try device.tensor(rows, [points, k]), try device.empty(points, k))
      try device.neighbourAffinities(
        d, points: points, neighbours: k, perplexity: max(1, Float(k) / 3), into: p)
      return [try device.output("p", p)]
    }
  }

  /// What a layout is drawn from: a small area, two places far apart, coordinates among which are special
  /// values.
  enum NeighbourLayout { case near, farApart, specials }

  /// Steps with rows of 0 to 130 neighbours (from 7 points on), some of them floors of the probabilities.
  static func neighbourSteps(_ points: Int, _ kind: NeighbourLayout = .near) -> CatalogueCase {
    let label = "\(points) points, steps by neighbours, layout \(kind)"
    return CatalogueCase("tsne", label, work: points * points * 20) { device in
      var inputs = CaseInputs(seed: 104)
      let lengths = (0..<points).map { [5, 0, 63, 64, 65, 1, 130][$0 % 7] }
      let starts = lengths.reduce(into: [Int32(0)]) { $0.append($0[$0.count - 1] + Int32($1)) }
      let entries = lengths.reduce(0, +)
      let joint = try SparseAffinities(
        points: points, starts: try device.tensor(starts, [points + 1]),
        columns: try device.tensor(inputs.ints(entries, below: points), [entries]),
        values: try device.tensor(
          inputs.floats(entries, 0, 2 / Float(entries + 1)).map { max($0 - 1e-3, 0x1p-52) }, [entries]))
      let places: [Float] =
        switch kind {
        case .near: inputs.floats(2 * points, -3, 3)
        case .farApart: (0..<2 * points).map { Float($0 % points) + ($0 % 2 == 0 ? 1e9 : 0) }
        case .specials: inputs.withSpecials(2 * points)
        }
      let layout = try device.tensor(places, [2, points])
      let (velocity, gains) = (try device.empty(2, points), try device.empty(2, points))
      let (forces, norm) = (try device.empty(5, points), try device.empty(1))
      let divergence = try device.empty(1)
      try device.fill(velocity, with: 0)
      try device.fill(gains, with: 1)
      try device.tsneDivergence(joint, layout: layout, into: divergence)
      var p = TSNEStep(points: points)
      (p.exaggeration, p.learningRate, p.momentum, p.minGain) = (12, 20, 0.5, 0.01)
      let block = points / 3..<max(points / 3, points - 1)
      let part = try device.empty(5, block.count)
      for _ in 0..<2 {
        try device.tsneForces(p, rows: 0..<points, joint: joint, layout: layout, into: forces)
        try device.tsneForces(p, rows: block, joint: joint, layout: layout, into: part)
        try device.tsneUpdate(
          p, forces: forces, layout: layout, velocity: velocity, gains: gains, squaredNorm: norm)
      }
      return [
        try device.output("divergence", divergence), try device.output("forces", forces),
        try device.output("forces of a block", part), try device.output("layout", layout),
      ]
    }
  }
}
