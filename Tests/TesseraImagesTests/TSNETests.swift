// SPDX-License-Identifier: Apache-2.0
import Foundation
import TesseraCompute
import TestSupport
import Testing

@testable import TesseraImages

@Suite struct TSNETests {
  /// The points of tools/golden/layout.py.
  private var points: [Float] {
    drawn(11, 240 * 20).enumerated().map { $1 + Float($0 / (80 * 20)) * 0.5 }
  }

  @Test func theDivergenceIsThatOfScikitLearnsExactMethod() throws {
    let reference = try Golden(.module).json("tsne.json", as: [Float].self)
    var found: [Float] = []
    for seed in UInt64(1)...5 {
      var tsne = TSNE()
      tsne.seed = seed
      let result = try tsne.layOut(points, count: 240, dims: 20, on: try CPUBackend())
      found.append(result.divergence)
    }
    #expect(found.reduce(0, +) <= 1.01 * reference.reduce(0, +), "\(found) \(reference)")
  }

  /// The parts of scikit-learn's exact method (tools/golden/tsne.py).
  private let exact = Result { try Golden(.module).tensors("exact.safetensors") }

  private let count = 60

  /// Joint probabilities of 60 points on a device, and on the host.
  private func joint(on device: any Backend) throws -> (tensor: Tensor, values: [Float]) {
    let points = drawn(11, count * 20).enumerated().map { $1 + Float($0 / (count / 3 * 20)) * 0.5 }
    var tsne = TSNE()
    tsne.perplexity = 5
    guard
      case .all(let joint, _) = try tsne.affinities(
        FeaturePoints(points, count: count, dims: 20), device)
    else {
      throw TesseraError.failure("tests", found: "neighbours", wanted: "all pairs")
    }
    return (joint, try device.floats(joint))
  }

  @Test func jointProbabilitiesAreScikitLearns() throws {
    let found = try joint(on: try CPUBackend()).values
    let wanted = try exact.get().floats("p")
    var at = 0
    for i in 0..<count {
      for j in i + 1..<count {
        #expect(abs(found[i * count + j] - wanted[at]) <= 1e-4 * wanted[at] + 1e-9)
        #expect(found[i * count + j] == found[j * count + i])
        at += 1
      }
    }
    #expect(at == wanted.count)
  }

  @Test(arguments: [1, 12]) func divergenceGradientAndStepsAreScikitLearns(_ factor: Int) throws {
    let (device, golden) = (try CPUBackend(), try exact.get())
    let joint = try joint(on: device).tensor
    let layout = try device.tensor(drawn(12, 2 * count, -2, 2), [2, count])
    let (velocity, gains) = (
      try device.allocate([2, count], .float32), try device.allocate([2, count], .float32)
    )
    let (forces, one) = (try device.allocate([5, count], .float32), try device.allocate([1], .float32))
    try device.fill(velocity, with: 0)
    try device.fill(gains, with: 1)
    if factor == 1 {
      try device.tsneDivergence(joint, layout: layout, points: count, into: one)
      #expect(abs(try device.floats(one)[0] - (try golden.floats("divergence.1")[0])) < 1e-5)
    }
    var p = TSNEStep(points: count)
    (p.exaggeration, p.learningRate) = (Float(factor), 20)
    (p.momentum, p.minGain) = (0.5, 0.01)
    for step in 0..<10 {
      try device.tsneForces(p, joint: joint, layout: layout, into: forces)
      if step == 0 {
        let wanted = try golden.floats("gradient.\(factor)")
        let size = wanted.reduce(0) { max($0, abs($1)) }
        #expect(largestDifference(gradient(try device.floats(forces), factor), wanted).value < 2e-5 * size)
      }
      try device.tsneUpdate(
        p, forces: forces, layout: layout, velocity: velocity, gains: gains, squaredNorm: one)
    }
    #expect(largestDifference(try device.floats(layout), try golden.floats("layout.\(factor)")).value < 1e-3)
  }

  /// 4 (attraction - repulsion / Z), equation 5 of van der Maaten and Hinton.
  private func gradient(_ forces: [Float], _ factor: Int) -> [Float] {
    let z = forces[..<count].reduce(0, +)
    return (0..<2 * count).map { 4 * (Float(factor) * forces[count + $0] - forces[3 * count + $0] / z) }
  }

  @Test func theGradientIsTheSlopeOfTheDivergence() throws {
    let device = try CPUBackend()
    let (tensor, p) = try joint(on: device)
    var places = drawn(12, 2 * count, -2, 2)
    func divergence() -> Double {
      let y = places.map { Double($0) }
      func q(_ i: Int, _ j: Int) -> Double {
        let (dx, dy) = (y[i] - y[j], y[count + i] - y[count + j])
        return i == j ? 0 : 1 / (1 + dx * dx + dy * dy)
      }
      let pairs = (0..<count * count).map { q($0 / count, $0 % count) }
      let z = pairs.reduce(0, +)
      return zip(p, pairs).reduce(0) { $0 + ($1.1 > 0 ? Double($1.0) * log(Double($1.0) * z / $1.1) : 0) }
    }
    var parameters = TSNEStep(points: count)
    parameters.exaggeration = 1
    let forces = try device.allocate([5, count], .float32)
    try device.tsneForces(
      parameters, joint: tensor, layout: try device.tensor(places, [2, count]), into: forces)
    let found = gradient(try device.floats(forces), 1)
    let size = found.reduce(0) { max($0, abs($1)) }
    for i in stride(from: 0, to: 2 * count, by: 7) {
      let (place, h) = (places[i], Float(1) / 1024)
      places[i] = place + h
      let above = divergence()
      places[i] = place - h
      let slope = (above - divergence()) / Double(2 * h)
      places[i] = place
      #expect(abs(Double(found[i]) - slope) < 1e-4 * Double(size), "coordinate \(i)")
    }
  }

  @Test func clustersStayTogether() throws {
    let result = try TSNE().layOut(points, count: 240, dims: 20, on: try CPUBackend())
    var alike = 0
    for i in 0..<240 {
      let nearest = (0..<240).filter { $0 != i }.min { distance(result, i, $0) < distance(result, i, $1) }
      if let nearest, nearest / 80 == i / 80 { alike += 1 }
    }
    #expect(alike > 200)
  }

  private func distance(_ result: TSNE.Result, _ i: Int, _ j: Int) -> Float {
    let dx = result.coordinates[i] - result.coordinates[j]
    let dy = result.coordinates[240 + i] - result.coordinates[240 + j]
    return dx * dx + dy * dy
  }

  @Test(.tags(.opencl)) func threadsAndOpenCLGiveTheSameBits() throws {
    var tsne = TSNE()
    (tsne.iterations, tsne.explorationIterations) = (120, 60)
    var devices: [any Backend] = [try CPUBackend(threads: 1), try CPUBackend(threads: 3)]
    if TestDevices.hasOpenCL { devices.append(try OpenCLBackend(try TestDevices.first())) }
    let layouts = try devices.map {
      try tsne.layOut(points, count: 240, dims: 20, on: $0).coordinates.map(\.bitPattern)
    }
    for layout in layouts.dropFirst() { #expect(layout == layouts[0]) }
    // Together: alone first, in blocks for some steps, and then whichever way was faster.
    for main in devices.indices {
      let helpers = devices.indices.filter { $0 != main }.map { devices[$0] }
      let shared = try tsne.layOut(points, count: 240, dims: 20, on: devices[main], helpers: helpers)
      #expect(shared.coordinates.map(\.bitPattern) == layouts[0])
    }
    tsne.seed += 1
    #expect(
      try tsne.layOut(points, count: 240, dims: 20, on: devices[0]).coordinates.map(\.bitPattern)
        != layouts[0])
  }

  @Test func tooFewPointsForThePerplexityAreRefused() throws {
    let device = try CPUBackend(threads: 1)
    do {
      _ = try TSNE().layOut(drawn(1, 60), count: 30, dims: 2, on: device)
      Issue.record("30 points passed")
    } catch {
      #expect(
        "\(error)" == "perplexity: found 30.0 for 30 points, wanted 1 or more and below the number of points")
    }
  }

  @Test func equalPointsEndInALayout() throws {
    var tsne = TSNE()
    (tsne.perplexity, tsne.iterations) = (5, 300)
    let result = try tsne.layOut(
      [Float](repeating: 1, count: 40 * 3), count: 40, dims: 3, on: try CPUBackend(threads: 1))
    #expect(result.coordinates.allSatisfy { $0.isFinite })
  }
}
