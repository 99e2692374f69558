// SPDX-License-Identifier: Apache-2.0
import TesseraCompute
import TesseraImages

/// One channel of the images: the features that it shows and where each goes.
public struct LayoutChannel: Sendable {
  /// Such as `tsne:euclidean` or `layer 3`.
  public let name: String
  /// The features that it shows, ascending.
  public let features: [Int]
  /// Their places in the plane: all x, then all y.
  public let coordinates: [Float]
  /// Their pixels.
  public let pixels: PixelLayout
  /// Divergence of t-SNE; nil for another layout.
  public let divergence: Float?
  /// Seconds that places and pixels took; nil if read from a file.
  public var seconds: (places: Double, pixels: Double)?
  /// The recorded states of t-SNE; none of another layout, or if read from a file.
  public internal(set) var states: [TSNERecord] = []

  /// How features share pixels, and the divergence, as one line.
  public var summary: String {
    "\(pixels.collisions)\(divergence.map { ", divergence \($0)" } ?? "")"
  }

  /// Grey images of rows of all features, row-major (count, pixels, pixels).
  func render(_ rows: [Float], count: Int, columns: Int) throws -> [Float] {
    guard features.count < columns else { return try pixels.render(rows, count: count) }
    let own = [Float](unsafeUninitializedCapacity: count * features.count) { out, filled in
      for row in 0..<count {
        for (at, feature) in features.enumerated() {
          out[row * features.count + at] = rows[row * columns + feature]
        }
      }
      filled = count * features.count
    }
    return try pixels.render(own, count: count)
  }
}
