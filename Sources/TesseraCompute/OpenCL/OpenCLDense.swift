// SPDX-License-Identifier: Apache-2.0
import Kernels

/// Convolutions that make many channels, on CPU devices: `Kernels/cl/dense.cl`, which copies no taps.
extension OpenCLBackend {
  /// A convolution, or its gradient for the data; false where the general way is better.
  func dense(
    _ q: tsr_product_params, _ a: Tensor, _ b: Tensor, bias: Tensor, into c: Tensor, packing: PackedRows?
  ) throws -> Bool {
    let tiles = tiles(of: q)
    guard var dense = tsr_dense_params(q, panel: tiles.columns, units: device.computeUnits),
      DenseLimits.bytes <= device.localMemory
    else { return false }
    let weights = try packed(a, of: q, packing, &dense.product, tile: tiles.columns)
    try enqueue(
      .denseConv, tiles, dense,
      [dense.parts, dense.panelGroups(tiles.columns), Int(q.product.batch)],
      [weights, b, bias, c])
    return true
  }

  /// A gradient for the weights; false where the general way is better.
  func denseWeight(_ q: tsr_product_params, _ dy: Tensor, _ x: Tensor, into dw: Tensor) throws -> Bool {
    let tiles = tiles(of: q)
    let (panel, products, slices) = (tiles.columns, Int(q.product.batch), Int(q.slices))
    guard let dense = tsr_dense_params(weightsOf: q, panel: panel), DenseLimits.bytes <= device.localMemory
    else { return false }
    let (panels, n) = ((Int(q.product.m) + panel - 1) / panel, Int(q.product.n))
    let sums = slices * products * panels * n * panel
    guard sums <= Self.partialSums else { return false }
    let parts = try allocate([sums], .float32)
    // Every work-item turns the output's gradient for itself, so few large blocks of channels are best; but two for every unit.
    let groups = dense.panelGroups(panel), items = groups * products * slices
    let blocks = min(Int(q.taps.channels), (2 * device.computeUnits + items - 1) / items)
    try enqueue(
      .denseWeight, tiles, dense, [blocks, groups, products * slices], [dy, x, x, parts])
    try enqueue(.denseSum, tiles, dense, [(n + 63) / 64, panels, products], [parts, x, dw])
    return true
  }

  func tiles(of q: tsr_product_params) -> ProductTiles {
    tuning.tiles(
      m: Int(q.product.m), n: Int(q.product.n), parts: Int(q.product.batch) * Int(q.slices),
      units: device.computeUnits, wide: false)
  }

  func packed(
    _ a: Tensor, of q: tsr_product_params, _ packing: PackedRows?, _ product: inout tsr_matmul_params,
    tile: Int
  ) throws -> Tensor {
    var q = q
    let tensor = try packed(&q, a, packing, tile: tile)
    (product.a_offset, product.a_batch_stride) = (q.product.a_offset, q.product.a_batch_stride)
    return tensor
  }

  func enqueue(
    _ kernel: Kernel, _ tiles: ProductTiles, _ parameters: tsr_dense_params, _ global: [Int],
    _ tensors: [Tensor], options: String = ""
  ) throws {
    try withUnsafeBytes(of: parameters) {
      try enqueue(
        kernel, options: " -DTSR_VECTORS=\(tiles.columns / 16)" + options, global: global,
        local: [1, 1, 1],
        parameters: $0, tensors)
    }
  }
}

/// What a work-item keeps in local memory.
enum DenseLimits {
  static let planes = TSR_LOCAL_PLANES, sums = TSR_LOCAL_SUMS
  static let bytes =
    4 * (planes + 2 * Int(TSR_K_CHUNK) + Int(TSR_LOCAL_PANELS) * 32 * (Int(TSR_K_CHUNK) + 16))
  /// What a gradient for the weights of many groups takes, `high` outputs of a group at a time.
  static func weightBytes(_ high: Int) -> Int {
    let chunk = Int(TSR_K_CHUNK)
    return 4 * (Int(TSR_DIRECT_PLANES) + 16 * high * (chunk + 16) + 16 * chunk + 2 * chunk)
  }
  /// Floats after a plane, for vectors that end beyond it.
  static let slack = 16
}

extension tsr_dense_params {
  var taps2D: Int { Int(taps.kernel_h) * Int(taps.kernel_w) }
  var reach: (h: Int, w: Int) {
    (Int(taps.kernel_h - 1) * abs(Int(taps.step_h)), Int(taps.kernel_w - 1) * abs(Int(taps.step_w)))
  }
  /// Input rows that a chunk of places, of one sample after the other, meets at most: its places lie in so many rows of so many
  /// samples' outputs.
  var rowsOfChunk: Int {
    let width = Int(taps.places_w), spots = Int(taps.places_h) * width,
      chunk = min(Int(TSR_K_CHUNK), Int(slice_k))
    let (lines, samples) = ((chunk - 2) / width + 2, (chunk - 2) / spots + 2)
    return lines * Int(taps.stride_h) + samples * max(0, reach.h + 1 - Int(taps.stride_h))
  }
  /// Parts of an image's places.
  var parts: Int {
    ((Int(taps.places_h) + Int(rows) - 1) / Int(rows))
      * ((Int(taps.places_w) + Int(columns) - 1) / Int(columns))
  }
  /// Groups of panels that a work-item takes.
  func panelGroups(_ panel: Int) -> Int {
    let all = (Int(product.m) + panel - 1) / panel
    return (all + Int(panels) - 1) / Int(panels)
  }

  init(part q: tsr_product_params) {
    self.init()
    (product, taps, groups, bias_stride, slice_k) = (q.product, q.taps, q.groups, q.bias_stride, q.slice_k)
  }

  private init?(common q: tsr_product_params, panel: Int) {
    self.init(part: q)
    let padded = (Int(product.m) + panel - 1) / panel * panel
    // Lanes that stay empty are at most a fifth.
    guard padded * 4 <= Int(product.m) * 5, taps.places_w >= 4, product.k > 0, product.n > 0 else {
      return nil
    }
  }

  /// Forward or for the data; nil where panels of channels would stay empty or planes are too large.
  init?(_ q: tsr_product_params, panel: Int, units: Int) {
    self.init(common: q, panel: panel)
    guard product.k >= 16 else { return nil }
    let (strideH, strideW) = (Int(taps.stride_h), Int(taps.stride_w))
    let (height, width) = (Int(taps.places_h), Int(taps.places_w))
    // Channels that a chunk of k reaches in.
    let channels = min(Int(taps.channels), (Int(TSR_K_CHUNK) - 2) / taps2D + 2)
    var best: (cost: Double, rows: Int, columns: Int)?
    for pieces in 1...max(1, min(16, width / 8)) {
      let columns = (width + pieces - 1) / pieces
      let pitch = (columns + reach.w / strideW) * strideW
      let most = DenseLimits.planes / channels - DenseLimits.slack
      // Half of the sums: so that there is room for two panels.
      let held = min(
        (most / pitch - reach.h - 1) / strideH + 1, DenseLimits.sums / 2 / panel / columns, height)
      guard most / pitch > reach.h, held > 0 else { continue }
      let bands = (height + held - 1) / held, rows = (height + bands - 1) / bands
      // What is copied for an output; a row's begin costs as much as two vectors.
      let copied = ((rows - 1) * strideH + reach.h + 1) * strideW * ((pitch / strideW + 15) / 16 + 2)
      let cost = Double(copied) / Double(rows * columns)
      if cost < best?.cost ?? .infinity { best = (cost, rows, columns) }
    }
    guard let best else { return nil }
    (rows, columns) = (Int32(best.rows), Int32(best.columns))
    let all = (Int(product.m) + panel - 1) / panel
    panels = Int32(min(all, DenseLimits.sums / (best.rows * best.columns * panel)))
    // Two work-items for every unit, if there are parts enough.
    while panels > 1, parts * panelGroups(panel) * Int(product.batch) < 2 * units { panels -= 1 }
    while rows > 1, parts * panelGroups(panel) * Int(product.batch) < 2 * units { rows = (rows + 1) / 2 }
    phase = columns + Int32(reach.w / strideW)
    plane_rows = (rows - 1) * taps.stride_h + Int32(reach.h) + 1
  }

  /// The gradient for weights; nil where panels of channels would stay empty, taps have gaps, or planes are too large.
  init?(weightsOf q: tsr_product_params, panel: Int) {
    self.init(common: q, panel: panel)
    guard taps.step_w == 1, taps.stride_w <= 8, taps.kernel_w > 1 || taps.stride_w == 1 else { return nil }
    plane_rows = Int32(clamping: rowsOfChunk)
    phase = taps.places_w + Int32(reach.w) / taps.stride_w
    let plane = Int(plane_rows) * Int(phase * taps.stride_w) + DenseLimits.slack
    let all = (Int(product.m) + panel - 1) / panel
    // Where taps are places, images are read where they lie: there are no planes.
    let points =
      taps2D == 1 && taps.stride_h == 1 && taps.height == taps.places_h && taps.width == taps.places_w
    channels = points ? taps.channels : Int32(min(Int(taps.channels), DenseLimits.planes / plane))
    guard channels > 0 else { return nil }
    panels = Int32(min(all, Int(TSR_LOCAL_PANELS)))
  }
}
