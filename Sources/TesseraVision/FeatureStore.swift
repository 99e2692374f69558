import TesseraCompute

/// The slice's output for every image, computed once while memory allows; batches are copied out of it.
final class FeatureStore {
  private let network: ImageClassifier
  private let images: [Float]
  private let area: Int
  private var chunks: [Tensor] = []
  /// Extents of one image's features.
  let shape: [Int]
  private static let chunk = 64

  /// Computes the features of normalised images; more than `limit` bytes are computed anew for each batch.
  init(_ network: ImageClassifier, images: [Float], limit: Int, progress: (Int, Int) throws -> Void) throws {
    self.network = network
    self.images = images
    area = network.pixels * network.pixels
    let count = images.count / area
    let probe = try network.features(try Self.upload(network, images, [0], area))
    shape = Array(probe.shape.dropFirst())
    guard count * shape.reduce(4, *) <= limit else { return }
    for begin in stride(from: 0, to: count, by: Self.chunk) {
      let rows = Array(begin..<min(count, begin + Self.chunk))
      chunks.append(try network.features(try Self.upload(network, images, rows, area)))
      try progress(rows.last.map { $0 + 1 } ?? 0, count)
    }
  }

  /// The features of some images, (rows.count, ...).
  func batch(_ rows: [Int]) throws -> Tensor {
    guard !chunks.isEmpty else { return try network.features(try Self.upload(network, images, rows, area)) }
    let size = shape.reduce(1, *)
    let out = try network.device.allocate([rows.count] + shape, .float32)
    for (at, row) in rows.enumerated() {
      try network.device.copy(
        chunks[row / Self.chunk], to: out,
        region: CopyRegion(
          rows: 1, columns: size, sourceOffset: row % Self.chunk * size, sourceStride: size,
          destinationOffset: at * size, destinationStride: size))
    }
    return out
  }

  private static func upload(_ network: ImageClassifier, _ images: [Float], _ rows: [Int], _ area: Int) throws
    -> Tensor
  {
    let tensor = try network.device.allocate([rows.count, network.pixels, network.pixels], .float32)
    try images.withUnsafeBufferPointer { images in
      for (at, row) in rows.enumerated() {
        let part = UnsafeRawBufferPointer(rebasing: images[row * area..<(row + 1) * area])
        try network.device.upload(part, to: tensor, offset: at * area)
      }
    }
    return tensor
  }
}

extension UnsafeRawBufferPointer {
  fileprivate init(rebasing slice: Slice<UnsafeBufferPointer<Float>>) {
    self.init(UnsafeBufferPointer(rebasing: slice))
  }
}
