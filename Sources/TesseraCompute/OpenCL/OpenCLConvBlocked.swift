// SPDX-License-Identifier: Apache-2.0
internal import Kernels

/// Convolutions that make many channels, on CPU devices: `Kernels/conv/conv_blocked.cl`, which copies no
/// taps.
extension OpenCLBackend {
  /// A convolution, or its gradient for the data; false where its buffers would be too large.
  func convBlocked(
    _ q: tsr_gemm_params, _ a: Tensor, _ b: Tensor, bias: Tensor, into c: Tensor, packing: PackedRows?
  ) throws -> Bool {
    let tiles = tiles(of: q)
    guard var conv = tsr_conv_cpu_params(q, panel: tiles.columns, units: device.computeUnits),
      ConvLimits.bytes <= device.localMemory
    else { return false }
    let weights = try packed(a, of: q, packing, &conv.gemm, tile: tiles.columns)
    try enqueue(
      .convBlocked, tiles, conv,
      [conv.parts, conv.panelGroups(tiles.columns), Int(q.gemm.batch)],
      [weights, b, bias, c])
    return true
  }

  /// A gradient for the weights; false where its buffers would be too large.
  func gradWeightBlocked(_ q: tsr_gemm_params, _ dy: Tensor, _ x: Tensor, into dw: Tensor) throws -> Bool {
    let tiles = tiles(of: q)
    let (panel, products, splits) = (tiles.columns, Int(q.gemm.batch), Int(q.splits))
    guard let conv = tsr_conv_cpu_params(weightsOf: q, panel: panel), ConvLimits.bytes <= device.localMemory
    else { return false }
    let (panels, n) = ((Int(q.gemm.m) + panel - 1) / panel, Int(q.gemm.n))
    let sums = splits * products * panels * n * panel
    guard sums <= Self.partialSums else { return false }
    let parts = try allocate([sums], .float32)
    // Every work-item transposes the output's gradient for itself, so few large blocks of channels are best; but
    // two for every unit.
    let groups = conv.panelGroups(panel), items = groups * products * splits
    let blocks = min(Int(q.taps.channels), (2 * device.computeUnits + items - 1) / items)
    try enqueue(
      .gradWeightBlocked, tiles, conv, [blocks, groups, products * splits], [dy, x, x, parts])
    try enqueue(.reduceGradWeightBlocked, tiles, conv, [(n + 63) / 64, panels, products], [parts, x, dw])
    return true
  }

  func tiles(of q: tsr_gemm_params) -> GemmTiles {
    tuning.tiles(
      m: Int(q.gemm.m), n: Int(q.gemm.n), parts: Int(q.gemm.batch) * Int(q.splits),
      units: device.computeUnits, gpu: false)
  }

  func packed(
    _ a: Tensor, of q: tsr_gemm_params, _ packing: PackedRows?, _ gemm: inout tsr_matmul_params,
    tile: Int
  ) throws -> Tensor {
    var q = q
    let tensor = try packed(&q, a, packing, tile: tile)
    (gemm.a_offset, gemm.a_batch_stride) = (q.gemm.a_offset, q.gemm.a_batch_stride)
    return tensor
  }

  func enqueue(
    _ kernel: Kernel, _ tiles: GemmTiles, _ parameters: tsr_conv_cpu_params, _ global: [Int],
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
enum ConvLimits {
  static let planes = TSR_LOCAL_PLANES, sums = TSR_LOCAL_SUMS
  static let bytes =
    4 * (planes + 2 * Int(TSR_K_CHUNK) + Int(TSR_LOCAL_PANELS) * 32 * (Int(TSR_K_CHUNK) + 16))
  /// What a gradient for the weights of many groups takes, `high` outputs of a group at a time.
  static func weightBytes(_ high: Int) -> Int {
    let chunk = Int(TSR_K_CHUNK)
    return 4 * (Int(TSR_GROUPED_PLANES) + 16 * high * (chunk + 16) + 16 * chunk + 2 * chunk)
  }
  /// Floats after a plane, for vectors that end beyond it.
  static let slack = 16
}

extension tsr_conv_cpu_params {
  var taps2D: Int { Int(taps.kernel_h) * Int(taps.kernel_w) }
  var reach: (h: Int, w: Int) {
    (Int(taps.kernel_h - 1) * abs(Int(taps.step_h)), Int(taps.kernel_w - 1) * abs(Int(taps.step_w)))
  }
  /// Input rows that a chunk of pixels, of one sample after the other, meets at most: its pixels lie in so
  /// many rows of so many samples' outputs.
  var rowsOfChunk: Int {
    let width = Int(taps.out_w), outputPositions = Int(taps.out_h) * width,
      chunk = min(Int(TSR_K_CHUNK), Int(split_k))
    let (lines, samples) = ((chunk - 2) / width + 2, (chunk - 2) / outputPositions + 2)
    return lines * Int(taps.stride_h) + samples * max(0, reach.h + 1 - Int(taps.stride_h))
  }
  /// Parts of an image's pixels.
  var parts: Int {
    ((Int(taps.out_h) + Int(rows) - 1) / Int(rows))
      * ((Int(taps.out_w) + Int(columns) - 1) / Int(columns))
  }
  /// Groups of panels that a work-item takes.
  func panelGroups(_ panel: Int) -> Int {
    let all = (Int(gemm.m) + panel - 1) / panel
    return (all + Int(panels) - 1) / Int(panels)
  }

  init(part q: tsr_gemm_params) {
    self.init()
    (gemm, taps, groups, bias_stride, split_k) = (q.gemm, q.taps, q.groups, q.bias_stride, q.split_k)
  }

  /// Forward or for the data; nil where planes are too large.
  init?(_ q: tsr_gemm_params, panel: Int, units: Int) {
    self.init(part: q)
    let (strideH, strideW) = (Int(taps.stride_h), Int(taps.stride_w))
    let (height, width) = (Int(taps.out_h), Int(taps.out_w))
    // Channels that a chunk of k reaches in.
    let channels = min(Int(taps.channels), (Int(TSR_K_CHUNK) - 2) / taps2D + 2)
    var best: (cost: Double, rows: Int, columns: Int)?
    for pieces in 1...max(1, min(16, width / 8)) {
      let columns = (width + pieces - 1) / pieces
      let pitch = (columns + reach.w / strideW) * strideW
      let most = ConvLimits.planes / channels - ConvLimits.slack
      // Half of the sums: so that there is room for two panels.
      let held = min(
        (most / pitch - reach.h - 1) / strideH + 1, ConvLimits.sums / 2 / panel / columns, height)
      guard most / pitch > reach.h, held > 0 else { continue }
      let bands = (height + held - 1) / held, rows = (height + bands - 1) / bands
      // What is copied for an output; a row's begin costs as much as two vectors.
      let copied = ((rows - 1) * strideH + reach.h + 1) * strideW * ((pitch / strideW + 15) / 16 + 2)
      let cost = Double(copied) / Double(rows * columns)
      if cost < best?.cost ?? .infinity { best = (cost, rows, columns) }
    }
    guard let best else { return nil }
    (rows, columns) = (Int32(best.rows), Int32(best.columns))
    let all = (Int(gemm.m) + panel - 1) / panel
    panels = Int32(min(all, ConvLimits.sums / (best.rows * best.columns * panel)))
    // Two work-items for every unit, if there are parts enough.
    while panels > 1, parts * panelGroups(panel) * Int(gemm.batch) < 2 * units { panels -= 1 }
    while rows > 1, parts * panelGroups(panel) * Int(gemm.batch) < 2 * units { rows = (rows + 1) / 2 }
    phase = columns + Int32(reach.w / strideW)
    plane_rows = (rows - 1) * taps.stride_h + Int32(reach.h) + 1
  }

  /// The gradient for weights; nil where planes are too large.
  init?(weightsOf q: tsr_gemm_params, panel: Int) {
    self.init(part: q)
    plane_rows = Int32(clamping: rowsOfChunk)
    phase = taps.out_w + Int32(reach.w) / taps.stride_w
    let plane = Int(plane_rows) * Int(phase * taps.stride_w) + ConvLimits.slack
    let all = (Int(gemm.m) + panel - 1) / panel
    // Where taps are pixels, images are read where they lie: there are no planes.
    let points =
      taps2D == 1 && taps.stride_h == 1 && taps.height == taps.out_h && taps.width == taps.out_w
    channels = points ? taps.channels : Int32(min(Int(taps.channels), ConvLimits.planes / plane))
    guard channels > 0 else { return nil }
    panels = Int32(min(all, Int(TSR_LOCAL_PANELS)))
  }
}
