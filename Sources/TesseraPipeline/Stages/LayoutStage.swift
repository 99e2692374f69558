import Foundation
import TesseraCompute
import TesseraImages

/// Where each feature goes, the scaler, and which rows they were fitted on.
public struct FeatureLayout: Sendable {
  /// The fitted scaler.
  public let scaler: Scaler
  /// Places of the features: all x, then all y.
  public let coordinates: [Float]
  /// Pixels of the features.
  public let pixels: PixelLayout
  /// The rows.
  public let split: Split
  /// Divergence of t-SNE; nil for another layout.
  public let divergence: Float?

  /// Fits scaler and layout on the training rows of a split.
  ///
  /// - Parameter progress: called with t-SNE's iteration and last known divergence.
  public static func make(
    _ embeddings: Embeddings, split: Split, _ plan: LayoutPlan, on device: any Backend,
    progress: (Int, Float?) throws -> Void = { _, _ in }
  ) throws -> FeatureLayout {
    let columns = embeddings.columns
    let seen = plan.seesValidation ? (split.training + split.validation).sorted() : split.training
    let scaler = try Scaler.fit(embeddings.features, columns: columns, rows: seen, on: device)
    let scaled = try scaler.apply(embeddings.features, columns: columns, rows: seen, on: device)
    // Points are features: their coordinates are their values over the training rows.
    let rows = seen.count
    let points = [Float](unsafeUninitializedCapacity: scaled.count) { out, count in
      for c in 0..<columns {
        for r in 0..<rows { out[c * rows + r] = scaled[r * columns + c] }
      }
      count = scaled.count
    }
    let (places, divergence) = try plan.places(
      points, count: columns, dims: rows, on: device, progress: progress)
    return FeatureLayout(
      scaler: scaler, coordinates: places,
      pixels: try PixelLayout(places, pixels: plan.pixels, by: plan.discretization), split: split,
      divergence: divergence)
  }

  /// Grey images of rows of features.
  public func render(
    _ embeddings: [Float], columns: Int, rows: [Int], on device: any Backend
  ) throws -> [Float] {
    var images: [Float] = []
    images.reserveCapacity(rows.count * pixels.pixels * pixels.pixels)
    for begin in stride(from: 0, to: rows.count, by: 1024) {
      let part = Array(rows[begin..<min(rows.count, begin + 1024)])
      let scaled = try scaler.apply(embeddings, columns: columns, rows: part, on: device)
      images += try pixels.render(scaled, count: part.count)
    }
    return images
  }

  /// Writes the layout; returns its fingerprint.
  public func write(to path: String) throws -> String {
    let features = scaler.minimum.count
    var metadata = ["kind": "layout", "pixels": "\(pixels.pixels)"]
    if let divergence { metadata["divergence"] = "\(divergence)" }
    var writer = SafetensorsWriter(metadata: metadata)
    writer.add("minimum", scaler.minimum, shape: [features])
    writer.add("maximum", [scaler.maximum], shape: [1])
    writer.add("coordinates", coordinates, shape: [2, features])
    writer.add("pixel_of_feature", pixels.pixelOfFeature, shape: [features])
    split.add(to: &writer)
    return try writer.write(to: path)
  }

  /// Reads a layout.
  public static func read(_ path: String) throws -> FeatureLayout {
    let file = try TensorFile.open(path)
    let minimum = try file.floats("minimum")
    guard let side = file.metadata["pixels"].flatMap({ Int($0) }), side > 0, side <= 4096 else {
      throw TesseraError.input(
        path, found: "no pixels in its metadata", wanted: "a layout made by tessera layout")
    }
    let maximum = try file.floats("maximum", shape: [1])[0]
    guard maximum > 0, maximum.isFinite, minimum.allSatisfy(\.isFinite) else {
      throw TesseraError.input(path, found: "a scaler that is not finite", wanted: "finite numbers")
    }
    return FeatureLayout(
      scaler: Scaler(minimum: minimum, maximum: maximum),
      coordinates: try file.floats("coordinates", shape: [2, minimum.count]),
      pixels: try PixelLayout(
        pixels: side, pixelOfFeature: try file.ints("pixel_of_feature", shape: [minimum.count])),
      split: try Split(file), divergence: file.metadata["divergence"].flatMap { Float($0) })
  }
}

extension Split {
  func add(to writer: inout SafetensorsWriter) {
    for (name, rows) in [("rows.training", training), ("rows.validation", validation), ("rows.test", test)] {
      writer.add(name, rows.map { Int32($0) }, shape: [rows.count])
    }
  }

  init(_ file: TensorFile) throws {
    func rows(_ name: String) throws -> [Int] {
      let rows = try file.ints("rows.\(name)").map { Int($0) }
      guard rows.allSatisfy({ $0 >= 0 }) else {
        throw TesseraError.input("\(file.path): rows.\(name)", found: "a negative row", wanted: "row numbers")
      }
      return rows
    }
    self.init(training: try rows("training"), validation: try rows("validation"), test: try rows("test"))
  }

  /// Throws unless all rows lie below `count`.
  public func check(_ place: String, count: Int) throws {
    guard let most = (training + validation + test).max(), most >= count else { return }
    throw TesseraError.input(place, found: "row \(most) of \(count)", wanted: "a layout made from these rows")
  }
}
