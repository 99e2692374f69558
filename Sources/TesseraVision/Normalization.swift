// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

/// How pixel values are standardised before the slice, fitted on training rows.
public enum ImageNormalization: String, NamedOption {
  /// One mean and deviation for all pixels.
  case global
  /// Each pixel's own mean, one deviation for all: brings out what differs between reviews.
  case centered
  /// Each pixel's own mean and deviation.
  case pixel
  /// The official code's: mean and deviation of the whole batch, so that a prediction depends on what else
  /// is in it.
  case batch
}

/// Fitted numbers: y = (x - mean) scale, per pixel.
public struct PixelStatistics: Sendable {
  /// What is subtracted, per pixel.
  public let mean: [Float]
  /// What the difference is multiplied by, per pixel.
  public let scale: [Float]

  /// Known numbers.
  ///
  /// - Throws: `TesseraError` unless there is a finite mean and scale for each pixel, of which there is at
  ///   least one.
  public init(mean: [Float], scale: [Float]) throws {
    guard mean.count == scale.count, !mean.isEmpty, (mean + scale).allSatisfy(\.isFinite) else {
      throw TesseraError.input(
        "pixel statistics", found: "\(mean.count) means and \(scale.count) scales",
        wanted: "a finite number of each for every pixel")
    }
    self.mean = mean
    self.scale = scale
  }

  /// Fits on some rows of images (count, area), with sums in Double in row order.
  ///
  /// - Throws: `TesseraError` for no pixels, images that are not whole, rows that are not there, and values
  ///   that are not finite.
  public static func fit(
    _ images: Floats, area: Int, rows: [Int], _ kind: ImageNormalization
  ) throws -> PixelStatistics {
    guard area >= 1, images.count % area == 0, rows.allSatisfy((0..<images.count / area).contains) else {
      throw TesseraError.input(
        "pixel statistics", found: "\(images.count) values, rows \(rows.min() ?? 0) to \(rows.max() ?? 0)",
        wanted: "whole images of \(area) pixels, and rows of them")
    }
    guard !rows.isEmpty || kind == .batch else {
      throw TesseraError.input("pixel statistics", found: "no rows", wanted: "at least one to fit on")
    }
    if kind == .batch {
      return try PixelStatistics(
        mean: [Float](repeating: 0, count: area), scale: [Float](repeating: 1, count: area))
    }
    let count = Double(max(1, rows.count))
    var sums = [Double](repeating: 0, count: area)
    images.forEachBlock(of: rows, columns: area) { _, _, block in
      for begin in stride(from: 0, to: block.count, by: area) {
        for p in 0..<area { sums[p] += Double(block[begin + p]) }
      }
    }
    var mean = sums.map { $0 / count }
    if kind == .global {
      let all = mean.reduce(0, +) / Double(area)
      mean = [Double](repeating: all, count: area)
    }
    var squares = [Double](repeating: 0, count: area)
    images.forEachBlock(of: rows, columns: area) { _, _, block in
      for begin in stride(from: 0, to: block.count, by: area) {
        for p in 0..<area {
          let d = Double(block[begin + p]) - mean[p]
          squares[p] += d * d
        }
      }
    }
    var variance = squares.map { $0 / count }
    if kind != .pixel {
      let all = variance.reduce(0, +) / Double(area)
      variance = [Double](repeating: all, count: area)
    }
    return try PixelStatistics(
      mean: mean.map { Float($0) }, scale: variance.map { $0 > 1e-12 ? Float(1 / $0.squareRoot()) : 0 })
  }

  /// Images that are normalised as they are read.
  ///
  /// - Throws: `TesseraError` for images of another number of pixels.
  public func rows(_ images: Floats) throws -> FeatureRows {
    guard images.count % mean.count == 0 else {
      throw TesseraError.input(
        "images", found: "\(images.count) values", wanted: "whole images of \(mean.count) pixels")
    }
    return try FeatureRows(images, columns: mean.count, mean: mean, scale: scale)
  }

  /// The normalised images.
  ///
  /// - Throws: `TesseraError` for images of another number of pixels.
  public func apply(_ images: [Float]) throws -> [Float] {
    let area = mean.count
    guard images.count % area == 0 else {
      throw TesseraError.input(
        "images", found: "\(images.count) values", wanted: "whole images of \(area) pixels")
    }
    return [Float](unsafeUninitializedCapacity: images.count) { out, count in
      for row in 0..<images.count / max(1, area) {
        for p in 0..<area { out[row * area + p] = (images[row * area + p] - mean[p]) * scale[p] }
      }
      count = images.count
    }
  }
}
