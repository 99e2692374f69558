import Foundation
import TesseraCompute
import TesseraImages

/// Grey images with their classes, and which rows are for what.
public struct ImageSet: Sendable {
  /// Row-major (labels.count, pixels, pixels).
  public let images: [Float]
  /// Pixels a side.
  public let pixels: Int
  /// Class of each image, the classes' names, the rows' use.
  public let labels: [Int32], classes: [String], split: Split

  /// Renders every row of embeddings.
  public static func make(
    _ embeddings: Embeddings, _ layout: FeatureLayout, split: Split, on device: any Backend
  ) throws -> ImageSet {
    ImageSet(
      images: try layout.render(
        embeddings.features, columns: embeddings.columns, rows: Array(embeddings.labels.indices), on: device),
      pixels: layout.pixels.pixels, labels: embeddings.labels, classes: embeddings.classes, split: split)
  }

  /// Writes the images; returns their fingerprint.
  public func write(to path: String) throws -> String {
    let names = String(decoding: try JSONEncoder().encode(classes), as: UTF8.self)
    var writer = SafetensorsWriter(metadata: ["kind": "images", "classes": names])
    writer.add("images", images, shape: [labels.count, pixels, pixels])
    writer.add("labels", labels, shape: [labels.count])
    split.add(to: &writer)
    return try writer.write(to: path)
  }

  /// Reads images back.
  public static func read(_ path: String) throws -> ImageSet {
    let file = try TensorFile.open(path)
    let shape = try file.shape("images")
    guard shape.count == 3, shape[0] > 0, shape[1] == shape[2], shape[1] > 0 else {
      throw TesseraError.input("\(path): images", found: "shape \(shape)", wanted: "[count, pixels, pixels]")
    }
    let images = try file.floats("images")
    try requireFinite(path, images, columns: shape[1] * shape[2])
    let classes = try readClasses(file)
    let labels = try file.ints("labels", shape: [shape[0]])
    guard labels.allSatisfy({ $0 >= -1 && $0 < Int32(classes.count) }) else {
      throw TesseraError.input(
        "\(path): labels", found: "a class outside 0..<\(classes.count)", wanted: "known classes")
    }
    let split = try Split(file)
    try split.check(path, count: shape[0])
    return ImageSet(images: images, pixels: shape[1], labels: labels, classes: classes, split: split)
  }

  /// Writes PNG files to look at: the mean image of each class, and a sheet of the first images of each class with
  /// the overall mean taken away.
  public func writePictures(to folder: String) throws {
    let area = pixels * pixels
    func mean(_ rows: [Int]) -> [Float] {
      var sum = [Float](repeating: 0, count: area)
      for row in rows {
        for p in 0..<area { sum[p] += images[row * area + p] }
      }
      return sum.map { $0 / Float(max(1, rows.count)) }
    }
    let all = mean(Array(labels.indices))
    let base = URL(fileURLWithPath: folder)
    func write(_ name: String, _ values: [Float], columns: Int) throws {
      guard !values.isEmpty else { return }
      let png = try ContactSheet.png(values, pixels: pixels, columns: columns)
      try AtomicFile.write(png, to: base.appendingPathComponent(name).path)
    }
    try write("mean.png", all, columns: 1)
    for (number, name) in classes.enumerated() {
      let rows = labels.indices.filter { labels[$0] == Int32(number) }
      let safe = name.map { $0.isLetter || $0.isNumber ? $0 : "_" }
      let first = rows.prefix(24)
      try write("\(String(safe)).png", first.flatMap { images[$0 * area..<($0 + 1) * area] }, columns: 8)
      try write(
        "\(String(safe))-from-mean.png",
        first.flatMap { row in zip(images[row * area..<(row + 1) * area], all).map { $0 - $1 } }, columns: 8)
      try write("\(String(safe))-mean-from-mean.png", zip(mean(Array(rows)), all).map { $0 - $1 }, columns: 1)
    }
  }
}
