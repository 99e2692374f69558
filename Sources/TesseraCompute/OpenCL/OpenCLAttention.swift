// SPDX-License-Identifier: Apache-2.0
internal import Kernels

/// How a device computes attention without its matrix of scores: `Kernels/attention/attention.cl`.
///
/// It pays wherever it fits. On CPU devices, against the composition in turns (medians, 40 to 512 tokens a
/// text, two cores): 1.8 to 2.5 times as fast on PoCL, 2.3 to 3.3 on Intel's runtime, whose softmax divides
/// in software. On an H200, with the kernel before this one, 1 to 60 times (one text of 512 tokens: 1; 15
/// of 268: 2.7, with heads of 64 columns 1.3 to 1.8; 64 of 40: 60): the composition moves every score
/// through global memory six times and launches three kernels a text, this is one launch for a batch and
/// moves no score.
struct AttentionTiles {
  /// On CPU devices: keys (or columns of values) of a tile in registers.
  var rows: Int
  /// The queries of a block.
  var columns: Int
  /// The most keys of a text; a block's scores take local memory for as many.
  let longest: Int

  /// Kernels are built for texts of at most so many tokens: short ones take less local memory, so that more
  /// blocks share a compute unit.
  private static let most = [128, 256, Int(TSR_K_CHUNK)]

  /// The kernels that texts need.
  static func classes(_ lengths: [Int]) -> [Int] {
    most.filter { longest in lengths.contains { texts(longest).contains($0) } }
  }

  /// The lengths that a kernel is for.
  static func texts(_ longest: Int) -> ClosedRange<Int> { ((most.last { $0 < longest } ?? 0) + 1)...longest }

  /// The widest head that CPU devices take.
  static let widest = 128

  /// What suits a device; nil where a block's scores do not fit its local memory.
  init?(_ device: OpenCLDevice, gpu: Bool, tuning: GemmTuning, longest: Int) {
    self.longest = longest
    (rows, columns) = (min(8, tuning.many.rows), gpu ? 8192 / longest : tuning.many.columns)
    if !gpu, bytes(gpu) > device.localMemory { columns = 16 }
    guard bytes(gpu) <= device.localMemory else { return nil }
  }

  private func bytes(_ gpu: Bool) -> Int {
    guard gpu else { return 4 * (columns * (longest + Self.widest + Int(TSR_LANES)) + longest + columns) }
    let (tile, keys) = (longest > 256 ? 8 : 16, 4096 / columns)
    return 4 * (columns * (longest + 4) + max(tile * (keys + columns + 8), 5 * 8 * columns))
  }

  /// What the kernels are built with. On GPUs a work-item takes four queries and as many columns of values
  /// as keep all of a group at work; rows of heads of fours are read by fours.
  func options(gpu: Bool, width: Int) -> String {
    " -DTSR_MAX_TOKENS=\(longest)"
      + (gpu
        ? " -DTSR_COLUMNS=\(columns * width >= 2048 ? 4 : 2) -DTSR_HEAD_DIM_IS_4N=\(width % 4 == 0 ? 1 : 0)"
        : " -DTSR_MAX_HEAD_DIM=\(Self.widest) -DTSR_TILE_ROWS=\(rows) -DTSR_VECTORS=\(columns / 16)")
  }
}

extension OpenCLBackend {
  public func attention(
    _ p: PackedAttention, _ x: Tensor, lengths: [Int], bias: Tensor?, into y: Tensor
  ) throws {
    let lowered = try p.checked(x: x, lengths: lengths, bias: bias, y: y)
    guard y.count > 0 else { return }
    let classes = AttentionTiles.classes(lengths)
    let tiles = classes.compactMap { AttentionTiles(device, gpu: gpu, tuning: tuning, longest: $0) }
    guard p.isOneChunk(lengths), gpu || p.width <= AttentionTiles.widest, tiles.count == classes.count
    else {
      return try composedAttention(p, x, lengths: lengths, bias: bias, into: y)
    }
    for tiles in tiles {
      try attention(lowered, tiles, x, lengths, AttentionTiles.texts(tiles.longest), bias: bias, into: y)
    }
  }

  /// The texts of lengths in a range.
  private func attention(
    _ p: tsr_packed_attention_params, _ tiles: AttentionTiles, _ x: Tensor, _ lengths: [Int],
    _ range: ClosedRange<Int>,
    bias: Tensor?, into y: Tensor
  ) throws {
    var blocks: [Int32] = []
    var begin = 0
    for length in lengths {
      if range.contains(length) {
        for first in stride(from: 0, to: length, by: tiles.columns) {
          blocks += [Int32(begin), Int32(length), Int32(first)]
        }
      }
      begin += length
    }
    guard !blocks.isEmpty else { return }
    let table = try tensor(blocks, [blocks.count])
    let (items, count) = (gpu ? 128 : 1, blocks.count / 3)
    try withUnsafeBytes(of: p) {
      try enqueue(
        .attention, options: tiles.options(gpu: gpu, width: Int(p.width)),
        // Blocks first: a GPU takes few groups, 65,535, in any dimension but this.
        global: [count * items, Int(p.heads)], local: [items, 1], parameters: $0, [x, table, bias ?? x, y])
    }
  }
}
