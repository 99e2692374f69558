// SPDX-License-Identifier: Apache-2.0
internal import Kernels

/// Convolutions that make few channels, on CPU devices: `Kernels/conv/conv_grouped.cl`.
extension OpenCLBackend {
  /// A convolution, or its gradient for the data; false where its buffers would be too large.
  func convGrouped(
    _ q: tsr_gemm_params, _ a: Tensor, _ b: Tensor, bias: Tensor, into c: Tensor, packing: PackedRows?
  ) throws -> Bool {
    guard var conv = tsr_conv_cpu_params(groupedOf: q, units: device.computeUnits),
      ConvLimits.bytes <= device.localMemory
    else { return false }
    let tile = min(4, Int(q.gemm.m)), batch = Int(q.gemm.batch)
    let weights = try packed(a, of: q, packing, &conv.gemm, tile: tile)
    let images = (batch + Int(conv.images) - 1) / Int(conv.images)
    try enqueue(
      .convGrouped, tiles(of: q), conv, [conv.parts, conv.panelGroups(tile), images],
      [weights, b, bias, c], options: " -DTSR_OUTPUTS_PER_TILE=\(tile)")
    return true
  }

  /// A gradient for the weights of many groups of few channels; false where its buffers would be too large.
  func gradWeightGrouped(
    _ p: tsr_conv_params, _ q: tsr_gemm_params, _ dy: Tensor, _ x: Tensor, into dw: Tensor
  ) throws -> Bool {
    let e = ConvExtents(p)
    let high = e.groupOut % 4 == 0 && tiles(of: q).columns == 32 ? 4 : e.groupOut % 2 == 0 ? 2 : 1
    guard var conv = tsr_conv_cpu_params(groupedWeightsOf: q),
      ConvLimits.weightBytes(high) <= device.localMemory
    else { return false }
    // Rows of the result are groups, its columns a group's weights.
    let n = e.groupOut * e.groupIn * e.taps
    var sums = q
    (sums.groups, sums.gemm.batch, sums.gemm.c_batch_stride) = (1, 1, 0)
    (sums.gemm.m, sums.gemm.n, sums.gemm.c_row_stride) = (p.groups, Int32(n), Int32(n))
    try summed(sums, bias: x, into: dw) { part, target in
      conv.gemm = part.gemm
      (conv.first, conv.c_split_stride) = (part.first, part.c_split_stride)
      try enqueue(
        .gradWeightGrouped, tiles(of: q), conv,
        [
          (Int(p.groups) + 15) / 16, (e.groupIn + Int(conv.channels) - 1) / Int(conv.channels),
          Int(part.splits),
        ],
        [dy, x, x, target], options: " -DTSR_OUTPUTS_PER_TILE=\(high)")
    }
    return true
  }
}

extension tsr_conv_cpu_params {
  /// Forward or for the data; nil where planes are too large.
  init?(groupedOf q: tsr_gemm_params, units: Int) {
    self.init(part: q)
    let (m, k) = (Int(gemm.m), Int(gemm.k))
    let (strideH, strideW) = (Int(taps.stride_h), Int(taps.stride_w))
    let (height, width) = (Int(taps.out_h), Int(taps.out_w))
    let tile = min(4, m), blocks = (m + tile - 1) / tile, inputs = Int(taps.channels)
    var best: (cost: Double, rows: Int, columns: Int, channels: Int, work: Int)?
    for pieces in 1...max(1, min(16, width / 8)) {
      let columns = (width + pieces - 1) / pieces, pitch = columns + reach.w / strideW
      for parts in 1...min(16, inputs) {
        let channels = (inputs + parts - 1) / parts, planes = channels * strideH * strideW
        // Blocks whose chains and sums wait for more of k.
        let held = parts == 1 && k <= TSR_K_CHUNK ? 1 : k <= TSR_K_CHUNK ? blocks : 2 * blocks
        let most = min(
          (ConvLimits.planes / planes - ConvLimits.slack) / pitch - reach.h / strideH,
          (ConvLimits.sums / tile / held - ConvLimits.slack) / pitch, height)
        guard most > 0 else { continue }
        let bands = (height + most - 1) / most, rows = (height + bands - 1) / bands
        // Vectors: fused products, chains kept and gone on with, and what is copied (as much as four of
        // them each; a row's begin is more where the rows do not follow each other).
        let vectors = ((rows - 1) * pitch + columns + 15) / 16
        let copied =
          inputs * strideH * strideW * (rows + reach.h / strideH)
          * ((pitch + 15) / 16 + (pieces == 1 ? 2 : 6))
        let work = m * vectors * (k + 4 * parts) + 4 * copied
        let cost = Double(work) / Double(rows * columns)
        if cost < best?.cost ?? .infinity { best = (cost, rows, columns, channels, work) }
      }
    }
    guard let best else { return nil }
    (rows, columns, channels, panels) = (
      Int32(best.rows), Int32(best.columns), Int32(best.channels), Int32(blocks)
    )
    // So many images that starting a work-item does not count, but two work-items for every unit.
    let batch = Int(gemm.batch)
    images = Int32(max(1, min(200_000 / best.work, batch * parts / (4 * units))))
    while panels > 1, parts * panelGroups(tile) * ((batch + Int(images) - 1) / Int(images)) < 2 * units {
      panels = (panels + 1) / 2
    }
    phase = columns + Int32(reach.w / strideW)
    plane_rows = rows + Int32(reach.h / strideH)
  }

  /// The gradient for weights of many groups; nil where planes are too large.
  init?(groupedWeightsOf q: tsr_gemm_params) {
    self.init(part: q)
    let outputs = Int(gemm.m)
    // Sums of so many inputs fit local memory.
    channels = Int32(min(Int(taps.channels), Int(TSR_K_CHUNK) / (outputs * taps2D)))
    plane_rows = Int32(clamping: rowsOfChunk)
    phase = (taps.out_w - 1) * taps.stride_w + Int32(reach.w) + 1
    guard Int(plane_rows) * Int(phase) * 16 <= TSR_GROUPED_PLANES else { return nil }
  }
}
