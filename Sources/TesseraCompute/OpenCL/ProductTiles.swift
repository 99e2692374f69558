/// The tiles in which an OpenCL device computes matrix products and convolutions. They change a result's speed, never its
/// bits (NUMERICS.md rule 10).
public struct ProductTiles: Hashable, Sendable {
  /// On CPU devices: rows of a tile of 16 columns whose sums stay in registers; 2, 4, 6, 8 or 12.
  public var rows = 6
  /// On GPUs: blocks of 4 x 4 sums that a work-item keeps along rows and columns; a work-group of 16 x 16 takes a tile of
  /// 64 times as many. 1, 2 or 4.
  public var rowBlocks = 1, columnBlocks = 1
  /// On GPUs: how deep the slices are that go through local memory; 8, 16 or 32.
  public var depth = 16

  /// The default tiles.
  public init() {}

  /// What suits a device without a measurement.
  static func suiting(_ device: OpenCLDevice, wide: Bool) throws -> ProductTiles {
    var tiles = ProductTiles()
    // 16 columns are two vectors of AVX2, one of AVX-512 and four of 128 bits.
    tiles.rows = device.vectorWidth >= 16 ? 12 : device.vectorWidth >= 8 ? 6 : 4
    return tiles
  }

  /// What kernels are built with.
  func options(wide: Bool) -> String {
    wide ? " -DTSR_MI=\(rowBlocks) -DTSR_NI=\(columnBlocks) -DTSR_DEPTH=\(depth)" : " -DTSR_TILE_ROWS=\(rows)"
  }
}
