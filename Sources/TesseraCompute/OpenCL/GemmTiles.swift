// SPDX-License-Identifier: Apache-2.0
internal import Kernels

/// The tiles in which an OpenCL device computes matrix products and convolutions. They change a result's
/// speed, never its bits (NUMERICS.md rule 10).
public struct GemmTiles: Hashable, Sendable, Codable {
  /// On CPU devices: rows of a tile whose sums stay in registers; 2, 4, 6, 8 or 12.
  public var rows = 6
  /// On CPU devices: columns of such a tile; 16 or 32.
  public var columns = 16
  /// On CPU devices: the most rows that a work-item runs down with its columns of B.
  public var rowsOfItem = 384
  /// On GPUs: blocks of 4 x 4 sums that a work-item keeps along rows; a group of 16 x 16 takes a tile of 64
  /// times as many rows. 1, 2 or 4.
  public var rowBlocks = 1
  /// On GPUs: blocks of 4 x 4 sums that a work-item keeps along columns, as `rowBlocks`. 1, 2 or 4, not
  /// both 4.
  public var columnBlocks = 1
  /// On GPUs: rows of 16 work-items in a group; 8 or 16. With 8, a tile has half as many rows of sums.
  public var itemRows = 16
  /// On GPUs: how deep the tiles are that go through local memory; 8, 16 or 32.
  public var depth = 16

  /// Low tiles and 64 x 64 ones.
  public init() {}

  /// A GPU's.
  init(rowBlocks: Int, columnBlocks: Int, itemRows: Int, depth: Int) {
    (self.rowBlocks, self.columnBlocks, self.itemRows, self.depth) = (
      rowBlocks, columnBlocks, itemRows, depth
    )
  }

  /// Reads tiles; files from before there was a choice of columns or of work-items have 16.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    rows = try values.decode(Int.self, forKey: .rows)
    columns = try values.decodeIfPresent(Int.self, forKey: .columns) ?? 16
    rowsOfItem = try values.decode(Int.self, forKey: .rowsOfItem)
    rowBlocks = try values.decode(Int.self, forKey: .rowBlocks)
    columnBlocks = try values.decode(Int.self, forKey: .columnBlocks)
    itemRows = try values.decodeIfPresent(Int.self, forKey: .itemRows) ?? 16
    depth = try values.decode(Int.self, forKey: .depth)
  }

  /// Whether kernels can be built with the tiles.
  public var isSound: Bool {
    [2, 4, 6, 8, 12].contains(rows) && [16, 32].contains(columns) && (1...1 << 20).contains(rowsOfItem)
      && [1, 2, 4].contains(rowBlocks) && [1, 2, 4].contains(columnBlocks) && rowBlocks * columnBlocks <= 8
      && [8, 16].contains(itemRows) && [8, 16, 32].contains(depth) && max(height, width) <= 16 * itemRows
  }

  /// On GPUs: the rows and columns of sums of a tile.
  var height: Int { 4 * itemRows * rowBlocks }
  var width: Int { 64 * columnBlocks }

  /// Bytes of local memory that a work-group of a GPU needs: two tiles of each operand, and where k is in
  /// an image.
  var localMemory: Int { 2 * depth * (height + width + 8 + 4) * 4 }

  /// On GPUs: whether every work-item has four elements and more of each operand's tiles to bring.
  var loadsVec4: Bool { rowBlocks * depth >= 16 && columnBlocks * depth >= itemRows }

  /// Rounds of work-groups over a GPU's compute units, by what a tile takes: a work-item with fewer sums
  /// reads as much for each. (The weights: 4096^3 on an H100.)
  func rounds(m: Int, n: Int, parts: Int, units: Int) -> Double {
    let (rows, columns) = ((m + height - 1) / height, (n + width - 1) / width)
    let rounds = max(1, (rows * columns * parts + units - 1) / units)
    let weight: Double
    switch rowBlocks * columnBlocks {
    case 1: weight = 1.26
    case 2: weight = 1.09
    case 4: weight = itemRows == 8 ? 1.02 : 1.04
    default: weight = 1
    }
    return weight * Double(rounds * height * width)
  }

  /// Bytes of local memory that a CPU device needs: a chunk of its columns.
  var panelBytes: Int { Int(TSR_K_CHUNK) * columns * 4 }

  /// What kernels are built with.
  func options(gpu: Bool) -> String {
    gpu
      ? " -DTSR_MI=\(rowBlocks) -DTSR_NI=\(columnBlocks) -DTSR_WORKGROUP_ROWS=\(itemRows) -DTSR_TILE_K=\(depth)"
      : " -DTSR_TILE_ROWS=\(rows) -DTSR_VECTORS=\(columns / 16)"
  }

  /// What a search tries on a device.
  static func candidates(_ device: OpenCLDevice, gpu: Bool) -> [GemmTiles] {
    var all: [GemmTiles] = []
    if gpu {
      let shapes = [
        (1, 1, 16, [8, 16, 32]), (1, 2, 16, [16]), (2, 1, 16, [16]), (2, 2, 16, [8, 16]), (2, 1, 8, [16]),
        (2, 2, 8, [8, 16]),
        (4, 2, 8, [8, 16]), (4, 2, 16, [8]), (2, 4, 16, [8]),
      ]
      for (rows, columns, items, depths) in shapes {
        for depth in depths {
          let tiles = GemmTiles(rowBlocks: rows, columnBlocks: columns, itemRows: items, depth: depth)
          if tiles.localMemory <= device.localMemory { all.append(tiles) }
        }
      }
    } else {
      for (rows, columns) in [(2, 16), (4, 16), (6, 16), (8, 16), (12, 16), (8, 32), (12, 32)] {
        for most in [96, 384] {
          var tiles = GemmTiles()
          (tiles.rows, tiles.columns, tiles.rowsOfItem) = (rows, columns, most)
          if tiles.panelBytes <= device.localMemory { all.append(tiles) }
        }
      }
    }
    return all
  }
}
