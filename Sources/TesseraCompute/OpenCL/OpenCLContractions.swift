// SPDX-License-Identifier: Apache-2.0
internal import Kernels

extension OpenCLBackend {
  public func matmul(_ p: Matmul, _ a: Tensor, _ b: Tensor, bias: Tensor?, into c: Tensor) throws {
    let (digits, group) = (p.products.digits, p.sampleGroup)
    let p = try p.checked(a: a, b: b, c: c, bias: bias)
    guard p.batch > 0, p.m > 0, p.n > 0 else { return }
    if let digits, group > 0 { return try integerGroups(p, group: group, digits: digits, a, b, into: c) }
    if let digits { return try integerMatmul(p, digits: digits, a, b, bias: bias, into: c) }
    try gemm(.matmul, tsr_gemm_params(p), a, b, bias: bias ?? a, into: c)
  }

  public func squaredDistances(_ x: Tensor, points: Int, dims: Int, into d: Tensor) throws {
    try requireExtents("squaredDistances", points, dims)
    try requireExtents("squaredDistances", points, points)
    try require("squaredDistances", [(x, points * dims)], into: [(d, points * points)])
    guard points > 0 else { return }
    let p = Matmul(m: points, n: points, k: dims, transposeB: true)
    try gemm(.distances, tsr_gemm_params(tsr_matmul_params(p)), x, x, bias: x, into: d)
  }

  public func squaredDistances(
    _ x: Tensor, rows: Range<Int>, columns: Range<Int>, points: Int, dims: Int, into d: Tensor
  ) throws {
    try x.checkPoints("squaredDistances", rows, columns, points: points, dims: dims, distances: d)
    guard d.count > 0 else { return }
    var p = Matmul(m: rows.count, n: columns.count, k: dims, transposeB: true)
    (p.a.offset, p.b.offset) = (rows.lowerBound * dims, columns.lowerBound * dims)
    try gemm(.distances, tsr_gemm_params(tsr_matmul_params(p)), x, x, bias: x, into: d)
  }

  public func conv2d(_ p: Convolution, _ x: Tensor, _ w: Tensor, bias: Tensor?, into y: Tensor) throws {
    let convolution = p
    let p = try convolution.checked("conv2d", x: x, w: w, y: y, bias: bias, into: y)
    guard y.count > 0 else { return }
    if let digits = convolution.exactDigits {
      return try integerConv(p, isGradient: false, digits: digits, x, w, bias: bias, into: y)
    }
    if let parameters = convolution.winograd(.forward) {
      return try winograd(parameters, x, w, bias: bias, into: y)
    }
    let e = ConvExtents(p)
    var q = tsr_gemm_params(
      p, m: e.groupOut, k: e.groupIn * e.taps, pixels: e.outputPositions, source: e.groupIn * e.plane)
    q.gemm.bias = bias == nil ? 0 : Int32(TSR_BIAS_ROW)
    q.gemm.activation = p.activation
    q.bias_stride = q.gemm.m
    q.taps = tsr_taps_params(forward: p)
    (q.a_inner, q.a_outer_stride) = (Int32(e.taps), Int32(e.taps))
    try convolve(p, .forward, q, w, x, bias: bias ?? w, into: y)
  }

  public func conv2dGradData(_ p: Convolution, _ dy: Tensor, _ w: Tensor, into dx: Tensor) throws {
    let convolution = p
    let p = try convolution.checked("conv2dGradData", x: dx, w: w, y: dy, into: dx)
    guard dx.count > 0 else { return }
    if let digits = convolution.exactDigits {
      return try integerConv(p, isGradient: true, digits: digits, dy, w, bias: nil, into: dx)
    }
    if let parameters = convolution.winograd(.gradData) {
      return try winograd(parameters, dy, w, bias: nil, into: dx)
    }
    guard p.stride_h == 1, p.stride_w == 1 else {
      return try gradDataByPhase(p, dy, w, into: dx) { try gradData($0, $1, $2, into: $3) }
    }
    try gradData(p, dy, w, into: dx)
  }

  /// With stride 1: the taps of the output's gradient, the kernels' channels swapped.
  private func gradData(_ p: tsr_conv_params, _ dy: Tensor, _ w: Tensor, into dx: Tensor) throws {
    let e = ConvExtents(p)
    var q = tsr_gemm_params(
      p, m: e.groupIn, k: e.groupOut * e.taps, pixels: e.plane, source: e.groupOut * e.outputPositions)
    q.taps = tsr_taps_params(gradientOf: p)
    let swapped = PackedRows(
      inner: e.taps, innerStride: 1, outerStride: e.groupIn * e.taps, rowStride: e.taps, batch: Int(p.groups),
      batchStride: e.groupOut * e.groupIn * e.taps)
    try convolve(p, .gradData, q, w, dy, bias: w, into: dx, packing: swapped)
  }

  public func conv2dGradWeight(_ p: Convolution, _ x: Tensor, _ dy: Tensor, into dw: Tensor) throws {
    let convolution = p
    let p = try convolution.checked("conv2dGradWeight", x: x, w: dw, y: dy, into: dw)
    guard dw.count > 0 else { return }
    guard p.batch > 0, dy.count > 0 else { return try fill(dw, with: 0) }
    if let digits = convolution.exactDigits {
      return try integerGradWeight(p, digits: digits, x, dy, into: dw)
    }
    if let parameters = convolution.winograd(.gradWeight) {
      return try gradWeightWinograd(parameters, x, dy, into: dw)
    }
    let e = ConvExtents(p)
    let depth = e.groupIn * e.taps
    var m = Matmul(m: e.groupOut, n: depth, k: Int(p.batch) * e.outputPositions)
    (m.batch, m.c.batchStride) = (Int(p.groups), e.groupOut * depth)
    var q = tsr_gemm_params(tsr_matmul_params(m))
    q.gemm.b_batch_stride = Int32(e.groupIn * e.plane)
    q.taps = tsr_taps_params(forward: p)
    // A split for every group of samples; their results are added in ascending order (rule 6).
    q.split_k = Int32(min(Int(TSR_BATCH_GROUP), Int(p.batch)) * e.outputPositions)
    q.splits = (p.batch + Int32(TSR_BATCH_GROUP) - 1) / Int32(TSR_BATCH_GROUP)
    let gradients = PackedRows(
      inner: e.outputPositions, innerStride: 1, outerStride: Int(p.out_channels) * e.outputPositions,
      rowStride: e.outputPositions,
      batch: Int(p.groups), batchStride: e.groupOut * e.outputPositions)
    for algorithm in ConvSelection.candidates(.gradWeight, ConvShape(p, .gradWeight), on: target(q)) {
      switch algorithm {
      case .grouped:
        if try gradWeightGrouped(p, q, dy, x, into: dw) { return }
      case .blocked:
        if try gradWeightBlocked(q, dy, x, into: dw) { return }
      case .perOutput:
        return try gemm(.gradWeightPerOutput, q, dy, x, bias: x, into: dw, packing: gradients)
      case .pointwise, .implicitGEMM:
        return try gemm(.gradWeightImplicitGEMM, q, dy, x, bias: x, into: dw, packing: gradients)
      }
    }
  }

  /// A convolution, or its gradient for the data, by the first way of the table that suits and fits.
  private func convolve(
    _ p: tsr_conv_params, _ direction: ConvDirection, _ parameters: tsr_gemm_params, _ a: Tensor, _ b: Tensor,
    bias: Tensor, into c: Tensor, packing: PackedRows? = nil
  ) throws {
    var q = parameters
    for algorithm in ConvSelection.candidates(direction, ConvShape(p, direction), on: target(q)) {
      switch algorithm {
      case .grouped:
        if try convGrouped(q, a, b, bias: bias, into: c, packing: packing) { return }
      case .blocked:
        if try convBlocked(q, a, b, bias: bias, into: c, packing: packing) { return }
      case .perOutput:
        return try convPerOutput(q, a, b, bias: bias, into: c, packing: packing)
      case .pointwise:
        return try gemm(.matmul, q, a, b, bias: bias, into: c, packing: packing)
      case .implicitGEMM:
        if gpu { q.mergeImages() }
        return try gemm(.convImplicitGEMM, q, a, b, bias: bias, into: c, packing: packing)
      }
    }
  }

  private func target(_ q: tsr_gemm_params) -> ConvTarget {
    gpu ? .openCLGPU : .openCLCPU(panel: tiles(of: q).columns)
  }
}
