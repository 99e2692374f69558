// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

extension Benchmark {
  /// t-SNE by nearest neighbours.
  static var neighbourLayouts: [Item] {
    [nearest(16_384, 64), neighbourAffinities(16_384), neighbourForces(16_384)]
  }

  /// Neighbours of each point at perplexity 30.
  private static let neighbours = 91

  /// The nearest neighbours of a block of points among all.
  static func nearest(_ points: Int, _ dims: Int) -> Item {
    let (rows, k) = (min(points, NeighbourBlock.rows), min(neighbours, max(1, points - 1)))
    let pairs = Double(rows * points)
    return Item(
      kernel: "nearestNeighbours", label: "\(rows) of \(points) points x \(dims)",
      operations: 3 * pairs * Double(dims), bytes: 4 * Double(points * dims + 2 * rows * k)
    ) { device in
      var inputs = SplitMix64(seed: 9)
      let x = try device.tensor(inputs.floats(points * dims), [points, dims])
      let nearest = try device.empty(points, k)
      let found = try device.allocate([points, k], .int32)
      try device.fill(nearest, with: 0)
      return (
        {
          try device.nearestNeighbours(
            of: x, points: points, dims: dims, rows: 0..<rows, nearest: nearest, neighbours: found)
        }, nearest
      )
    }
  }

  /// The search for every point's bandwidth among its neighbours.
  static func neighbourAffinities(_ points: Int) -> Item {
    let pairs = Double(points * neighbours)
    return Item(
      kernel: "neighbourAffinities", label: "\(points) points", operations: 20 * 20 * pairs, bytes: 8 * pairs
    ) { device in
      var inputs = SplitMix64(seed: 10)
      let d = try device.tensor(inputs.floats(points * neighbours, 5, 30), [points, neighbours])
      let p = try device.empty(points, neighbours)
      return (
        {
          try device.neighbourAffinities(
            d, points: points, neighbours: neighbours, perplexity: 30, into: p)
        }, p
      )
    }
  }

  /// The forces of one t-SNE iteration: attraction by neighbours, exact repulsion.
  static func neighbourForces(_ points: Int) -> Item {
    let pairs = Double(points) * Double(points)
    let k = neighbours * 3 / 2
    return Item(
      kernel: "neighbourForces", label: "\(points) points", operations: 23 * pairs,
      bytes: 8 * Double(points * k)
    ) { device in
      var inputs = SplitMix64(seed: 11)
      let joint = try SparseAffinities(
        points: points, starts: try device.tensor((0...points).map { Int32($0 * k) }, [points + 1]),
        columns: try device.tensor(inputs.ints(points * k, below: points), [points * k]),
        values: try device.tensor(inputs.floats(points * k, 0, 1), [points * k]))
      let layout = try device.tensor(inputs.floats(2 * points), [2, points])
      let forces = try device.empty(5, points)
      let p = TSNEStep(points: points)
      return (
        { try device.tsneForces(p, rows: 0..<points, joint: joint, layout: layout, into: forces) }, forces
      )
    }
  }
}
