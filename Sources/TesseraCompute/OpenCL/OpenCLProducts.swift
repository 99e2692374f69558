import Kernels

/// Products of a matrix with a matrix or with the taps of images: `Kernels/cl/product.h`.
extension OpenCLBackend {
  /// How a product's A lies in memory, if not by the strides of its parameters.
  struct PackedRows {
    /// k is (outer, inner): elements of one outer k, their stride, and that of the outer ones.
    var inner: Int, innerStride: Int, outerStride: Int
    var rowStride: Int
    /// Of products with operands of their own (groups), and the stride from one to the next.
    var batch: Int, batchStride: Int
  }

  /// Enqueues a product.
  ///
  /// - Parameters:
  ///   - kernel: family and name.
  ///   - parameters: the product and its taps; how it is split is filled in here.
  ///   - packing: how A lies in memory where two strides do not tell.
  func product(
    _ kernel: KernelName, _ parameters: tsr_product_params, _ a: Tensor, _ b: Tensor, bias: Tensor,
    into c: Tensor, packing: PackedRows? = nil
  ) throws {
    var (q, a) = (parameters, a)
    q.a_tile_stride = q.product.a_row_stride
    // A high tile wants its rows side by side; a low one reads six streams, each in its own cache lines.
    let sideBySide = !wide && (tiles.rows > 8 || q.product.a_col_stride != 1)
    if q.product.k > 0, packing != nil || sideBySide {
      a = try packed(&q, a, packing, tile: wide ? 1 : tiles.rows)
    }
    let parts = Int(q.product.batch) * Int(q.slices)
    let (m, n) = (Int(q.product.m), Int(q.product.n))
    let global: [Int]
    if wide {
      let (height, width) = (64 * tiles.rowBlocks, 64 * tiles.columnBlocks)
      global = [(n + width - 1) / width * 16, (m + height - 1) / height * 16, parts]
    } else {
      let panels = (n + 15) / 16
      q.rows = Int32(rowsOfItem(m, panels * parts))
      global = [panels, (m + Int(q.rows) - 1) / Int(q.rows), parts]
    }
    try withUnsafeBytes(of: q) {
      try enqueue(
        kernel.family, kernel.name, options: tiles.options(wide: wide), global: global,
        local: wide ? [16, 16, 1] : [1, 1, 1], parameters: $0, [a, b, bias, c])
    }
  }

  /// Enqueues a product with taps of few rows as direct sums, a work-item for an output on GPUs, for four rows else.
  func direct(
    _ parameters: tsr_product_params, _ a: Tensor, _ b: Tensor, bias: Tensor, into c: Tensor, packing: PackedRows?
  ) throws {
    var (q, a) = (parameters, a)
    if packing != nil, q.product.k > 0 { a = try packed(&q, a, packing, tile: 1) }
    let outputs = Int(q.product.batch) * Int(q.product.m) * Int(q.product.n)
    guard !wide else {
      return try launch(.item("conv", "tsr_conv_direct"), items: outputs, cost: Int(q.product.k), q, [a, b, bias, c])
    }
    try withUnsafeBytes(of: q) {
      try enqueue(
        "conv", "tsr_conv_direct", global: [(Int(q.product.m) + 3) / 4, Int(q.product.batch)], local: [1, 1],
        parameters: $0, [a, b, bias, c])
    }
  }

  /// Rows that a work-item runs down with its panel of B: many, so that packing the panel costs little, but so few that every
  /// core has work.
  private func rowsOfItem(_ m: Int, _ panels: Int) -> Int {
    let tile = tiles.rows
    let wanted = (4 * device.computeUnits + panels - 1) / panels
    let most = min(384, max(8 * tile, (m + wanted - 1) / wanted))
    let blocks = (m + most - 1) / most
    return ((m + blocks - 1) / blocks + tile - 1) / tile * tile
  }

  /// Copies A so that k is one stride: into panels of `tile` rows.
  private func packed(_ q: inout tsr_product_params, _ a: Tensor, _ packing: PackedRows?, tile: Int) throws
    -> Tensor
  {
    let p = q.product
    let from =
      packing
      ?? PackedRows(
        inner: Int(p.k), innerStride: Int(p.a_col_stride), outerStride: 0, rowStride: Int(p.a_row_stride),
        batch: p.a_batch_stride == 0 ? 1 : Int(q.groups), batchStride: Int(p.a_batch_stride))
    let (rows, k) = (Int(p.m), Int(p.k))
    let panels = (rows + tile - 1) / tile
    let y = try allocate([from.batch, panels * tile, k], .float32)
    let parameters = tsr_pack_params(
      batch: Int32(from.batch), rows: p.m, k: p.k, inner: Int32(from.inner), tile: Int32(tile),
      offset: p.a_offset, batch_stride: Int32(from.batchStride), row_stride: Int32(from.rowStride),
      outer_stride: Int32(from.outerStride), inner_stride: Int32(from.innerStride))
    let blocks = (k + Int(TSR_K_CHUNK) - 1) / Int(TSR_K_CHUNK)
    try launch(
      .row("matmul", "tsr_pack_rows"), items: from.batch * panels * blocks,
      cost: tile * min(k, Int(TSR_K_CHUNK)), parameters, [a, y])
    (q.product.a_offset, q.product.a_batch_stride) = (0, from.batch == 1 ? 0 : Int32(panels * tile * k))
    (q.product.a_row_stride, q.product.a_col_stride) = tile == 1 ? (p.k, 1) : (1, Int32(tile))
    q.a_tile_stride = p.k
    return y
  }
}

extension tsr_product_params {
  /// A product in one slice of k.
  init(_ p: MatmulParameters) {
    self.init()
    product = p
    (groups, slices, slice_k) = (max(1, p.batch), 1, p.k)
  }
}
