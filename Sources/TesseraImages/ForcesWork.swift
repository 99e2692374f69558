// SPDX-License-Identifier: Apache-2.0
import Foundation
import TesseraCompute

/// t-SNE's forces on the devices of other ranks.
package final class ForcesWork: AssistedWork {
  /// The name of the kind.
  package static let kind = "forces"
  private let joints: [(joint: TSNEAffinities, device: any Backend)]

  /// The affinities on the devices of this rank.
  package init(_ content: Payload, devices: DeviceGroup, _ communicator: any Communicator) throws {
    var reader = MessageReader(content)
    let points = try reader.int()
    let values = try reader.floats()
    let (starts, columns) = (try reader.ints(), try reader.ints())
    joints = try devices.all.map { device in
      try devices.naming(device) {
        (try TSNEAffinities(points: points, values, starts: starts, columns: columns, on: device), device)
      }
    }
  }

  /// The forces of some rows at some positions.
  package func part(_ content: Payload, device: Int) throws -> Payload {
    var reader = MessageReader(content)
    let (lower, upper) = (try reader.int(), try reader.int())
    var rest = MessageReader(try reader.nested())
    let p = try JSONDecoder().decode(TSNEStep.self, from: Data(try rest.text().utf8))
    let (joint, device) = joints[device]
    guard (0...p.points).contains(lower), (lower...p.points).contains(upper) else {
      throw TesseraError.failure("forces", found: "rows \(lower) to \(upper)", wanted: "0...\(p.points)")
    }
    var writer = MessageWriter()
    writer.add(try joint.forces(p, rows: lower..<upper, try rest.floats(), on: device))
    return writer.payload
  }

  /// Puts affinities on the devices of other ranks.
  static func share(
    _ joint: TSNEAffinities, from device: any Backend, with team: RankTeam
  ) throws -> SharedModel {
    var writer = MessageWriter()
    switch joint {
    case .all(let values, let points):
      writer.add(points)
      writer.add(try device.floats(values))
      writer.add([Int32]())
      writer.add([Int32]())
    case .neighbours(let sparse):
      writer.add(sparse.points)
      writer.add(try device.floats(sparse.values))
      writer.add(try device.ints(sparse.starts))
      writer.add(try device.ints(sparse.columns))
    }
    return try SharedModel(team, kind: kind, writer.payload)
  }

  /// What all parts of a step have in common.
  static func step(_ p: TSNEStep, _ positions: [Float]) throws -> Payload {
    var writer = MessageWriter()
    writer.add(String(decoding: try JSONEncoder().encode(p), as: UTF8.self))
    writer.add(positions)
    return writer.payload
  }

  /// A part of a step.
  static func part(_ step: Payload, _ rows: Range<Int>) -> Payload {
    var writer = MessageWriter()
    writer.add(rows.lowerBound)
    writer.add(rows.upperBound)
    writer.add(step)
    return writer.payload
  }

  /// The forces of an answer.
  static func forces(_ answer: Payload, _ rows: Range<Int>) throws -> [Float] {
    var reader = MessageReader(answer)
    let forces = try reader.floats()
    guard forces.count == 5 * rows.count else {
      throw TesseraError.failure("forces", found: "\(forces.count) numbers", wanted: "\(5 * rows.count)")
    }
    return forces
  }
}

extension TSNEAffinities {
  /// Affinities of numbers from the host: of all pairs, or, where there are columns, of neighbours.
  init(
    points: Int, _ values: [Float], starts: [Int32], columns: [Int32], on device: any Backend
  ) throws {
    guard !starts.isEmpty else {
      self = .all(try device.tensor(values, [points, points]), points: points)
      return
    }
    self = .neighbours(
      try SparseAffinities(
        points: points, starts: try device.tensor(starts, [starts.count]),
        columns: try device.tensor(columns, [columns.count]),
        values: try device.tensor(values, [values.count])))
  }
}
