// SPDX-License-Identifier: Apache-2.0
internal import Kernels

/// Convolutions by fewer multiplications on GPUs: the transforms of `Kernels/conv/winograd_gpu.h` around
/// batched products, one for each point.
extension OpenCLBackend {
  /// A convolution, or its gradient for the data, in pieces of tiles.
  func winogradGPU(
    _ p: tsr_winograd_params, _ x: Tensor, _ w: Tensor, bias: Tensor?, into y: Tensor
  ) throws {
    let points = p.points * p.points, (channels, outputs) = (Int(p.channels), Int(p.outputs))
    let transform = {
      let u = try self.allocate([points, outputs, channels], .float32)
      try self.enqueue(.winogradPackGPU, p, p, [channels, outputs], [w, u])
      return u
    }
    try w.openCLStorage("conv2d", pool).prepared.use(
      PreparedWeights.Key(p, panel: 1), isKept: elements(points, outputs, channels) <= WinogradMemory.kept,
      prepare: transform
    ) { try pieces(p, x, $0 ?? transform(), bias: bias, into: y) }
  }

  /// The convolution of transformed kernels u.
  private func pieces(_ p: tsr_winograd_params, _ x: Tensor, _ u: Tensor, bias: Tensor?, into y: Tensor)
    throws
  {
    let points = p.points * p.points, (channels, outputs) = (Int(p.channels), Int(p.outputs))
    let most = min(whole(p.tiles), whole(max(1, WinogradMemory.pieces / (points * (channels + outputs)))))
    let v = try allocate([points, channels, most], .float32)
    let m = try allocate([points, outputs, most], .float32)
    var part = tsr_winograd_part_params()
    part.conv = p
    for first in stride(from: 0, to: p.tiles, by: most) {
      let count = min(most, whole(p.tiles - first))
      (part.first, part.count) = (Int32(first), Int32(count))
      try enqueue(.winogradInputGPU, part, p, [count, channels], [x, v])
      var product = Matmul(m: outputs, n: count, k: channels)
      product.chunk = Int(TSR_WINO_CHANNELS)
      product.batch = points
      (product.a.batchStride, product.b.batchStride) = (outputs * channels, channels * count)
      product.c.batchStride = outputs * count
      try gemm(.matmul, tsr_gemm_params(tsr_matmul_params(product)), u, v, bias: u, into: m)
      try enqueue(.winogradOutputGPU, part, p, [count, outputs], [m, bias ?? u, y])
    }
  }

  /// A gradient for the weights: groups of samples as parts of one product where several fit a piece, else
  /// one after the other, chunks of its tiles piece by piece.
  func gradWeightWinogradGPU(
    _ parameters: tsr_winograd_part_params, _ x: Tensor, _ dy: Tensor, into dw: Tensor
  ) throws {
    var part = parameters
    let p = part.conv, points = p.points * p.points, chunk = Int(TSR_WINO_TILES)
    let (channels, outputs, tiles) = (Int(p.channels), Int(p.outputs), p.tilesOfGroup)
    let fitting = max(1, WinogradMemory.pieces / (points * (channels + outputs)) / chunk) * chunk
    let together = min(p.groupsAtOnce(weights: points * outputs * channels), max(1, fitting / tiles))
    let most = together > 1 || tiles <= fitting ? min(p.tiles, together * tiles) : fitting
    let v = try allocate([points, channels, whole(most)], .float32)
    let d = try allocate([points, outputs, whole(most)], .float32)
    let s = try allocate([together, points, outputs, channels], .float32)
    for first in stride(from: 0, to: p.groups, by: together) {
      let groups = min(together, p.groups - first)
      let end = min(p.tiles, (first + groups) * tiles)
      for begin in stride(from: first * tiles, to: end, by: most) {
        let count = min(most, end - begin)
        let row = whole(count)
        (part.first, part.count) = (Int32(begin), Int32(row))
        try enqueue(.winogradInputGPU, part, p, [row, channels], [x, v])
        try enqueue(.winogradGradientGPU, part, p, [row, outputs], [dy, d])
        // Over the tiles that there are: +0 of others would make +0 of a sum of -0.
        var product = Matmul(m: outputs, n: channels, k: count, transposeB: true)
        product.chunk = chunk
        product.batch = points
        (product.a.rowStride, product.b.columnStride) = (row, row)
        (product.a.batchStride, product.b.batchStride) = (outputs * row, channels * row)
        product.c.batchStride = outputs * channels
        product.accumulates = begin > first * tiles
        try products(product, groups: groups, tiles: tiles, d, v, into: s)
      }
      (part.first, part.count) = (Int32(first), Int32(groups))
      try enqueue(.winogradTapsGPU, part, p, [channels, outputs], [s, dw])
    }
  }

  /// Tiles in whole vectors of four, which products load at once; those beyond the last are +0.
  private func whole(_ tiles: Int) -> Int { (tiles + 3) / 4 * 4 }

  /// The points' products over tiles, those of each group of samples apart.
  private func products(
    _ product: Matmul, groups: Int, tiles: Int, _ d: Tensor, _ v: Tensor, into s: Tensor
  ) throws {
    var q = tsr_gemm_params(tsr_matmul_params(product))
    guard groups > 1 else { return try gemm(.matmul, q, d, v, bias: d, into: s) }
    (q.splits, q.split_k) = (Int32(groups), Int32(tiles))
    q.c_split_stride = Int32(product.c.batchStride * product.batch)
    try gemmParts(.matmul, q, d, v, bias: d, into: s)
  }

  private func enqueue<P: KernelParameters>(
    _ kernel: Kernel, _ parameters: P, _ p: tsr_winograd_params, _ items: [Int], _ tensors: [Tensor]
  ) throws {
    try withUnsafeBytes(of: parameters) {
      try enqueue(
        kernel, options: " -DTSR_WINO_TAPS=\(p.taps)", global: [(items[0] + 63) / 64 * 64, items[1]],
        local: [64, 1], parameters: $0, tensors)
    }
  }
}
