// SPDX-License-Identifier: Apache-2.0
import TestSupport
import TesseraCompute
import Testing

@testable import TesseraImages

/// Principal components, metrics and starts against scikit-learn (tools/golden/projections.py).
@Suite struct ProjectionTests {
  private struct Wanted: Decodable {
    struct Components: Decodable { let shape: [Int], seed: UInt64, places: [Float] }
    let pca: [Components], distances: [String: [Float]], divergence: [String: [Float]]
  }

  private let wanted = Result { try Golden(.module).json("projections.json", as: Wanted.self) }

  private var clusters: [Float] {
    drawn(11, 240 * 20).enumerated().map { $1 + Float($0 / (80 * 20)) * 0.5 }
  }

  /// Points with two directions that stand out.
  private func spread(_ seed: UInt64, _ count: Int, _ dims: Int) -> [Float] {
    drawn(seed, count * dims).enumerated().map { at, value in
      at % dims == 0 ? value * 2 : at % dims == 1 ? value * 1.5 : value
    }
  }

  private func devices() throws -> [any Backend] {
    let cpus: [any Backend] = [try CPUBackend(threads: 1), try CPUBackend(threads: 3)]
    return cpus + (TestDevices.hasOpenCL ? [try OpenCLBackend(try TestDevices.first())] : [])
  }

  @Test(arguments: 0..<3) func principalComponentsAreScikitLearns(_ index: Int) throws {
    let wanted = try wanted.get().pca[index]
    let (count, dims) = (wanted.shape[0], wanted.shape[1])
    let found = try PrincipalComponents(
      spread(wanted.seed, count, dims), count: count, dims: dims, on: try CPUBackend())
    let size = wanted.places.reduce(0) { max($0, abs($1)) }
    #expect(largestDifference(found.coordinates, wanted.places).value < 1e-5 * size)
    #expect(found.shares[0] > found.shares[1] && found.shares.reduce(0, +) < 1)
  }

  @Test(.tags(.opencl)) func threadsAndOpenCLGiveTheSameBits() throws {
    let points = spread(31, 240, 20)
    var tsne = TSNE()
    (tsne.iterations, tsne.explorationIterations, tsne.start, tsne.learningRate) = (60, 30, .pca, nil)
    for metric in FeatureMetric.allCases {
      tsne.metric = metric
      let layouts = try devices().map {
        try tsne.layOut(points, count: 240, dims: 20, on: $0).coordinates.map(\.bitPattern)
      }
      for layout in layouts.dropFirst() { #expect(layout == layouts[0], "\(metric)") }
    }
  }

  @Test func degeneratePointsHaveComponentsOrAreRefused() throws {
    let device = try CPUBackend(threads: 1)
    #expect(throws: TesseraError.self) {
      try PrincipalComponents([Float](repeating: 3, count: 40), count: 10, dims: 4, on: device)
    }
    // On a line: no second component.
    let line = (0..<40).flatMap { point in (0..<5).map { Float(point) * Float($0 - 2) } }
    let found = try PrincipalComponents(line, count: 40, dims: 5, on: device)
    #expect(found.coordinates.suffix(40).allSatisfy { $0 == 0 })
    #expect(abs(found.shares[0] - 1) < 1e-6)
    // The last loading, 2, is the largest by size; the first is as large and comes first: it is turned
    // positive.
    #expect(found.coordinates[0] > 0 && found.coordinates[39] < 0)
    let one = try PrincipalComponents([1, 2, 4], count: 3, dims: 1, on: device)
    #expect(abs(one.coordinates[2] - (4 - Float(7) / 3)) < 1e-6 && one.coordinates[5] == 0)
  }

  @Test(arguments: FeatureMetric.allCases) func distancesAreScikitLearns(_ metric: FeatureMetric) throws {
    var points = Array(clusters.prefix(12 * 20))
    for d in 0..<20 { points[11 * 20 + d] = -points[3 * 20 + d] }
    let device = try CPUBackend()
    let found = try device.floats(
      try metric.squaredDistances(
        FeaturePoints(points, count: 12, dims: 20), on: device))
    let wanted = try #require(try wanted.get().distances[metric.rawValue])
    let size = wanted.reduce(0) { max($0, abs($1)) }
    #expect(largestDifference(found, wanted).value < 1e-6 * size)
    if metric == .absoluteCorrelation { #expect(found[3 * 12 + 11] < 1e-9) }
  }

  @Test func pointsWithoutDirectionAreAtDistanceOne() throws {
    let device = try CPUBackend(threads: 1)
    let points: [Float] = [1, 2, 3, 0.1, 0.1, 0.1, 3, 2, 1, 0, 0, 0]
    for metric in [FeatureMetric.correlation, .absoluteCorrelation] {
      let d = try device.floats(
        try metric.squaredDistances(FeaturePoints(points, count: 4, dims: 3), on: device))
      #expect(
        abs(d[1] - 1) < 1e-6 && d[1 * 4 + 3] == 0 && abs(d[2] - (metric == .correlation ? 4 : 0)) < 1e-6)
    }
    let d = try device.floats(
      try FeatureMetric.cosine.squaredDistances(FeaturePoints(points, count: 4, dims: 3), on: device))
    #expect(abs(d[3] - 1) < 1e-6 && d[1] < 1)
  }

  @Test(arguments: [FeatureMetric.cosine, .correlation, .absoluteCorrelation])
  func theDivergenceByAMetricIsScikitLearns(_ metric: FeatureMetric) throws {
    let reference = try #require(try wanted.get().divergence[metric.rawValue])
    let found = try (UInt64(1)...10).map { seed -> Float in
      var tsne = TSNE()
      (tsne.seed, tsne.metric) = (seed, metric)
      return try tsne.layOut(clusters, count: 240, dims: 20, on: try CPUBackend()).divergence
    }
    #expect(found.reduce(0, +) <= 1.02 * reference.reduce(0, +), "\(found) \(reference)")
  }

  @Test func theStartFromComponentsEndsAsScikitLearns() throws {
    let reference = try #require(try wanted.get().divergence["start"])
    var tsne = TSNE()
    (tsne.start, tsne.learningRate) = (.pca, nil)
    let found = try tsne.layOut(clusters, count: 240, dims: 20, on: try CPUBackend()).divergence
    #expect(abs(found - reference[0]) < 0.02 * reference[0], "\(found) \(reference)")
    tsne.seed += 1
    let again = try tsne.layOut(clusters, count: 240, dims: 20, on: try CPUBackend()).divergence
    #expect(again == found)
  }

  @Test func eigenvectorsTakeAMatrixApart() throws {
    for n in [1, 2, 7, 32] {
      let half = drawn(UInt64(n), n * n).map(Double.init)
      let matrix = (0..<n * n).map { half[$0] + half[$0 % n * n + $0 / n] }
      let eigen = SymmetricEigen(matrix, size: n)
      #expect(zip(eigen.values, eigen.values.dropFirst()).allSatisfy { $0 >= $1 })
      for i in 0..<n {
        for row in 0..<n {
          let product = (0..<n).reduce(0.0) { $0 + matrix[row * n + $1] * eigen.vectors[$1 * n + i] }
          #expect(abs(product - eigen.values[i] * eigen.vectors[row * n + i]) < 1e-12 * Double(n))
        }
      }
    }
  }
}
