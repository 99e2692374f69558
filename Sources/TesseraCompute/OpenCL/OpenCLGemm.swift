// SPDX-License-Identifier: Apache-2.0
internal import Kernels

/// Products of a matrix with a matrix or with the taps of images: `Kernels/gemm/gemm.h`.
extension OpenCLBackend {
  /// The most sums of parts that are kept before they are added up.
  static let partialSums = 16 << 20

  /// Enqueues a product.
  ///
  /// - Parameters:
  ///   - kernel: family and name.
  ///   - parameters: the product, its taps and splits; how it is split among work-groups is filled in here.
  ///   - packing: how A lies in memory where two strides do not tell.
  @inline(never)
  func gemm(
    _ kernel: Kernel, _ parameters: tsr_gemm_params, _ a: Tensor, _ b: Tensor, bias: Tensor,
    into c: Tensor, packing: PackedRows? = nil
  ) throws {
    var (q, a) = (parameters, a)
    let (m, n, k) = (Int(q.gemm.m), Int(q.gemm.n), Int(q.gemm.k))
    // What a small GPU has at least; so CPU devices try the splits of a large one too.
    let units = gpu ? max(32, device.computeUnits) : device.computeUnits
    let products = Int(q.gemm.batch)
    let outputs = m * n * products
    if gpu {
      q.useStridedA(packing)
      // A convolution per output takes a work-item for each of its chunks too.
      q.splitByChunk(
        fewer: kernel.isRow ? units : .max, atMost: Self.partialSums / outputs)
    }
    let tiles = tuning.tiles(
      m: m, n: n, parts: products * Int(q.splits), units: units, gpu: gpu)
    if !gpu { q.a_tile_stride = q.gemm.a_row_stride }
    // A high tile wants its rows side by side; a low one reads six streams, each in its own cache lines.
    if !gpu, k > 0, packing != nil || tiles.rows > 8 || q.gemm.a_col_stride != 1 {
      a = try packed(&q, a, packing, tile: tiles.rows)
    }
    try summed(q, bias: bias, into: c) { try enqueue(kernel, $0, tiles, a, b, bias, $1) }
  }

  /// Enqueues a product, or the parts that its splits are and the sum of these.
  ///
  /// - Parameter enqueue: of a product with some of the splits, into what.
  func summed(
    _ parameters: tsr_gemm_params, bias: Tensor, into c: Tensor,
    _ enqueue: (tsr_gemm_params, Tensor) throws -> Void
  ) throws {
    var q = parameters
    guard q.splits > 1 else { return try enqueue(q, c) }
    let (m, n) = (Int(q.gemm.m), Int(q.gemm.n))
    let outputs = m * n * Int(q.gemm.batch)
    let together = Int(q.chunks)
    let (splits, most) = (
      Int(q.splits), max(together > 1 ? 1 : 2, Self.partialSums / outputs / together) * together
    )
    let parts = try allocate([min(splits, most), outputs], .float32)
    var whole = q
    q.c_image = 0  // parts lie side by side
    for first in stride(from: 0, to: splits, by: most) {
      (q.first, q.splits, q.c_split_stride) = (Int32(first), Int32(min(most, splits - first)), Int32(outputs))
      (q.gemm.c_offset, q.gemm.c_row_stride, q.gemm.c_batch_stride) = (0, Int32(n), Int32(m * n))
      (q.gemm.bias, q.gemm.activation, q.gemm.accumulate) = (0, 0, 0)
      try enqueue(q, parts)
      (whole.first, whole.splits, whole.chunks) = (q.first, q.splits, q.chunks)
      (whole.split_k, whole.c_split_stride) = (q.split_k, q.c_split_stride)
      var sum = whole
      if first > 0 { sum.gemm.accumulate = 1 }
      // Bias and activation follow the whole sum.
      if first + most < splits { (sum.gemm.bias, sum.gemm.activation) = (0, 0) }
      try launch(
        .splitKReduce, items: outputs, cost: Int(q.splits), sum, [parts, bias, c])
    }
  }

  /// Enqueues the parts that a product's splits are, on a GPU, into `c`, where they stay apart.
  func gemmParts(
    _ kernel: Kernel, _ q: tsr_gemm_params, _ a: Tensor, _ b: Tensor, bias: Tensor, into c: Tensor
  ) throws {
    let tiles = tuning.tiles(
      m: Int(q.gemm.m), n: Int(q.gemm.n), parts: Int(q.gemm.batch) * Int(q.splits),
      units: max(32, device.computeUnits), gpu: true)
    try enqueue(kernel, q, tiles, a, b, bias, c)
  }

  private func enqueue(
    _ kernel: Kernel, _ parameters: tsr_gemm_params, _ tiles: GemmTiles, _ a: Tensor, _ b: Tensor,
    _ bias: Tensor, _ c: Tensor
  ) throws {
    var q = parameters
    let parts = Int(q.gemm.batch) * Int(q.splits)
    let (m, n) = (Int(q.gemm.m), Int(q.gemm.n))
    guard kernel.isRow else {
      return try launch(kernel, items: m * n * parts, cost: Int(q.split_k), q, [a, b, bias, c])
    }
    let global: [Int]
    if gpu {
      let (height, width) = (tiles.height, tiles.width)
      global = [(n + width - 1) / width * 16, (m + height - 1) / height * tiles.itemRows, parts]
    } else {
      let panels = (n + tiles.columns - 1) / tiles.columns
      let rows = rowsOfItem(m, panels * parts, tiles)
      q.rows = Int32(rows)
      global = [panels, (m + rows - 1) / rows, parts]
    }
    try withUnsafeBytes(of: q) {
      try enqueue(
        kernel,
        options: tiles.options(gpu: gpu)
          + (gpu ? q.vectorLoads(tiles, taps: kernel.family == "implicit_gemm") : ""),
        global: global,
        local: gpu ? [16, tiles.itemRows, 1] : [1, 1, 1], parameters: $0, [a, b, bias, c])
    }
  }

  /// Rows that a work-item runs down with its panel of B: many, so that packing the panel costs little, but
  /// so few that every core has work, and as many for each.
  private func rowsOfItem(_ m: Int, _ panels: Int, _ tiles: GemmTiles) -> Int {
    let tile = tiles.rows
    let wanted = (4 * device.computeUnits + panels - 1) / panels
    let most = min(tiles.rowsOfItem, max(8 * tile, (m + wanted - 1) / wanted))
    let blocks = (m + most - 1) / most
    return ((m + blocks - 1) / blocks + tile - 1) / tile * tile
  }

  /// Enqueues a convolution with few output channels on a GPU, one output a work-item
  /// (`tsr_conv_per_output`).
  func convPerOutput(
    _ parameters: tsr_gemm_params, _ a: Tensor, _ b: Tensor, bias: Tensor, into c: Tensor,
    packing: PackedRows?
  ) throws {
    var q = parameters
    q.useStridedA(packing)
    let outputs = Int(q.gemm.batch) * Int(q.gemm.m) * Int(q.gemm.n)
    try launch(
      .convPerOutput, items: outputs, cost: Int(q.gemm.k), q, [a, b, bias, c])
  }
}

extension tsr_gemm_params {
  /// A product in one split of k.
  init(_ p: tsr_matmul_params) {
    self.init()
    gemm = p
    (groups, splits, chunks, split_k) = (max(1, p.batch), 1, 1, p.k)
    a_inner = max(1, p.k)
  }

  /// On GPUs, where A lies in memory, by the packing that a CPU device would want; else, with taps, the rows as
  /// they are.
  mutating func useStridedA(_ packing: PackedRows?) {
    guard let packing else { return }
    gemm.a_batch_stride = packing.batch > 1 ? Int32(packing.batchStride) : 0
    gemm.a_row_stride = Int32(packing.rowStride)
    // One of one inner is one stride alone, which matrix products read too.
    gemm.a_col_stride = Int32(packing.inner > 1 ? packing.innerStride : packing.outerStride)
    (a_inner, a_outer_stride) = (Int32(packing.inner), Int32(packing.outerStride))
  }

  /// Makes each chunk of k a part of its own where the outputs fill fewer compute units than a GPU has.
  mutating func splitByChunk(fewer units: Int, atMost parts: Int) {
    let groups = Int((gemm.m + 127) / 128 * ((gemm.n + 127) / 128) * gemm.batch * splits)
    let count = Int((split_k + gemm.chunk - 1) / max(1, gemm.chunk))
    guard count > 1, groups < units, count <= max(parts, 16) else { return }
    if splits == 1 {
      (splits, split_k) = (Int32(count), gemm.chunk)
    } else {
      chunks = Int32(count)
      splits *= chunks
    }
  }

  /// On GPUs: what kernels are built with where operands can be read four at a time, along the direction in
  /// which they lie side by side, because all lines begin on borders of 16 bytes.
  func vectorLoads(_ tiles: GemmTiles, taps: Bool) -> String {
    guard tiles.loadsVec4 else { return "" }
    func whole(_ values: Int32...) -> Bool { values.allSatisfy { $0 % 4 == 0 } }
    let p = gemm
    let ofK = whole(p.k) && (splits == 1 || whole(split_k)) && (p.k <= p.chunk || whole(p.chunk))
    var options = ""
    if whole(p.a_offset, p.a_batch_stride) {
      let row = a_inner == a_outer_stride || whole(a_inner, a_outer_stride)
      if p.a_col_stride == 1, ofK, whole(p.a_row_stride), !taps || row {
        options += " -DTSR_VECTOR_LOAD_A=1"
      } else if !taps, p.a_row_stride == 1, whole(p.m, p.a_col_stride) {
        options += " -DTSR_VECTOR_LOAD_A=2"
      }
    }
    if !taps, whole(p.b_offset, p.b_batch_stride) {
      if p.b_col_stride == 1, whole(p.n, p.b_row_stride) {
        options += " -DTSR_VECTOR_LOAD_B=2"
      } else if p.b_row_stride == 1, ofK, whole(p.b_col_stride) {
        options += " -DTSR_VECTOR_LOAD_B=1"
      }
    }
    return options
  }
}
