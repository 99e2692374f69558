// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

@testable import TesseraCompute

@Suite struct LayoutTests {
  private static let counts = [4, 17, 64, 130]

  /// Squared distances of random points.
  private func distances(_ points: Int, _ reference: inout Reference) throws -> (Tensor, [Double]) {
    let (x, _) = try reference.input([points, 6])
    let d = try reference.empty(points, points)
    try reference.device.squaredDistances(x, points: points, dims: 6, into: d)
    return (d, try reference.device.floats(d).map { Double($0) })
  }

  @Test(arguments: counts) func affinitiesHaveTheWantedPerplexity(_ points: Int) throws {
    var reference = try Reference()
    let (d, exact) = try distances(points, &reference)
    let p = try reference.empty(points, points)
    let perplexity = Double(points) / 3
    try reference.device.conditionalAffinities(d, points: points, perplexity: Float(perplexity), into: p)
    let found = try reference.device.floats(p).map { Double($0) }
    for i in 0..<points {
      let row = found[i * points..<(i + 1) * points]
      #expect(row[i * points + i] == 0)
      #expect(abs(row.reduce(0, +) - 1) < 1e-5)
      let entropy = row.reduce(0) { $0 - ($1 > 0 ? $1 * log($1) : 0) }
      #expect(abs(exp(entropy) / perplexity - 1) < 2e-4)
      // Gaussian: ln p falls linearly in the squared distance.
      let others = (0..<points).filter { $0 != i && found[i * points + $0] > 1e-20 }
      guard let a = others.first, let b = others.max(by: { exact[i * points + $0] < exact[i * points + $1] })
      else { continue }
      let slope =
        log(found[i * points + a] / found[i * points + b])
        / (exact[i * points + b] - exact[i * points + a])
      for j in others {
        let wanted = log(found[i * points + a]) - slope * (exact[i * points + j] - exact[i * points + a])
        #expect(a == b || abs(log(found[i * points + j]) - wanted) < 1e-3)
      }
    }
  }

  @Test(arguments: counts) func jointAffinitiesAreSymmetricAndSumToOne(_ points: Int) throws {
    var reference = try Reference()
    let (d, _) = try distances(points, &reference)
    let (conditional, joint) = (try reference.empty(points, points), try reference.empty(points, points))
    try reference.device.conditionalAffinities(d, points: points, perplexity: 3, into: conditional)
    try reference.device.jointAffinities(conditional, points: points, into: joint)
    let c = try reference.device.floats(conditional).map { Double($0) }
    let total = 2 * c.reduce(0, +)
    try reference.expect(
      joint,
      (0..<points * points).map {
        let (i, j) = ($0 / points, $0 % points)
        return i == j ? 0 : max((c[i * points + j] + c[j * points + i]) / total, 0x1p-52)
      }, 1e-7)
  }

  @Test(arguments: counts) func forcesGradientStepAndDivergenceFollowThePaper(_ points: Int) throws {
    var reference = try Reference()
    let device = reference.device
    let (weights, raw) = try reference.input([points, points], 0, 1)
    _ = weights
    let total = raw.reduce(0, +)
    let joint = (0..<points * points).map { at -> Double in
      let (i, j) = (at / points, at % points)
      return i == j ? 0 : Double(Float((raw[at] + raw[j * points + i]) / (2 * total)))
    }
    let p = try device.tensor(joint.map { Float($0) }, [points, points])
    let (layout, y) = try reference.input([2, points], -3, 3)
    let (velocity, v) = try reference.input([2, points], -0.1, 0.1)
    let (gains, g) = try reference.input([2, points], 0.5, 2)
    func q(_ i: Int, _ j: Int) -> Double {
      let (dx, dy) = (y[i] - y[j], y[points + i] - y[points + j])
      return i == j ? 0 : 1 / (1 + dx * dx + dy * dy)
    }
    let z = sum(0..<points * points) { q($0 / points, $0 % points) }
    let divergence = try reference.empty(1)
    try device.tsneDivergence(p, layout: layout, points: points, into: divergence)
    let exact = sum(0..<points * points) { at in
      joint[at] == 0 ? 0 : joint[at] * log(joint[at] / (q(at / points, at % points) / z))
    }
    try reference.expect(divergence, [exact], 1e-5, "divergence")

    var parameters = TSNEStep(points: points)
    (parameters.exaggeration, parameters.learningRate) = (12, 200)
    (parameters.momentum, parameters.minGain) = (0.8, 0.01)
    let (forces, norm) = (try reference.empty(5, points), try reference.empty(1))
    try device.tsneForces(parameters, joint: p, layout: layout, into: forces)
    #expect(throws: TesseraError.self) {
      try device.tsneForces(parameters, rows: 1..<points + 1, joint: p, layout: layout, into: forces)
    }
    try device.tsneUpdate(
      parameters, forces: forces, layout: layout, velocity: velocity, gains: gains, squaredNorm: norm)
    // Equation 5 of the paper; gains and momentum as scikit-learn's _gradient_descent.
    var (moved, velocities, squares) = ([Double](), [Double](), 0.0)
    for at in 0..<2 * points {
      let (axis, i) = (at / points * points, at % points)
      let gradient =
        4
        * sum(0..<points) { j in
          (12 * joint[i * points + j] - q(i, j) / z) * q(i, j) * (y[axis + i] - y[axis + j])
        }
      let gain = max(v[at] * gradient < 0 ? g[at] + 0.2 : g[at] * 0.8, 0.01)
      velocities.append(0.8 * v[at] - 200 * gain * gradient)
      moved.append(y[at] + velocities[at])
      squares += gain * gradient * gain * gradient
    }
    try reference.expect(velocity, velocities, 3e-4, "velocity")
    try reference.expect(layout, moved, 3e-4, "layout")
    try reference.expect(norm, [squares], 1e-4, "squared norm")
  }
}
