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

  @Test(arguments: ImageNormalization.allCases) func trainingRowsEndStandardised(_ kind: ImageNormalization) {
    let rows = [0, 3, 4, 7, 11, 19]
    let statistics = PixelStatistics.fit(images, area: area, rows: rows, kind)
    let out = statistics.apply(images)
    #expect(out.count == images.count)
    let all = rows.flatMap { out[$0 * area..<($0 + 1) * area] }
    #expect(abs(moments(all).mean) < 1e-4 && abs(moments(all).deviation - 1) < 1e-4)
    for p in 0..<area {
      let pixel = moments(rows.map { out[$0 * area + p] })
      #expect(kind == .global || abs(pixel.mean) < 1e-4)
      #expect(kind != .pixel || abs(pixel.deviation - 1) < 1e-4)
    }
  }

  @Test func constantPixelsBecomeZero() {
    let flat = [Float](repeating: 0.5, count: 4 * area)
    for kind in ImageNormalization.allCases {
      let out = PixelStatistics.fit(flat, area: area, rows: [0, 1, 2], kind).apply(flat)
      #expect(out.allSatisfy { $0 == 0 })
    }
  }
}
