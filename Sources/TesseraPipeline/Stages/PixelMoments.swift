// SPDX-License-Identifier: Apache-2.0
import TesseraCompute
import TesseraData

/// Mean and standard deviation of each pixel over the first training rows, by which pictures show images.
struct PixelMoments {
  let mean: [Float], deviation: [Float]

  /// Rows that are looked at.
  private static let rows = 1000

  /// Of a set's training rows; without any, of its first rows.
  init(_ set: ImageSet) {
    let area = set.area
    let first = Array(
      (set.split.training.isEmpty ? Array(set.labels.indices) : set.split.training).prefix(Self.rows))
    var sums = [Float](repeating: 0, count: area)
    set.images.forEachBlock(of: first, columns: area) { _, _, block in
      for at in block.indices { sums[at % area] += block[at] }
    }
    let mean = sums.map { $0 / Float(max(1, first.count)) }
    var squares = [Float](repeating: 0, count: area)
    set.images.forEachBlock(of: first, columns: area) { _, _, block in
      for at in block.indices {
        let difference = block[at] - mean[at % area]
        squares[at % area] += difference * difference
      }
    }
    self.mean = mean
    deviation = squares.map { ($0 / Float(max(1, first.count))).squareRoot() }
  }

  /// An image's difference from the mean in each pixel's standard deviations; 0 where a pixel never changes.
  func deviations(_ image: some Collection<Float>) -> [Float] {
    zip(image, zip(mean, deviation)).map { $1.1 > 0 ? ($0 - $1.0) / $1.1 : 0 }
  }
}
