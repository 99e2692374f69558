// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

extension Rows {
  func layouts() {
    let d = device
    kernel("TSNEBackend.conditionalAffinities(_:points:perplexity:into:)", [.floats(9), .out(9)]) {
      try d.conditionalAffinities($0[0], points: 3, perplexity: 2, into: $0[1])
    }
    for points in [-1, -3, 1 << 31, .max, .min] {
      refuses("\(points) points") {
        try d.conditionalAffinities(
          try self.floats(9), points: points, perplexity: 2, into: try self.floats(9))
      }
    }
    for perplexity in [Float.nan, 0, -1, 3, .infinity] {
      refuses("perplexity \(perplexity) of 3 points") {
        try d.conditionalAffinities(
          try self.floats(9), points: 3, perplexity: perplexity, into: try self.floats(9))
      }
    }
    kernel("TSNEBackend.jointAffinities(_:points:into:)", [.floats(9), .out(9)]) {
      try d.jointAffinities($0[0], points: 3, into: $0[1])
    }
    for points in [-1, -3, 1 << 31, .max, .min] {
      refuses("\(points) points") {
        try d.jointAffinities(try self.floats(9), points: points, into: try self.floats(9))
      }
    }
    function("TSNEStep.init(points:)")
    gives("nothing but points", [0, 0]) { [TSNEStep(points: 3).learningRate, TSNEStep(points: 3).momentum] }
    var p = TSNEStep(points: 3)
    (p.exaggeration, p.learningRate, p.momentum, p.minGain) = (1, 1, 0.5, 0.01)
    let settings: [(String, WritableKeyPath<TSNEStep, Float>)] = [
      ("exaggeration", \.exaggeration), ("learningRate", \.learningRate), ("momentum", \.momentum),
      ("minGain", \.minGain),
    ]
    kernel(
      "TSNEBackend.tsneForces(_:rows:joint:layout:into:)", [.floats(9), .floats(6), .out(10)]
    ) {
      try d.tsneForces(p, rows: 1..<3, joint: $0[0], layout: $0[1], into: $0[2])
    }
    let forces: (TSNEStep, Range<Int>) throws -> Void = {
      try d.tsneForces(
        $0, rows: $1, joint: try self.floats(9), layout: try self.floats(6),
        into: try self.floats(5 * max(0, min(3, $1.upperBound - max(0, $1.lowerBound)))))
    }
    fields(p, [("points", \.points)], [-1, 0, 4, .max, .min]) { try forces($0, 0..<1) }
    fields(p, settings, [.nan, .infinity]) { try forces($0, 0..<3) }
    for rows in [-1..<1, 2..<4, 0..<Int.max, Int.min..<0] {
      refuses("rows \(rows)") {
        try forces(p, rows)
        return "nothing refused"
      }
    }
    kernel("TSNEBackend.tsneForces(_:joint:layout:into:)", [.floats(9), .floats(6), .out(15)]) {
      try d.tsneForces(p, joint: $0[0], layout: $0[1], into: $0[2])
    }
    fields(p, [("points", \.points)], [-1, 0, 4, .max, .min]) {
      try d.tsneForces($0, joint: try self.floats(9), layout: try self.floats(6), into: try self.floats(15))
    }
    kernel(
      "TSNEBackend.tsneUpdate(_:forces:layout:velocity:gains:squaredNorm:)",
      [.floats(15), .out(6), .out(6), .out(6), .out(1)]
    ) {
      try d.tsneUpdate(p, forces: $0[0], layout: $0[1], velocity: $0[2], gains: $0[3], squaredNorm: $0[4])
    }
    let update: (TSNEStep) throws -> Void = {
      try d.tsneUpdate(
        $0, forces: try self.floats(15), layout: try self.floats(6), velocity: try self.floats(6),
        gains: try self.floats(6), squaredNorm: try self.floats(1))
    }
    fields(p, [("points", \.points)], [-1, 0, 4, .max, .min], update)
    fields(p, settings, [.nan, .infinity], update)
    kernel("TSNEBackend.tsneDivergence(_:layout:points:into:)", [.floats(9), .floats(6), .out(1)]) {
      try d.tsneDivergence($0[0], layout: $0[1], points: 3, into: $0[2])
    }
    for points in [-1, -3, 1 << 31, .max, .min] {
      refuses("\(points) points") {
        try d.tsneDivergence(
          try self.floats(9), layout: try self.floats(6), points: points, into: try self.floats(1))
      }
    }
    neighbours(p)
  }

  private func sparse(_ starts: [Int32] = [0, 1, 2, 2], _ columns: [Int32] = [1, 0]) throws
    -> SparseAffinities
  {
    try SparseAffinities(
      points: 3, starts: try device.tensor(starts, [starts.count]),
      columns: try device.tensor(columns, [columns.count]),
      values: try device.tensor([Float](repeating: 0.5, count: columns.count), [columns.count]))
  }

  private func neighbours(_ p: TSNEStep) {
    let d = device
    function("SparseTSNEBackend.nearestNeighbours(_:rows:columns:fresh:nearest:neighbours:)")
    func nearest(_ distances: Tensor, _ rows: Range<Int>, _ columns: Range<Int>, _ a: Tensor, _ b: Tensor)
      throws -> [Int32]
    {
      try d.nearestNeighbours(distances, rows: rows, columns: columns, fresh: true, nearest: a, neighbours: b)
      return try d.ints(b)
    }
    func pair(_ k: Int = 1) throws -> (Tensor, Tensor) {
      (try d.allocate([3, k], .float32), try d.allocate([3, k], .int32))
    }
    gives("the next of three", [1, 0, 0]) {
      let (a, b) = try pair()
      return try nearest(try d.tensor([0, 1, 2, 1, 0, 3, 2, 3, 0] as [Float], [9]), 0..<3, 0..<3, a, b)
    }
    for (rows, columns) in [
      (-1..<2, 0..<3), (0..<3, -1..<2), (1..<4, 0..<3), (0..<3, Int.max - 3..<Int.max), (Int.min..<0, 0..<1),
      (0..<3, 0..<2),
    ] {
      refuses("rows \(rows), columns \(columns)") {
        let (a, b) = try pair()
        return try nearest(try self.floats(9), rows, columns, a, b)
      }
    }
    refuses("neighbours of floats") {
      try nearest(try self.floats(9), 0..<3, 0..<3, try pair().0, try pair().0)
    }
    refuses("nearest of integers") {
      try nearest(try self.floats(9), 0..<3, 0..<3, try pair().1, try pair().1)
    }
    refuses("distances of integers") {
      try nearest(try self.ints(9), 0..<3, 0..<3, try pair().0, try pair().1)
    }
    refuses("nearest of one dimension") {
      try nearest(try self.floats(9), 0..<3, 0..<3, try self.floats(3), try self.ints(3))
    }
    for s in strangers {
      refuses("distances of \(s.name)") {
        try nearest(try s.make(9, .float32), 0..<3, 0..<3, try pair().0, try pair().1)
      }
      refuses("neighbours of \(s.name)") {
        try nearest(try self.floats(9), 0..<3, 0..<3, try pair().0, try s.make(3, .int32))
      }
    }
    kernel(
      "SparseTSNEBackend.neighbourAffinities(_:points:neighbours:perplexity:into:)",
      [.floats(6), .out(6)]
    ) {
      try d.neighbourAffinities($0[0], points: 3, neighbours: 2, perplexity: 2, into: $0[1])
    }
    extents(2) {
      try d.neighbourAffinities(
        try self.floats(6), points: $0[0], neighbours: $0[1], perplexity: 1, into: try self.floats(6))
    }
    for perplexity in [Float.nan, 0, 3, .infinity, -1] {
      refuses("perplexity \(perplexity)") {
        try d.neighbourAffinities(
          try self.floats(6), points: 3, neighbours: 2, perplexity: perplexity, into: try self.floats(6))
      }
    }
    function("SparseAffinities.init(points:starts:columns:values:)")
    for points in [-1, 2, .max, .min] {
      refuses("\(points) points") {
        try SparseAffinities(
          points: points, starts: try self.ints(4), columns: try self.ints(2), values: try self.floats(2))
      }
    }
    refuses("starts of floats") {
      try SparseAffinities(
        points: 3, starts: try self.floats(4), columns: try self.ints(2), values: try self.floats(2))
    }
    refuses("columns of floats") {
      try SparseAffinities(
        points: 3, starts: try self.ints(4), columns: try self.floats(2), values: try self.floats(2))
    }
    refuses("values of integers") {
      try SparseAffinities(
        points: 3, starts: try self.ints(4), columns: try self.ints(2), values: try self.ints(2))
    }
    refuses("fewer values than columns") {
      try SparseAffinities(
        points: 3, starts: try self.ints(4), columns: try self.ints(2), values: try self.floats(1))
    }
    kernel("SparseTSNEBackend.tsneForces(_:rows:joint:layout:into:)", [.floats(6), .out(10)]) {
      try d.tsneForces(p, rows: 1..<3, joint: try self.sparse(), layout: $0[0], into: $0[1])
    }
    let forces: (TSNEStep, Range<Int>, SparseAffinities) throws -> Void = {
      try d.tsneForces($0, rows: $1, joint: $2, layout: try self.floats(6), into: try self.floats(15))
    }
    fields(p, [("points", \.points)], [-1, 0, 4, .max, .min]) { try forces($0, 0..<3, try self.sparse()) }
    for rows in [-1..<2, 1..<4, Int.min..<0] {
      refuses("rows \(rows)") {
        try forces(p, rows, try self.sparse())
        return "nothing refused"
      }
    }
    for (starts, columns) in [
      ([0, 1, 2, 2], [1, 3]), ([0, 1, 2, 2], [-1, 0]), ([0, 1, 2, 3], [1, 0]), ([-1, 1, 2, 2], [1, 0]),
      ([0, 2, 1, 2], [1, 0]), ([1, 1, 2, 2], [1, 0]),
    ] as [([Int32], [Int32])] {
      refuses("starts \(starts), columns \(columns)") {
        try forces(p, 0..<3, try self.sparse(starts, columns))
        return "nothing refused"
      }
    }
    kernel("SparseTSNEBackend.tsneDivergence(_:layout:into:)", [.floats(6), .out(1)]) {
      try d.tsneDivergence(try self.sparse(), layout: $0[0], into: $0[1])
    }
    refuses("a column beyond the points") {
      try d.tsneDivergence(
        try self.sparse([0, 1, 2, 2], [1, 3]), layout: try self.floats(6), into: try self.floats(1))
    }
  }
}
