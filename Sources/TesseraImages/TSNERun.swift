// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

/// A recorded state of a layout.
public struct TSNERecord: Codable, Sendable, Equatable {
  /// Iterations that were done.
  public let iteration: Int
  /// SHA-256 of places, velocities, gains and of what decides when the layout ends, with the record before.
  public let state: String
}

/// A layout in progress, one stretch between recorded states after the other.
package final class TSNERun {
  /// Iterations that are done.
  package private(set) var iteration = 0
  /// The last known divergence; nil in the first phase.
  package private(set) var divergence: Float?
  /// Whether it has come to its end.
  package private(set) var isFinished: Bool
  private let settings: TSNE
  private let joint: TSNEAffinities, shared: TSNEForces
  private let device: any Backend
  private let points: Int
  private let layout: Tensor, velocity: Tensor, gains: Tensor
  private let forces: Tensor, norm: Tensor, sum: Tensor
  private var step: TSNEStep
  /// The least divergence so far, and when it was.
  private var best = (divergence: Float.infinity, iteration: 0)

  /// Iterations between two recorded states: t-SNE looks at its progress as often.
  package static let stretch = 50

  init(
    _ settings: TSNE, _ joint: TSNEAffinities, layout: Tensor, points: Int, on devices: DeviceGroup
  ) throws {
    (self.settings, self.joint, self.layout, self.points) = (settings, joint, layout, points)
    device = devices.main
    shared = TSNEForces(joint, points: points, on: devices)
    velocity = try device.allocate([2, points], .float32)
    gains = try device.allocate([2, points], .float32)
    forces = try device.allocate([5, points], .float32)
    (norm, sum) = (try device.allocate([1], .float32), try device.allocate([1], .float32))
    step = TSNEStep(points: points)
    step.learningRate = settings.learningRate ?? max(Float(points) / settings.exaggeration / 4, 50)
    step.minGain = 0.01
    isFinished = settings.iterations == 0
    try device.fill(velocity, with: 0)
    try device.fill(gains, with: 1)
  }

  /// The tensors of the state, by name.
  package var tensors: [(name: String, tensor: Tensor)] {
    [("layout", layout), ("velocity", velocity), ("gains", gains)]
  }

  /// All x coordinates, then all y coordinates.
  package func coordinates() throws -> [Float] { try device.floats(layout) }

  /// The divergence of the places as they are.
  package func finalDivergence() throws -> Float {
    try joint.divergence(layout, into: sum, on: device)
    return try device.floats(sum)[0]
  }

  /// Runs to the next recorded state.
  ///
  /// - Parameters:
  ///   - last: the digest of the record before.
  ///   - done: called after each iteration.
  /// - Returns: its record.
  package func advance(
    after last: String?, done: (TSNERun) throws -> Void = { _ in }
  ) throws -> TSNERecord {
    let end = min(settings.iterations, (iteration / Self.stretch + 1) * Self.stretch)
    while iteration < end {
      try iterate()
      try done(self)
    }
    if iteration % Self.stretch == 0 { try judge() }
    if iteration >= settings.iterations { isFinished = true }
    return TSNERecord(iteration: iteration, state: try digest(after: last))
  }

  private func iterate() throws {
    let exploring = iteration < settings.explorationIterations
    if iteration == settings.explorationIterations {
      // scikit-learn starts its second phase with fresh velocities and gains.
      try device.fill(velocity, with: 0)
      try device.fill(gains, with: 1)
      best.iteration = iteration
    }
    (step.exaggeration, step.momentum) = exploring ? (settings.exaggeration, 0.5) : (1, 0.8)
    try shared.compute(step, layout: layout, into: forces)
    try device.tsneUpdate(
      step, forces: forces, layout: layout, velocity: velocity, gains: gains, squaredNorm: norm)
    iteration += 1
  }

  /// Looks at the divergence after the first phase, and whether the layout still gets better.
  private func judge() throws {
    let last = iteration - 1
    guard last >= settings.explorationIterations else { return }
    let value = try finalDivergence()
    divergence = value
    if value < best.divergence { best = (value, last) }
    let gradient = try device.floats(norm)[0].squareRoot()
    if last - best.iteration > 300 || gradient <= 1e-7 { isFinished = true }
  }

  /// SHA-256 of the state.
  ///
  /// - Parameter last: the digest of the record before, which is in it.
  package func digest(after last: String?) throws -> String {
    var print = Fingerprint()
    print.add(last ?? "")
    print.add("\(iteration) \(divergence?.bitPattern ?? 0) \(best.divergence.bitPattern) \(best.iteration)")
    for (name, tensor) in tensors {
      print.add(name)
      try print.add(tensor, on: device)
    }
    return print.digits()
  }
}

extension TSNERun {
  /// Adds the state to a file that is written.
  package func add(to writer: inout SafetensorsWriter) {
    for (name, tensor) in tensors { writer.add(name, tensor, on: device) }
    let words = [divergence ?? .nan, best.divergence]
    writer.add("divergences", words, shape: [2])
    writer.add("iterations", [Int32(iteration), Int32(best.iteration)], shape: [2])
  }

  /// Goes on from a state.
  ///
  /// - Parameters:
  ///   - file: what `add` wrote.
  ///   - record: what was recorded of it.
  ///   - last: the digest of the record before.
  /// - Throws: `TesseraError` for a file without the state's tensors, and for another state than the recorded
  ///   one.
  package func restore(_ file: TensorFile, _ record: TSNERecord, after last: String?) throws {
    for (name, tensor) in tensors {
      let values = try file.floats(name, shape: tensor.shape)
      try values.withUnsafeBytes { try device.upload($0, to: tensor, offset: 0) }
    }
    let words = try file.floats("divergences", shape: [2])
    let counts = try file.ints("iterations", shape: [2])
    (divergence, best) = (words[0].isNaN ? nil : words[0], (words[1], Int(counts[1])))
    (iteration, isFinished) = (record.iteration, record.iteration >= settings.iterations)
    let found = try digest(after: last)
    guard found == record.state else {
      throw TesseraError.failure(
        file.path, found: "a state with the digest \(found)",
        wanted: "\(record.state), which the run recorded")
    }
  }
}
