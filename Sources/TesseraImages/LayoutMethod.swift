// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

/// How features get places in the plane.
public enum LayoutMethod: String, NamedOption {
  /// t-SNE: neighbours stay neighbours.
  case tsne
  /// The first two principal components.
  case pca
  /// Places drawn by seed, whatever the features are: a control, which tells whether a picture's neighbourhoods
  /// help a classifier.
  case random

  /// The streams of the drawn places of channels; t-SNE's start and others' are elsewhere.
  private static let firstStream: UInt64 = 1 << 57
  private static let mostFeatures = 1 << 24

  /// Places of `count` features, uniform in the unit square: all x, then all y.
  ///
  /// - Parameters:
  ///   - count: how many places.
  ///   - seed: the same seed gives the same places.
  ///   - channel: each channel of an image has places of its own.
  ///   - device: the device that draws; every device draws the same bits.
  public static func drawnPlaces(
    _ count: Int, seed: UInt64, channel: Int, on device: any Backend
  ) throws -> [Float] {
    guard (1...mostFeatures).contains(count), (0..<mostFeatures).contains(channel) else {
      throw TesseraError.input(
        "random layout", found: "\(count) features, channel \(channel)", wanted: "1 to \(mostFeatures)")
    }
    let places = try device.allocate([2 * count], .float32)
    try device.randomUniform(
      RandomStream(seed: seed, stream: firstStream + UInt64(channel)), low: 0, high: 1, into: places)
    return try device.floats(places)
  }
}
