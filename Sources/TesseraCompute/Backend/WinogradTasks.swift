// SPDX-License-Identifier: Apache-2.0
internal import Kernels

/// How much memory convolutions by fewer multiplications may take. Speed alone depends on it.
enum WinogradMemory {
  /// The most tiles of a task, and floats of them, transformed: what a level 2 cache does not hold is read
  /// from it once a panel.
  static let most = 42, tiles = 400_000
  /// Floats of transformed weights: 16 MiB; beyond them outputs are made in parts.
  static let weights = 1 << 22
  /// Floats of transformed weights that are kept: 64 MiB, a kernel of 512 x 512 channels.
  static let kept = 1 << 24
  /// Floats of batch groups' sums: 8 MiB; beyond them groups are added in parts.
  static let sums = 1 << 21
  /// On GPUs: floats of transformed tiles and of their products, 64 MiB, in pieces of which a convolution is made.
  static let pieces = 1 << 24
  /// Channels of the output and of the input that a task of a weight gradient has at most: their sums and
  /// transformed tiles stay in a level 2 cache, or near it.
  static func channels(points: Int) -> (high: Int, wide: Int) { points == 4 ? (192, 192) : (128, 64) }
}

extension tsr_winograd_params {
  /// Points of evaluation along a dimension.
  var points: Int { taps == 2 ? 4 : 6 }
  /// Tiles of all samples.
  var tiles: Int { Int(batch) * Int(tile_rows) * Int(tile_columns) }
  /// Groups of samples; tiles of a whole one.
  var groups: Int { (Int(batch) + Int(TSR_BATCH_GROUP) - 1) / Int(TSR_BATCH_GROUP) }
  var tilesOfGroup: Int { Int(TSR_BATCH_GROUP) * Int(tile_rows) * Int(tile_columns) }
  /// So many groups whose sums, `weights` of each, are held at once.
  func groupsAtOnce(weights: Int) -> Int { max(1, min(groups, WinogradMemory.sums / weights)) }
  /// Multiply-adds of all the points.
  var multiplyAdds: Int { elements(tiles, points * points, Int(channels), Int(outputs)) }

  /// Tiles of a task: as many as the level 2 cache has room for, in whole tiles of the micro-kernel; fewer
  /// where workers would have nothing to do.
  func block(rows: Int, workers: Int) -> Int {
    let held = min(WinogradMemory.most, WinogradMemory.tiles / (points * points * Int(channels)))
    let shared = workers == 1 ? held : min(held, (tiles + 2 * workers - 1) / (2 * workers))
    return max(1, shared / rows) * rows
  }

  /// Parts of so many panels, tasks of their own: one, unless workers would have nothing to do.
  func parts(panels: Int, workers: Int) -> Int {
    let blocks = (tiles + Int(block) - 1) / Int(block)
    return blocks >= workers ? 1 : max(1, min(panels, (workers + blocks - 1) / blocks))
  }

  /// Cuts outputs and channels into about equal parts, more of them where workers would have nothing to do.
  /// Returns the number of tasks.
  mutating func divide(groups: Int, workers: Int, lanes: Int) -> Int {
    func parts(_ count: Int32, _ most: Int) -> Int { (Int(count) + most - 1) / most }
    let most = WinogradMemory.channels(points: points)
    var across = parts(channels, most.wide), down = parts(outputs, most.high)
    func isUneven(_ tasks: Int) -> Bool { tasks < 4 * workers && tasks % workers != 0 }
    while isUneven(groups * across * down), across * lanes < channels || down * lanes < outputs {
      let isWider = Int(channels) / across >= Int(outputs) / down
      if across * lanes < channels, isWider || down * lanes >= outputs { across += 1 } else { down += 1 }
    }
    wide = Int32((parts(channels, across) + lanes - 1) / lanes * lanes)
    high = Int32(parts(outputs, down))
    return groups * parts(channels, Int(wide)) * parts(outputs, Int(high))
  }
}
