// SPDX-License-Identifier: Apache-2.0
import Foundation
import TesseraCompute
import TesseraData
import TesseraImages

/// Images with their classes, and which rows are for what.
public struct ImageSet: Sendable {
  /// Row-major (labels.count, channels, pixels, pixels).
  public let images: Floats
  /// Pixels a side of an image.
  public let pixels: Int
  /// Channels of an image.
  public let channels: Int
  /// Class of each image.
  public let labels: [Int32]
  /// The classes' names.
  public let classes: [String]
  /// What each row is used for.
  public let split: Split

  /// Values of an image.
  public var area: Int { channels * pixels * pixels }

  /// The images of some rows, one after the other.
  package func images(of rows: some Sequence<Int>) -> [Float] {
    images.gather(Array(rows), columns: area)
  }

  /// Renders every row of embeddings.
  public static func make(
    _ embeddings: Embeddings, _ layout: FeatureLayout, split: Split, on device: any Backend
  ) throws -> ImageSet {
    try split.check("images", count: embeddings.labels.count)
    return ImageSet(
      images: Floats(
        try layout.render(
          embeddings.features, columns: embeddings.columns, rows: Array(embeddings.labels.indices), on: device
        )),
      pixels: layout.side, channels: layout.channels.count, labels: embeddings.labels,
      classes: embeddings.classes, split: split)
  }

  /// Renders every row of embeddings into a file, block by block: they need not fit into memory.
  ///
  /// - Returns: the images, which stay in the file, and its fingerprint.
  public static func make(
    _ embeddings: Embeddings, _ layout: FeatureLayout, split: Split, to path: String, on device: any Backend
  ) throws -> (images: ImageSet, fingerprint: String) {
    try split.check("images", count: embeddings.labels.count)
    let (columns, count) = (embeddings.columns, embeddings.labels.count)
    var writer = try writer(
      embeddings.labels, embeddings.classes, split)
    writer.add("images", shape: shape(count, channels: layout.channels.count, pixels: layout.side)) { take in
      for begin in stride(from: 0, to: count, by: 1024) {
        let rows = Array(begin..<min(count, begin + 1024))
        try layout.render(embeddings.features, columns: columns, rows: rows, on: device)
          .withUnsafeBufferPointer(take)
      }
    }
    let digits = try writer.write(to: path)
    return (try read(path), digits)
  }

  /// Writes the images; returns their fingerprint. Grey ones have the shape (count, pixels, pixels).
  public func write(to path: String) throws -> String {
    var writer = try Self.writer(labels, classes, split)
    writer.add("images", images, shape: Self.shape(labels.count, channels: channels, pixels: pixels))
    return try writer.write(to: path)
  }

  private static func shape(_ count: Int, channels: Int, pixels: Int) -> [Int] {
    [count] + (channels == 1 ? [] : [channels]) + [pixels, pixels]
  }

  /// A file of all but the images.
  private static func writer(_ labels: [Int32], _ classes: [String], _ split: Split) throws
    -> SafetensorsWriter
  {
    let names = String(decoding: try JSONEncoder().encode(classes), as: UTF8.self)
    var writer = SafetensorsWriter(metadata: ["kind": "images", "classes": names])
    writer.add("labels", labels, shape: [labels.count])
    split.add(to: &writer)
    return writer
  }

  /// Reads images back.
  public static func read(_ path: String) throws -> ImageSet {
    let file = try TensorFile.open(path)
    try file.checkNumerics()
    let shape = try file.shape("images")
    guard (3...4).contains(shape.count), shape.allSatisfy({ $0 > 0 }), shape.suffix(2).first == shape.last
    else {
      throw TesseraError.input(
        "\(path): images", found: "shape \(shape)",
        wanted: "[count, pixels, pixels] or [count, channels, pixels, pixels]")
    }
    let images = try file.mappedFloats("images")
    let (channels, pixels) = (shape.count == 4 ? shape[1] : 1, shape[shape.count - 1])
    try requireFinite(path, images, columns: channels * pixels * pixels)
    let classes = try readClasses(file)
    let labels = try file.ints("labels", shape: [shape[0]])
    guard labels.allSatisfy({ $0 >= -1 && $0 < Int32(classes.count) }) else {
      throw TesseraError.input(
        "\(path): labels", found: "a class outside 0..<\(classes.count)", wanted: "known classes")
    }
    let split = try Split(file)
    try split.check(path, count: shape[0])
    return ImageSet(
      images: images, pixels: pixels, channels: channels, labels: labels, classes: classes, split: split)
  }

  /// Throws if a network could not be trained on the images with these options: they are too small for it,
  /// or its weights do not fit. On the CPU, whatever the device: a few milliseconds, and no program has to
  /// be built.
  public func check(_ options: TrainedModel.Options) throws {
    _ = try options.network(
      classes: classes.count, pixels: pixels, channels: channels, on: try CPUBackend(threads: 1))
  }

  /// Writes PNG files to look at: the mean image; and of each class a sheet of its first images and its own mean, as
  /// differences from the mean in each pixel's standard deviations, as a run's page shows them. Black is 3 deviations
  /// below the mean in a sheet and 1 in a class's mean, white as much above. Channels stand side by side.
  ///
  /// - Parameter folder: where they go.
  /// - Throws: `TesseraError` if they cannot be written.
  public func writePictures(to folder: String) throws {
    let (area, moments) = (area, PixelMoments(self))
    let base = URL(fileURLWithPath: folder)
    func write(_ name: String, _ values: [Float], columns: Int, range: Float?) throws {
      guard !values.isEmpty else { return }
      let shown = range.map { range in values.map { (max(-range, min(range, $0)) + range) / (2 * range) } }
      let png = try ContactSheet.png(
        shown ?? values, pixels: pixels, channels: channels, columns: columns, stretch: range == nil)
      try AtomicFile.write(png, to: base.appendingPathComponent(name).path)
    }
    try write("mean.png", moments.mean, columns: 1, range: nil)
    for (number, name) in classes.enumerated() {
      let rows = labels.indices.filter { labels[$0] == Int32(number) }
      let safe = String(name.map { $0.isLetter || $0.isNumber ? $0 : "_" })
      let first = rows.prefix(24).flatMap { moments.deviations(images.gather([$0], columns: area)) }
      try write("\(safe).png", first, columns: max(1, 8 / channels), range: 3)
      var sum = [Float](repeating: 0, count: area)
      images.forEachBlock(of: rows, columns: area) { _, _, block in
        for at in block.indices { sum[at % area] += block[at] }
      }
      let mean = sum.map { $0 / Float(max(1, rows.count)) }
      try write("\(safe)-mean.png", rows.isEmpty ? [] : moments.deviations(mean), columns: 1, range: 1)
    }
  }
}
