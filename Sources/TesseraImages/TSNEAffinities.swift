// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

/// t-SNE's joint probabilities on a device, and what is computed with them.
enum TSNEAffinities {
  /// Of all pairs: (points, points).
  case all(Tensor, points: Int)
  /// Of each point with its nearest neighbours.
  case neighbours(SparseAffinities)

  /// The forces of the points of `rows`.
  func forces(
    _ p: TSNEStep, rows: Range<Int>, layout: Tensor, into forces: Tensor, on device: any Backend
  ) throws {
    switch self {
    case .all(let joint, _):
      try device.tsneForces(p, rows: rows, joint: joint, layout: layout, into: forces)
    case .neighbours(let joint):
      try device.tsneForces(p, rows: rows, joint: joint, layout: layout, into: forces)
    }
  }

  /// The forces (5, rows) of the points of `rows` in a layout whose positions (2, points) the host has.
  func forces(
    _ p: TSNEStep, rows: Range<Int>, _ positions: [Float], on device: any Backend
  ) throws -> [Float] {
    let layout = try device.tensor(positions, [2, p.points])
    let part = try device.allocate([5, rows.count], .float32)
    try forces(p, rows: rows, layout: layout, into: part, on: device)
    return try device.floats(part)
  }

  /// The divergence of a layout.
  func divergence(_ layout: Tensor, into divergence: Tensor, on device: any Backend) throws {
    switch self {
    case .all(let joint, let points):
      try device.tsneDivergence(joint, layout: layout, points: points, into: divergence)
    case .neighbours(let joint): try device.tsneDivergence(joint, layout: layout, into: divergence)
    }
  }

  /// What puts the same on other devices, by way of the host, where it is read once.
  func copier(from device: any Backend) throws -> (any Backend) throws -> TSNEAffinities {
    switch self {
    case .all(let joint, let points):
      let values = try device.floats(joint)
      return { .all(try $0.tensor(values, [points, points]), points: points) }
    case .neighbours(let joint):
      let (starts, columns) = (try device.ints(joint.starts), try device.ints(joint.columns))
      let values = try device.floats(joint.values)
      return {
        .neighbours(
          try SparseAffinities(
            points: joint.points, starts: try $0.tensor(starts, [starts.count]),
            columns: try $0.tensor(columns, [columns.count]), values: try $0.tensor(values, [values.count])))
      }
    }
  }
}
