// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

/// t-SNE's forces in one step after another: by the main device, or by blocks of points on all devices,
/// whichever is faster.
///
/// Shared, a step needs the positions on every device and the forces back on the main one, both over the
/// host. Whether that pays hangs on devices and points, so it is tried: some steps alone, some together,
/// and the better way for the rest. Both give the same bits.
final class TSNEForces {
  private let devices: DeviceGroup
  private let joint: TSNEAffinities
  private let points: Int
  /// The affinities on each device; nil while, or once, the main device computes alone.
  private var joints: Replicated<TSNEAffinities>?
  private let clock = ContinuousClock()
  private var step = 0, start: ContinuousClock.Instant?, alone = Duration.zero

  /// Steps of a trial, and those before it in which programs are built and memory is allocated.
  private static let trial = 10, warmUp = 2
  /// Blocks a device: what one is behind another at a step's end is a part of a block.
  private static let blocksPerDevice = 4

  /// Forces by affinities of the main device.
  init(_ joint: TSNEAffinities, points: Int, on devices: DeviceGroup) {
    (self.joint, self.points, self.devices) = (joint, points, devices)
  }

  /// Computes the forces (5, points) of a layout (2, points), both on the main device.
  func compute(_ p: TSNEStep, layout: Tensor, into forces: Tensor) throws {
    if !devices.isAlone { try choose() }
    guard let joints else {
      return try joint.forces(p, rows: 0..<points, layout: layout, into: forces, on: devices.main)
    }
    let hands = devices.all.count + (devices.ranks?.deviceCount ?? 0)
    let (points, blocks) = (points, min(points, hands * Self.blocksPerDevice))
    let positions = try devices.main.floats(layout)
    var all = [Float](repeating: 0, count: 5 * points)
    @Sendable func rows(_ block: Int) -> Range<Int> {
      block * points / blocks..<(block + 1) * points / blocks
    }
    let step = try ForcesWork.step(p, positions)
    let coding = PartCoding<[Float]>(
      input: { ForcesWork.part(step, rows($0)) }, output: { try ForcesWork.forces($1, rows($0)) })
    try joints.mapDynamic(blocks, coding: coding) { joint, device, block in
      try joint.forces(p, rows: rows(block), positions, on: device)
    } take: { block, part in
      let (begin, count) = (rows(block).lowerBound, rows(block).count)
      for sum in 0..<5 {
        let at = sum * points + begin
        all.replaceSubrange(at..<at + count, with: part[sum * count..<(sum + 1) * count])
      }
    }
    try all.withUnsafeBytes { try devices.main.upload($0, to: forces, offset: 0) }
  }

  /// Begins and ends the trials.
  private func choose() throws {
    defer { step += 1 }
    let (first, second) = (Self.warmUp, 2 * Self.warmUp + Self.trial)
    switch step {
    case first, second:
      try devices.main.synchronize()
      start = clock.now
    case first + Self.trial:
      try devices.main.synchronize()
      alone = start.map { clock.now - $0 } ?? .zero
      let shared = try devices.ranks.map { try ForcesWork.share(joint, from: devices.main, with: $0) }
      joints = try Replicated(devices, main: joint, shared: shared, try joint.copier(from: devices.main))
    case second + Self.trial:
      try devices.main.synchronize()
      if let start, clock.now - start >= alone { joints = nil }
    default: break
    }
  }
}
