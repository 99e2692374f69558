import Foundation
import TestSupport
import TesseraCompute
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

  @Test func threadsAndOpenCLGiveTheSameBits() throws {
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
