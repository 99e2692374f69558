// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import Testing

@testable import TesseraCompute
@testable import TesseraImages

/// t-SNE of more points than `exactLimit`, against the exact one and scikit-learn
/// (tools/golden/neighbours.py).
@Suite struct NeighbourLayoutTests {
  private struct Wanted: Decodable {
    struct Joint: Decodable { let starts: [Int32], columns: [Int32], values: [Float] }
    let joint: Joint, divergence: [Float]
  }

  private let wanted = Result { try Golden(.module).json("neighbours.json", as: Wanted.self) }

  /// Three overlapping clusters.
  private func clusters(_ count: Int, apart: Float = 0.5) -> [Float] {
    drawn(11, count * 20).enumerated().map { $1 + Float($0 / (count / 3 * 20)) * apart }
  }

  /// A layout by neighbours however few points there are.
  private func byNeighbours(perplexity: Float = 30) -> TSNE {
    var tsne = TSNE()
    (tsne.exactLimit, tsne.perplexity) = (0, perplexity)
    return tsne
  }

  private func devices() throws -> [any Backend] {
    let cpus: [any Backend] = [try CPUBackend(threads: 1), try CPUBackend(threads: 3)]
    return cpus + (TestDevices.hasOpenCL ? [try OpenCLBackend(try TestDevices.first())] : [])
  }

  @Test func jointProbabilitiesAreScikitLearns() throws {
    let wanted = try wanted.get().joint
    let device = try CPUBackend()
    let joint = try byNeighbours(perplexity: 5).neighbourAffinities(
      FeaturePoints(clusters(60), count: 60, dims: 20), device)
    #expect(try device.ints(joint.starts) == wanted.starts)
    #expect(try device.ints(joint.columns) == wanted.columns)
    #expect(largestDifference(try device.floats(joint.values), wanted.values).value < 1e-7)
  }

  @Test(arguments: FeatureMetric.allCases)
  func withAllOthersAsNeighboursTheProbabilitiesAreTheExactOnes(_ metric: FeatureMetric) throws {
    let (count, device) = (90, try CPUBackend())
    var tsne = byNeighbours()
    tsne.metric = metric
    #expect(tsne.neighbours(count) == count - 1)
    let points = clusters(count)
    let sparse = try tsne.neighbourAffinities(FeaturePoints(points, count: count, dims: 20), device)
    tsne.exactLimit = count
    guard
      case .all(let joint, _) = try tsne.affinities(
        FeaturePoints(points, count: count, dims: 20), device)
    else {
      Issue.record("\(count) points are not exact")
      return
    }
    let (exact, columns) = (try device.floats(joint), try device.ints(sparse.columns))
    let (values, starts) = (try device.floats(sparse.values), try device.ints(sparse.starts))
    #expect(values.count == count * (count - 1))
    for i in 0..<count {
      for e in Int(starts[i])..<Int(starts[i + 1]) {
        let wanted = exact[i * count + Int(columns[e])]
        #expect(abs(values[e] - wanted) <= 2e-5 * wanted + 1e-15)
      }
    }
  }

  @Test func theDivergenceIsThatOfScikitLearnsNeighbours() throws {
    let reference = try wanted.get().divergence
    let found = try (UInt64(1)...5).map { seed -> Float in
      var tsne = byNeighbours()
      tsne.seed = seed
      return try tsne.layOut(clusters(240), count: 240, dims: 20, on: try CPUBackend()).divergence
    }
    #expect(found.reduce(0, +) <= 1.01 * reference.reduce(0, +), "\(found) \(reference)")
  }

  @Test func aLayoutByNeighboursIsAsGoodAsTheExactOne() throws {
    let (count, device) = (300, try CPUBackend())
    let points = clusters(count, apart: 1)
    var tsne = byNeighbours(perplexity: 20)
    let result = try tsne.layOut(points, count: count, dims: 20, on: device)
    tsne.exactLimit = count
    let exact = try tsne.layOut(points, count: count, dims: 20, on: device)
    // By the divergence of all pairs.
    guard
      case .all(let joint, _) = try tsne.affinities(
        FeaturePoints(points, count: count, dims: 20), device)
    else { return }
    let layout = try device.tensor(result.coordinates, [2, count])
    let divergence = try device.allocate([1], .float32)
    try device.tsneDivergence(joint, layout: layout, points: count, into: divergence)
    let found = try device.floats(divergence)[0]
    #expect(found < 1.03 * exact.divergence, "\(found) \(exact.divergence)")
    // A point's nearest is of its cluster.
    func distance(_ i: Int, _ j: Int) -> Float {
      let dx = result.coordinates[i] - result.coordinates[j]
      let dy = result.coordinates[count + i] - result.coordinates[count + j]
      return dx * dx + dy * dy
    }
    let alike = (0..<count).filter { i in
      (0..<count).filter { $0 != i }.min { distance(i, $0) < distance(i, $1) }.map { $0 / 100 == i / 100 }
        == true
    }
    #expect(alike.count > 290)
  }

  @Test(.tags(.opencl)) func threadsOpenCLAndSharedWorkGiveTheSameBits() throws {
    var tsne = byNeighbours()
    (tsne.iterations, tsne.explorationIterations) = (60, 30)
    for metric in [FeatureMetric.euclidean, .absoluteCorrelation] {
      tsne.metric = metric
      let devices = try devices()
      let layouts = try devices.map {
        try tsne.layOut(clusters(240), count: 240, dims: 20, on: $0).coordinates.map(\.bitPattern)
      }
      for layout in layouts.dropFirst() { #expect(layout == layouts[0], "\(metric)") }
      for main in devices.indices {
        let helpers = devices.indices.filter { $0 != main }.map { devices[$0] }
        let shared = try tsne.layOut(clusters(240), count: 240, dims: 20, on: devices[main], helpers: helpers)
        #expect(shared.coordinates.map(\.bitPattern) == layouts[0], "\(metric)")
      }
    }
  }

  @Test(arguments: [true, false]) func ranksGiveTheSameBits(_ isExact: Bool) throws {
    var tsne = isExact ? TSNE() : byNeighbours()
    (tsne.iterations, tsne.explorationIterations) = (60, 30)
    func layOut(_ devices: DeviceGroup) throws -> [UInt32] {
      let run = try tsne.begin(try FeaturePoints(clusters(240), count: 240, dims: 20), on: devices)
      return try tsne.finish(run) { _ in }.coordinates.map(\.bitPattern)
    }
    let own = DeviceGroup(try CPUBackend(threads: 1))
    let wanted = try layOut(own)
    let others = [own, DeviceGroup(try CPUBackend(threads: 1), helpers: [try CPUBackend(threads: 2)])]
    let (result, codes) = try RankThreads.lead(others, [ForcesWork.self]) { try layOut(own.with(ranks: $0)) }
    #expect(try result.get() == wanted)
    #expect(codes == [0, 0])
  }

  @Test func fewPointsAndEqualOnesEndInALayout() throws {
    let device = try CPUBackend(threads: 1)
    var tsne = byNeighbours(perplexity: 5)
    tsne.iterations = 300
    let equal = try tsne.layOut([Float](repeating: 1, count: 40 * 3), count: 40, dims: 3, on: device)
    #expect(equal.coordinates.allSatisfy { $0.isFinite })
    tsne.perplexity = 1.5
    let pair = try tsne.layOut([0, 1], count: 2, dims: 1, on: device)
    #expect(pair.coordinates.allSatisfy { $0.isFinite })
    #expect(throws: TesseraError.self) { try tsne.layOut([0, .nan, 1, 2], count: 4, dims: 1, on: device) }
  }

  @Test func whatNoNumberCountsIsRefused() throws {
    let tsne = TSNE()
    for (count, dims) in [(100_000, 21_474), (1 << 27, 1), (20_000, .max)] {
      do {
        try tsne.checkSize(count, dims)
        Issue.record("\(count) x \(dims) passed")
      } catch { #expect("\(error)".hasPrefix("t-SNE: found \(count) points x \(dims), "), "\(error)") }
    }
    try tsne.checkSize(100_000, 20_000)
    try tsne.checkSize(10_000, 1_000_000)
    #expect(tsne.isExact(10_000) && !tsne.isExact(10_001))
    #expect(tsne.neighbours(100_000) == 91 && tsne.neighbours(50) == 49)
  }

  /// Blocks of distances and rows of neighbours are all there is: no kernel sees a tensor with all pairs.
  @Test func nothingHasAllPairs() throws {
    let (count, dims) = (9000, 2)
    var tsne = byNeighbours(perplexity: 2)
    tsne.iterations = 1
    let profiler = Profiler()
    let device = ProfiledBackend(try CPUBackend(), profiler: profiler)
    _ = try tsne.layOut(drawn(5, count * dims), count: count, dims: dims, on: device)
    let largest = profiler.snapshot().records.map(\.work.bytes).max() ?? 0
    // 324 MB would be all pairs; a block has 34 MB, whatever the number of points.
    #expect(largest > 30 << 20 && largest < 40 << 20, "\(largest)")
  }
}
