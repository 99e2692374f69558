// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

@testable import TesseraCompute

/// t-SNE by nearest neighbours against float64.
@Suite struct NeighboursTests {
  @Test(arguments: [(1, 1), (9, 3), (70, 64), (2200, 91)])
  func theNearestAreThoseOfASort(_ points: Int, _ k: Int) throws {
    var reference = try Reference()
    let device = reference.device
    let dims = 3
    let (x, values) = try reference.input([points, dims])
    let (nearest, found) = (try reference.empty(points, k), try device.allocate([points, k], .int32))
    try device.nearestNeighbours(of: x, points: points, dims: dims, nearest: nearest, neighbours: found)
    let (distances, neighbours) = (try device.floats(nearest), try device.ints(found))
    for i in [0, points / 2, points - 1] {
      func distance(_ j: Int) -> Double {
        (0..<dims).reduce(0) {
          let d = values[i * dims + $1] - values[j * dims + $1]
          return $0 + d * d
        }
      }
      let wanted = (0..<points).filter { $0 != i }.map(distance).sorted().prefix(k)
      for (rank, value) in wanted.enumerated() {
        let at = i * k + rank
        #expect(abs(Double(distances[at]) - value) < 1e-6)
        #expect(neighbours[at] != Int32(i) && abs(distance(Int(neighbours[at])) - value) < 1e-6)
      }
      for rank in wanted.count..<k {
        #expect(distances[i * k + rank].isNaN && neighbours[i * k + rank] == .max)
      }
      #expect(Set(neighbours[i * k..<i * k + wanted.count]).count == wanted.count)
    }
  }

  @Test func equalDistancesAreInTheOrderOfThePointsAndNaNIsLast() throws {
    let device = try CPUBackend(threads: 1)
    let row: [Float] = [2, .nan, 1, .infinity, 0, 1, -0.0, 2, 9]
    let (nearest, found) = (try device.empty(1, 8), try device.allocate([1, 8], .int32))
    let parts = [0..<4, 4..<9].map { columns in (columns, Array(row[columns])) }
    for parts in [parts, parts.reversed()] {
      for (number, (columns, values)) in parts.enumerated() {
        try device.nearestNeighbours(
          try device.tensor(values, [1, columns.count]), rows: 0..<1, columns: columns, fresh: number == 0,
          nearest: nearest, neighbours: found)
      }
      // Point 0 is none of its own.
      #expect(try device.ints(found) == [4, 6, 2, 5, 7, 8, 3, 1])
      let distances = try device.floats(nearest)
      #expect(distances.prefix(7).map(\.bitPattern) == [0, 0, 1, 1, 2, 9, Float.infinity].map(\.bitPattern))
      #expect(distances[7].bitPattern == 0x7fc0_0000)
    }
  }

  @Test(arguments: [(4, 3), (3, 64), (5, 91)])
  func affinitiesToNeighboursHaveTheWantedPerplexity(_ points: Int, _ k: Int) throws {
    var reference = try Reference()
    let (d, exact) = try reference.input([points, k], 0, 4)
    let p = try reference.empty(points, k)
    let perplexity = Double(k) / 3
    try reference.device.neighbourAffinities(
      d, points: points, neighbours: k, perplexity: Float(perplexity), into: p)
    let found = try reference.device.floats(p).map { Double($0) }
    for i in 0..<points {
      let row = Array(found[i * k..<(i + 1) * k])
      #expect(abs(row.reduce(0, +) - 1) < 1e-5)
      let entropy = row.reduce(0) { $0 - ($1 > 0 ? $1 * log($1) : 0) }
      #expect(abs(exp(entropy) / perplexity - 1) < 2e-4)
      // Gaussian: ln p falls linearly in the squared distance.
      let far = row.indices.max { exact[i * k + $0] < exact[i * k + $1] } ?? 0
      let slope = log(row[0] / row[far]) / (exact[i * k + far] - exact[i * k])
      for j in row.indices where far != 0 && row[j] > 1e-20 {
        #expect(abs(log(row[0] / row[j]) - slope * (exact[i * k + j] - exact[i * k])) < 1e-3)
      }
    }
  }

  /// Every point's next `k` points, in a ring.
  private func ring(_ points: Int, _ k: Int, _ values: Tensor, on device: CPUBackend) throws
    -> (SparseAffinities, [Int32])
  {
    let columns = (0..<points).flatMap { i in (1...k).map { Int32((i + $0) % points) }.sorted() }
    return (
      try SparseAffinities(
        points: points, starts: try device.tensor((0...points).map { Int32($0 * k) }, [points + 1]),
        columns: try device.tensor(columns, [points * k]), values: values), columns
    )
  }

  @Test(arguments: [(4, 3), (64, 5), (130, 70)])
  func forcesAndDivergenceFollowThePaper(_ points: Int, _ k: Int) throws {
    var reference = try Reference()
    let device = reference.device
    let (values, weights) = try reference.input([points * k], 0, 2 / Float(points * k))
    let (joint, columns) = try ring(points, k, values, on: device)
    let (layout, y) = try reference.input([2, points], -3, 3)
    func q(_ i: Int, _ j: Int) -> Double {
      let (dx, dy) = (y[i] - y[j], y[points + i] - y[points + j])
      return i == j ? 0 : 1 / (1 + dx * dx + dy * dy)
    }
    var wanted = [Double](repeating: 0, count: 5 * points)
    for i in 0..<points {
      for j in 0..<points {
        wanted[i] += q(i, j)
        for axis in 0..<2 {
          wanted[(3 + axis) * points + i] += q(i, j) * q(i, j) * (y[axis * points + i] - y[axis * points + j])
        }
      }
      for e in i * k..<(i + 1) * k {
        let j = Int(columns[e])
        for axis in 0..<2 {
          wanted[(1 + axis) * points + i] +=
            weights[e] * q(i, j) * (y[axis * points + i] - y[axis * points + j])
        }
      }
    }
    let p = TSNEStep(points: points)
    let forces = try reference.empty(5, points)
    try device.tsneForces(p, rows: 0..<points, joint: joint, layout: layout, into: forces)
    try reference.expect(forces, wanted, 1e-5, "forces")
    let z = wanted.prefix(points).reduce(0, +)
    let divergence = try reference.empty(1)
    try device.tsneDivergence(joint, layout: layout, into: divergence)
    let exact = sum(0..<points * k) { weights[$0] * log(weights[$0] * z / q($0 / k, Int(columns[$0]))) }
    try reference.expect(divergence, [exact], 1e-5, "divergence")
  }

  /// Their orders are the same: Z and repulsion, and with all pairs in rows of ascending columns everything
  /// but a zero.
  @Test(arguments: [17, 65, 130]) func repulsionHasTheBitsOfTheExactForces(_ points: Int) throws {
    var reference = try Reference()
    let device = reference.device
    let (dense, _) = try reference.input([points, points], 0, 1)
    let (layout, _) = try reference.input([2, points], -3, 3)
    let (values, _) = try reference.input([points * 3], 0, 1)
    let (joint, _) = try ring(points, 3, values, on: device)
    let p = TSNEStep(points: points)
    let forces = try [0, 1].map { _ in try reference.empty(5, points) }
    try device.tsneForces(p, joint: dense, layout: layout, into: forces[0])
    try device.tsneForces(p, rows: 0..<points, joint: joint, layout: layout, into: forces[1])
    let bits = try forces.map { try device.floats($0).map(\.bitPattern) }
    #expect(bits[0].prefix(points) == bits[1].prefix(points))
    #expect(bits[0].suffix(2 * points) == bits[1].suffix(2 * points))
  }

  @Test func whatDoesNotFitIsRefused() throws {
    var reference = try Reference()
    let device = reference.device
    let (x, _) = try reference.input([6, 2])
    let (nearest, found) = (try reference.empty(6, 2), try device.allocate([6, 2], .int32))
    let d = try reference.empty(2, 6)
    func refused(_ body: () throws -> Void) { #expect(throws: TesseraError.self) { try body() } }
    refused { try device.squaredDistances(x, rows: 5..<7, columns: 0..<6, points: 6, dims: 2, into: d) }
    refused { try device.squaredDistances(x, rows: 0..<2, columns: -1..<5, points: 6, dims: 2, into: d) }
    refused { try device.squaredDistances(x, rows: 0..<3, columns: 0..<6, points: 6, dims: 2, into: d) }
    func search(_ rows: Range<Int>, _ columns: Range<Int>, _ found: Tensor) throws {
      try device.nearestNeighbours(
        d, rows: rows, columns: columns, fresh: true, nearest: nearest, neighbours: found)
    }
    refused { try search(5..<7, 0..<6, found) }
    refused { try search(0..<2, 0..<5, found) }
    refused { try search(0..<2, 0..<6, nearest) }
    refused {
      try device.neighbourAffinities(nearest, points: 6, neighbours: 2, perplexity: 3, into: nearest)
    }
    let (joint, _) = try ring(6, 1, try reference.empty(6), on: device)
    var p = TSNEStep(points: 6)
    let (layout, forces) = (try reference.empty(2, 6), try reference.empty(5, 6))
    refused { try device.tsneForces(p, rows: 1..<7, joint: joint, layout: layout, into: forces) }
    p.points = 5
    refused { try device.tsneForces(p, rows: 0..<5, joint: joint, layout: layout, into: forces) }
    refused {
      _ = try SparseAffinities(
        points: 6, starts: joint.values, columns: joint.columns, values: joint.values)
    }
  }
}
