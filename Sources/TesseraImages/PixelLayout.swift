// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

/// Which pixel each feature falls into.
public struct PixelLayout: Sendable, Equatable {
  /// Pixels a side.
  public let pixels: Int
  /// Row-major pixel of each feature.
  public let pixelOfFeature: [Int32]

  /// A layout with known pixels.
  ///
  /// - Throws: `TesseraError` for a pixel outside the grid.
  public init(pixels: Int, pixelOfFeature: [Int32]) throws {
    guard pixels >= 1, pixels <= 4096 else {
      throw TesseraError.input("pixels", found: "\(pixels)", wanted: "1 to 4096")
    }
    guard pixelOfFeature.allSatisfy({ $0 >= 0 && $0 < Int32(pixels * pixels) }) else {
      throw TesseraError.input(
        "layout", found: "a pixel outside the grid", wanted: "0 to \(pixels * pixels - 1)")
    }
    self.pixels = pixels
    self.pixelOfFeature = pixelOfFeature
  }

  /// Rotates a layout into its smallest bounding rectangle, scales that to the grid and gives each feature
  /// a pixel.
  ///
  /// - Parameters:
  ///   - coordinates: all x, then all y.
  ///   - pixels: a side; 0 for the smallest grid with a pixel for every feature.
  ///   - discretization: how features get their pixels.
  /// - Throws: `TesseraError` for `lsa` with fewer pixels than features, for no features, an odd number of
  ///   coordinates, and coordinates that are not finite.
  public init(_ coordinates: [Float], pixels: Int, by discretization: Discretization = .bin) throws {
    let count = coordinates.count / 2
    guard count > 0, coordinates.count == 2 * count else {
      throw TesseraError.input(
        "layout", found: "\(coordinates.count) coordinates",
        wanted: "all x, then as many y, at least one of each")
    }
    try requireFinite("layout", coordinates, columns: count)
    guard (0...4096).contains(pixels) else {
      throw TesseraError.input("pixels", found: "\(pixels)", wanted: "0 to 4096")
    }
    let side = pixels == 0 ? Self.side(for: count) : pixels
    let points = (0..<count).map {
      Point(x: Double(coordinates[$0]), y: Double(coordinates[count + $0]))
    }
    let rectangle = Rectangle.smallest(around: convexHull(points))
    try self.init(
      pixels: side,
      pixelOfFeature: try discretization.pixels(of: points.map { rectangle.place($0) }, side: side))
  }

  /// The smallest grid with a pixel for every feature, pixels a side.
  public static func side(for features: Int) -> Int {
    guard features > 1 else { return 1 }
    let root = max(1, Int(Double(features).squareRoot()) - 2)
    // The root is right to 2; the square of the one that is wanted may not fit an integer.
    return (root...).first { $0.multipliedReportingOverflow(by: $0).overflow || $0 * $0 >= features } ?? root
  }

  /// One grey image per row: features that share a pixel are averaged, empty pixels are 0.
  ///
  /// - Parameters:
  ///   - rows: row-major (count, features), in [0, 1].
  ///   - count: the number of rows.
  /// - Returns: row-major (count, pixels, pixels).
  public func render(_ rows: [Float], count: Int) throws -> [Float] {
    let features = pixelOfFeature.count
    guard count >= 0, features > 0, rows.count % features == 0, rows.count / features == count else {
      throw TesseraError.input(
        "images", found: "\(rows.count / max(1, count)) features a row", wanted: "\(features)")
    }
    let members = featuresByPixel()
    let area = pixels * pixels
    return [Float](unsafeUninitializedCapacity: count * area) { out, filled in
      out.initialize(repeating: 0)
      rows.withUnsafeBufferPointer { rows in
        for row in 0..<count {
          for (pixel, list) in members {
            var sum: Float = 0
            for feature in list { sum += rows[row * features + feature] }
            out[row * area + pixel] = sum / Float(list.count)
          }
        }
      }
      filled = count * area
    }
  }

  /// The features that images show: each has its pixel's value (the mean, where several share one).
  ///
  /// - Parameters:
  ///   - images: row-major (count, pixels, pixels).
  ///   - count: the number of images.
  /// - Returns: row-major (count, features).
  public func features(of images: [Float], count: Int) throws -> [Float] {
    let area = pixels * pixels
    guard count >= 0, images.count % area == 0, images.count / area == count else {
      throw TesseraError.input("images", found: "\(images.count) values", wanted: "\(count) x \(area)")
    }
    return (0..<count).flatMap { row in pixelOfFeature.map { images[row * area + Int($0)] } }
  }

  /// Features per pixel, row-major.
  public var density: [Int] {
    var counts = [Int](repeating: 0, count: pixels * pixels)
    for pixel in pixelOfFeature { counts[Int(pixel)] += 1 }
    return counts
  }

  /// Features of each occupied pixel, both ascending.
  func featuresByPixel() -> [(pixel: Int, features: [Int])] {
    var lists = [[Int]](repeating: [], count: pixels * pixels)
    for (feature, pixel) in pixelOfFeature.enumerated() { lists[Int(pixel)].append(feature) }
    return lists.enumerated().filter { !$0.element.isEmpty }.map { ($0.offset, $0.element) }
  }

  /// How many features share pixels.
  public var collisions: CollisionReport {
    let perPixel = density
    let occupied = perPixel.filter { $0 > 0 }
    var histogram = [Int](repeating: 0, count: (occupied.max() ?? 0) + 1)
    for count in perPixel { histogram[count] += 1 }
    return CollisionReport(
      features: pixelOfFeature.count, pixels: pixels * pixels, occupied: occupied.count,
      alone: occupied.count { $0 == 1 }, most: occupied.max() ?? 0, pixelsByFeatures: histogram)
  }
}

/// How a layout spreads features over pixels.
public struct CollisionReport: Sendable, Codable, Equatable, CustomStringConvertible {
  /// Features.
  public let features: Int
  /// Pixels of the grid.
  public let pixels: Int
  /// Pixels with at least one feature.
  public let occupied: Int
  /// Pixels with one feature.
  public let alone: Int
  /// The most features of a pixel.
  public let most: Int
  /// Entry n: pixels with n features.
  public let pixelsByFeatures: [Int]

  /// One line.
  public var description: String {
    let mean = occupied == 0 ? 0 : Double(features) / Double(occupied)
    return
      "\(features) features on \(occupied) of \(pixels) pixels: \(alone) alone, "
      + "\((mean * 100).rounded() / 100) a pixel on average, \(most) at most"
  }
}
