import TesseraCompute
import TesseraNN

/// The slice's output: computed once for every image while that cannot change and memory allows, and copied out batch by
/// batch; else computed for each batch.
final class FeatureStore {
  private let network: ImageClassifier
  private let images: [Float]
  private let area: Int
  private var chunks: [Tensor] = []
  private let mode: SliceMode
  /// Extents of one image's features.
  private let shape: [Int]
  private static let chunk = 64

  /// Computes the features of normalised images; more than `limit` bytes are computed anew for each batch.
  init(
    _ network: ImageClassifier, images: [Float], _ mode: SliceMode, limit: Int,
    progress: (Int, Int) throws -> Void
  ) throws {
    self.network = network
    self.images = images
    self.mode = mode
    area = network.channels * network.pixels * network.pixels
    guard mode == .frozen, !network.standardizesBatches else {
      shape = []
      return
    }
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

  /// The slice's output for some images, (rows.count, ...); it takes part in the tape if the slice is trained.
  func batch(_ rows: [Int], _ context: Context) throws -> Variable {
    guard chunks.isEmpty else { return Variable(try kept(rows)) }
    let images = try Self.upload(network, images, rows, area)
    let large = try network.upsampled(images, rows.count)
    return try network.slice(large, mode == .frozen ? Context(device: network.device) : context)
  }

  private func kept(_ rows: [Int]) throws -> Tensor {
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
    let tensor = try network.device.allocate(
      [rows.count, network.channels, network.pixels, network.pixels], .float32)
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
