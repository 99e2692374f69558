// SPDX-License-Identifier: Apache-2.0
import TesseraCompute
import TesseraNN
import TestSupport
import Testing

@testable import TesseraVision

@Suite struct NormalizationTests {
  private let area = 9
  private let images = drawn(5, 20 * 9, 2, 3)

  private func moments(_ x: [Float]) -> (mean: Float, deviation: Float) {
    let mean = x.reduce(0, +) / Float(x.count)
    return (mean, (x.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Float(x.count)).squareRoot())
  }

  @Test(arguments: [ImageNormalization.global, .centered, .pixel]) func trainingRowsEndStandardised(
    _ kind: ImageNormalization
  ) throws {
    let rows = [0, 3, 4, 7, 11, 19]
    let statistics = try PixelStatistics.fit(Floats(images), area: area, rows: rows, kind)
    let out = try statistics.apply(images)
    #expect(out.count == images.count)
    let streamed = try statistics.rows(Floats(images))
    #expect(streamed.gather(0..<streamed.count).map(\.bitPattern) == out.map(\.bitPattern))
    let all = rows.flatMap { out[$0 * area..<($0 + 1) * area] }
    #expect(abs(moments(all).mean) < 1e-4 && abs(moments(all).deviation - 1) < 1e-4)
    for p in 0..<area {
      let pixel = moments(rows.map { out[$0 * area + p] })
      #expect(kind == .global || abs(pixel.mean) < 1e-4)
      #expect(kind != .pixel || abs(pixel.deviation - 1) < 1e-4)
    }
  }

  @Test func constantPixelsBecomeZero() throws {
    let flat = [Float](repeating: 0.5, count: 4 * area)
    for kind in [ImageNormalization.global, .centered, .pixel] {
      let out = try PixelStatistics.fit(Floats(flat), area: area, rows: [0, 1, 2], kind).apply(flat)
      #expect(out.allSatisfy { $0 == 0 })
    }
  }

  @Test func aBatchIsStandardisedAsAWholeAfterUpsampling() throws {
    let device = try CPUBackend(threads: 1)
    let network = try ImageClassifier(.alexnet, classes: 2, pixels: 32, seed: 1, device: device)
    network.standardizesBatches = true
    let batch = drawn(6, 5 * 32 * 32, 2, 3)
    let out = try device.floats(try network.upsampled(try device.tensor(batch, [5, 1, 32, 32]), 5).value)
    // Each value stands 9 times; the deviation is the unbiased one of them all (the official code).
    let n = Double(batch.count * 9)
    let mean = batch.reduce(0.0) { $0 + Double($1) } / Double(batch.count)
    let squares = batch.reduce(0.0) { $0 + (Double($1) - mean) * (Double($1) - mean) } * 9
    let deviation = (squares / (n - 1) + 1e-8).squareRoot()
    for (row, column) in [(0, 0), (7, 31), (31, 4)] {
      let wanted = (Double(batch[3 * 1024 + row * 32 + column]) - mean) / deviation
      #expect(abs(Double(out[3 * 9216 + (row * 3 + 1) * 96 + column * 3 + 2]) - wanted) < 1e-5)
    }
  }
}
