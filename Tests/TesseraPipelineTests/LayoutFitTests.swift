// SPDX-License-Identifier: Apache-2.0
import TestSupport
import TesseraCompute
import TesseraData
import TesseraImages
import Testing

@testable import TesseraPipeline

/// Layouts of rows that memory does not hold: the bits of those that it holds.
@Suite struct LayoutFitTests {
  private let columns = 13

  /// Features of which one is constant and two are equal, far from 0.
  private func embeddings(rows: Int) -> Embeddings {
    var values = drawn(5, rows * columns, 3, 9)
    for row in 0..<rows {
      values[row * columns + 4] = 7
      values[row * columns + 9] = values[row * columns + 2]
    }
    return Embeddings(
      features: Floats(values), columns: columns, labels: [Int32](repeating: 0, count: rows), classes: ["a"],
      source: ["layers": "1...1"])
  }

  /// A chunk of 512 rows, one less and one more, several, and several with a rest.
  @Test(arguments: [511, 512, 513, 1024, 1300])
  func pointsMadePartByPartGiveTheSameLayout(rows: Int) throws {
    let device = try CPUBackend(threads: 2)
    let embeddings = embeddings(rows: rows)
    let split = Split(training: (0..<rows).filter { $0 % 5 < 4 }, validation: [], test: [])
    for (layout, metric, limit) in [
      (LayoutMethod.tsne, FeatureMetric.euclidean, 10_000), (.tsne, .cosine, 10_000),
      (.tsne, .correlation, 10_000), (.tsne, .absoluteCorrelation, 0), (.tsne, .euclidean, 0),
      (.pca, .euclidean, 10_000),
    ] {
      var options = LayoutOptions()
      (options.pixels, options.layout, options.metric) = (5, layout, metric)
      options.tsneExactLimit = limit
      if layout == .tsne { (options.perplexity, options.iterations) = (3, 60) }
      let plan = try options.plan()
      let found = try [nil, 0].map { room in
        var fit = try LayoutFit(embeddings, split: split, plan, on: device, mostPoints: room)
        return try fit.channel(0, on: DeviceGroup(device)) { _ in }.coordinates.map(\.bitPattern)
      }
      #expect(found[0] == found[1], "\(layout) \(metric) of at most \(limit)")
      #expect(Set(found[0]).count > columns)
    }
  }

  /// Channels of hidden states take their own features of each part.
  @Test func channelsOfHiddenStatesAreTheSame() throws {
    let device = try CPUBackend(threads: 2)
    let (rows, columns) = (700, 12)
    let embeddings = Embeddings(
      features: Floats(drawn(5, rows * columns)), columns: columns,
      labels: [Int32](repeating: 0, count: rows), classes: ["a"], source: ["layers": "1...2"])
    let split = Split(training: Array(0..<rows), validation: [], test: [])
    var options = LayoutOptions()
    (options.pixels, options.channels, options.perplexity, options.iterations) = (5, .layer, 2, 60)
    let plan = try options.plan()
    let found = try [nil, 0].map { room in
      var fit = try LayoutFit(embeddings, split: split, plan, on: device, mostPoints: room)
      return try (0..<2).map { number in
        try fit.channel(number, on: DeviceGroup(device)) { _ in }.coordinates.map(\.bitPattern)
      }
    }
    #expect(found[0] == found[1] && found[0][0] != found[0][1])
  }
}
