// SPDX-License-Identifier: Apache-2.0
/// Which tiles a device uses for which products.
public struct GemmTuning: Hashable, Sendable, Codable {
  /// For products with outputs enough to keep every compute unit busy with large tiles.
  public var many = GemmTiles()
  /// For smaller ones.
  public var few = GemmTiles()

  /// The same tiles for all products.
  public init(_ tiles: GemmTiles = GemmTiles()) { (many, few) = (tiles, tiles) }

  /// What suits a device without a measurement.
  static func suiting(_ device: OpenCLDevice, gpu: Bool) -> GemmTuning {
    var tuning = GemmTuning()
    if gpu {
      tuning.many = GemmTiles(rowBlocks: 4, columnBlocks: 2, itemRows: 8, depth: 8)
      if tuning.many.localMemory > device.localMemory { tuning.many.depth = 8 }
      if tuning.few.localMemory > device.localMemory { tuning.few.depth = 8 }
    } else {
      // 16 columns are two vectors of AVX2 and four of 128 bits, 32 two of AVX-512.
      tuning.many.rows = device.vectorWidth >= 16 ? 8 : device.vectorWidth >= 8 ? 6 : 4
      tuning.many.columns = device.vectorWidth >= 16 ? 32 : 16
      if tuning.many.panelBytes > device.localMemory { tuning.many.columns = 16 }
      tuning.few = tuning.many
    }
    return tuning
  }

  /// Whether the device can run it.
  func fits(_ device: OpenCLDevice, gpu: Bool) -> Bool {
    [many, few].allSatisfy { $0.isSound && (gpu ? $0.localMemory : $0.panelBytes) <= device.localMemory }
  }

  /// The tiles for `parts` outputs of m x n.
  func tiles(m: Int, n: Int, parts: Int, units: Int, gpu: Bool) -> GemmTiles {
    let large = ((m + 127) / 128) * ((n + 127) / 128) * parts
    guard gpu, many != few else { return large >= 2 * units ? many : few }
    // Of both and one between, whatever suits.
    var candidates = [many, few]
    if many.height * many.width > 64 * 128 {
      candidates.append(
        GemmTiles(
          rowBlocks: 2, columnBlocks: 2, itemRows: 8, depth: many.depth == 8 && few.depth == 8 ? 8 : 16))
    }
    func time(_ tiles: GemmTiles) -> Double { tiles.rounds(m: m, n: n, parts: parts, units: units) }
    return candidates.min { time($0) < time($1) } ?? many
  }
}
