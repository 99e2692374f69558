// SPDX-License-Identifier: Apache-2.0
internal import Kernels

extension CPUBackend {
  public func matmul(_ p: Matmul, _ a: Tensor, _ b: Tensor, bias: Tensor?, into c: Tensor) throws {
    let (digits, group) = (p.products.digits, p.sampleGroup)
    let p = try p.checked(a: a, b: b, c: c, bias: bias)
    guard p.batch > 0, p.m > 0, p.n > 0 else { return }
    if let digits, group > 0 { return try integerGroups(p, group: group, digits: digits, a, b, into: c) }
    if let digits { return try integerMatmul(p, digits: digits, a, b, bias: bias, into: c) }
    var plan = tsr_gemm_plan()
    (plan.m, plan.n, plan.k, plan.chunk, plan.k_group) = (p.m, p.n, p.k, p.chunk, max(1, p.k))
    (plan.outer, plan.inner) = (p.batch, 1)
    plan.a = UnsafePointer(try a.cpu("matmul").pointer + Int(p.a_offset))
    (plan.a_row, plan.k_inner_stride, plan.k_inner) = (
      Int64(p.a_row_stride), Int64(p.a_col_stride), Int64(max(1, p.k))
    )
    plan.a_outer = Int64(p.a_batch_stride)
    plan.b_kind = Int32(TSR_B_STRIDED)
    let weights = try b.cpuStorage("matmul")
    plan.b = UnsafePointer(weights.pointer.assumingMemoryBound(to: Float.self) + Int(p.b_offset))
    (plan.b_row, plan.b_col) = (Int64(p.b_row_stride), Int64(p.b_col_stride))
    plan.b_outer = Int64(p.b_batch_stride)
    plan.c = try c.cpu("matmul").pointer + Int(p.c_offset)
    (plan.c_row, plan.c_outer) = (Int64(p.c_row_stride), Int64(p.c_batch_stride))
    plan.bias = UnsafePointer(try bias.map { try $0.cpu("matmul").pointer + Int(p.bias_offset) })
    (plan.bias_kind, plan.activation, plan.accumulate) = (p.bias, p.activation, p.accumulate)
    let sharesA = p.batch == 1 || p.a_batch_stride == 0
    guard p.batch == 1, keepsPackedB(&plan) else {
      return try run(&plan, sharedA: sharesA)
    }
    try weights.prepared.use(.init(p, panel: kernels.tile_columns), isKept: true) {
      try packedB(&plan)
    } _: { packed in
      plan.packed_b = try packed?.cpu("matmul").pointer
      try run(&plan, sharedA: sharesA)
    }
  }

  public func conv2d(_ p: Convolution, _ x: Tensor, _ w: Tensor, bias: Tensor?, into y: Tensor) throws {
    let convolution = p
    let p = try convolution.checked("conv2d", x: x, w: w, y: y, bias: bias, into: y)
    guard y.count > 0 else { return }
    if let digits = convolution.exactDigits {
      return try integerConv("conv2d", p, isGradient: false, digits: digits, x, w, bias: bias, into: y)
    }
    if let parameters = convolution.winograd(.forward) {
      return try winograd("conv2d", parameters, x, w, bias: bias, into: y)
    }
    if try special("conv2d", .forward, p, x, w, bias: bias, into: y) { return }
    let e = ConvExtents(p)
    var plan = tsr_gemm_plan()
    (plan.m, plan.n, plan.k) = (Int32(e.groupOut), Int32(e.outputPositions), Int32(e.groupIn * e.taps))
    (plan.chunk, plan.k_group) = (TSR_K_CHUNK, max(1, plan.k))
    (plan.outer, plan.inner) = (p.batch, p.groups)
    plan.a = UnsafePointer(try w.cpu("conv2d").pointer)
    (plan.a_row, plan.k_inner_stride, plan.k_inner) = (Int64(plan.k), 1, Int64(max(1, plan.k)))
    plan.a_inner = Int64(e.groupOut) * Int64(plan.k)
    plan.b_kind = Int32(p.isPointwise ? TSR_B_STRIDED : TSR_B_CONV)
    (plan.b_row, plan.b_col) = (Int64(e.outputPositions), 1)
    plan.b = UnsafePointer(try x.cpu("conv2d").pointer)
    (plan.b_outer, plan.b_inner) = (Int64(Int(p.in_channels) * e.plane), Int64(e.groupIn * e.plane))
    plan.conv = p
    plan.c = try y.cpu("conv2d").pointer
    (plan.c_row, plan.c_outer) = (Int64(e.outputPositions), Int64(Int(p.out_channels) * e.outputPositions))
    plan.c_inner = Int64(e.groupOut * e.outputPositions)
    plan.bias = UnsafePointer(try bias?.cpu("conv2d").pointer)
    plan.bias_inner = Int64(e.groupOut)
    plan.bias_kind = bias == nil ? 0 : Int32(TSR_BIAS_ROW)
    plan.activation = p.activation
    try run(&plan, sharedA: true)
  }

  public func conv2dGradData(_ p: Convolution, _ dy: Tensor, _ w: Tensor, into dx: Tensor) throws {
    let convolution = p
    let p = try convolution.checked("conv2dGradData", x: dx, w: w, y: dy, into: dx)
    guard dx.count > 0 else { return }
    if let digits = convolution.exactDigits {
      return try integerConv(
        "conv2dGradData", p, isGradient: true, digits: digits, dy, w, bias: nil, into: dx)
    }
    if let parameters = convolution.winograd(.gradData) {
      return try winograd("conv2dGradData", parameters, dy, w, bias: nil, into: dx)
    }
    guard p.stride_h == 1, p.stride_w == 1 else {
      return try gradDataByPhase(p, dy, w, into: dx) { try gradData($0, $1, $2, into: $3) }
    }
    try gradData(p, dy, w, into: dx)
  }

  /// What another kernel than the GEMM computes; false where none of them suits or fits.
  private func special(
    _ name: String, _ direction: ConvDirection, _ p: tsr_conv_params, _ x: Tensor, _ w: Tensor, bias: Tensor?,
    into y: Tensor
  ) throws -> Bool {
    let kind = Int(direction == .forward ? TSR_B_CONV : TSR_B_CONV_GRAD_DATA)
    let target = ConvTarget.cpu(panel: Int(kernels.tile_columns))
    for algorithm in ConvSelection.candidates(direction, ConvShape(p, direction), on: target) {
      if algorithm == .grouped, try convGrouped(name, kind, p, x, w, bias: bias, into: y) { return true }
      if algorithm == .blocked, try convBlocked(name, kind, p, x, w, bias: bias, into: y) { return true }
    }
    return false
  }

  /// With stride 1.
  private func gradData(_ p: tsr_conv_params, _ dy: Tensor, _ w: Tensor, into dx: Tensor) throws {
    if try special("conv2dGradData", .gradData, p, dy, w, bias: nil, into: dx) { return }
    let e = ConvExtents(p)
    var plan = tsr_gemm_plan()
    (plan.m, plan.n, plan.k) = (Int32(e.groupIn), Int32(e.plane), Int32(e.groupOut * e.taps))
    (plan.chunk, plan.k_group) = (TSR_K_CHUNK, max(1, plan.k))
    (plan.outer, plan.inner) = (p.batch, p.groups)
    plan.a = UnsafePointer(try w.cpu("conv2dGradData").pointer)
    (plan.a_row, plan.k_inner_stride, plan.k_inner) = (Int64(e.taps), 1, Int64(e.taps))
    plan.k_outer_stride = Int64(e.groupIn * e.taps)
    plan.a_inner = Int64(e.groupOut * e.groupIn * e.taps)
    plan.b_kind = Int32(p.isPointwise ? TSR_B_STRIDED : TSR_B_CONV_GRAD_DATA)
    (plan.b_row, plan.b_col) = (Int64(e.outputPositions), 1)
    plan.b = UnsafePointer(try dy.cpu("conv2dGradData").pointer)
    (plan.b_outer, plan.b_inner) = (
      Int64(Int(p.out_channels) * e.outputPositions), Int64(e.groupOut * e.outputPositions)
    )
    plan.conv = p
    plan.c = try dx.cpu("conv2dGradData").pointer
    (plan.c_row, plan.c_outer) = (Int64(e.plane), Int64(Int(p.in_channels) * e.plane))
    plan.c_inner = Int64(e.groupIn * e.plane)
    try run(&plan, sharedA: true)
  }

  public func conv2dGradWeight(_ p: Convolution, _ x: Tensor, _ dy: Tensor, into dw: Tensor) throws {
    let convolution = p
    let p = try convolution.checked("conv2dGradWeight", x: x, w: dw, y: dy, into: dw)
    guard dw.count > 0 else { return }
    if let digits = convolution.exactDigits {
      return try integerGradWeight(p, digits: digits, x, dy, into: dw)
    }
    if let parameters = convolution.winograd(.gradWeight) {
      return try gradWeightWinograd(parameters, x, dy, into: dw)
    }
    let target = ConvTarget.cpu(panel: Int(kernels.tile_columns))
    for algorithm in ConvSelection.candidates(.gradWeight, ConvShape(p, .gradWeight), on: target) {
      if algorithm == .grouped, try gradWeightGrouped(p, x, dy, into: dw) { return }
      if algorithm == .blocked, try gradWeightBlocked(p, x, dy, into: dw) { return }
    }
    let e = ConvExtents(p)
    var plan = tsr_gemm_plan()
    (plan.m, plan.n, plan.k) = (
      Int32(e.groupOut), Int32(e.groupIn * e.taps), p.batch * Int32(e.outputPositions)
    )
    (plan.chunk, plan.k_group) = (
      TSR_K_CHUNK, max(1, Int32(clamping: Int(TSR_BATCH_GROUP) * e.outputPositions))
    )
    (plan.outer, plan.inner) = (1, p.groups)
    plan.a = UnsafePointer(try dy.cpu("conv2dGradWeight").pointer)
    (plan.a_row, plan.k_inner_stride, plan.k_inner) = (
      Int64(e.outputPositions), 1, Int64(max(1, e.outputPositions))
    )
    plan.k_outer_stride = Int64(Int(p.out_channels) * e.outputPositions)
    plan.a_inner = Int64(e.groupOut * e.outputPositions)
    plan.b_kind = Int32(TSR_B_CONV_GRAD_WEIGHT)
    plan.b = UnsafePointer(try x.cpu("conv2dGradWeight").pointer)
    plan.b_inner = Int64(e.groupIn * e.plane)
    plan.conv = p
    plan.c = try dw.cpu("conv2dGradWeight").pointer
    plan.c_row = Int64(plan.n)
    plan.c_inner = Int64(plan.m) * Int64(plan.n)
    try run(&plan, sharedA: true)
  }

  public func squaredDistances(_ x: Tensor, points: Int, dims: Int, into d: Tensor) throws {
    try requireExtents("squaredDistances", points, dims)
    try requireExtents("squaredDistances", points, points)
    try require("squaredDistances", [(x, points * dims)], into: [(d, points * points)])
    guard points > 0 else { return }
    var plan = tsr_gemm_plan()
    (plan.m, plan.n, plan.k) = (Int32(points), Int32(points), Int32(dims))
    (plan.chunk, plan.k_group, plan.distance, plan.upper) = (TSR_K_CHUNK, max(1, plan.k), 1, 1)
    (plan.outer, plan.inner) = (1, 1)
    plan.a = UnsafePointer(try x.cpu("squaredDistances").pointer)
    (plan.a_row, plan.k_inner_stride, plan.k_inner) = (Int64(dims), 1, Int64(max(1, dims)))
    (plan.b, plan.b_row, plan.b_col) = (plan.a, 1, Int64(dims))
    let target = try d.cpu("squaredDistances")
    plan.c = target.pointer
    plan.c_row = Int64(points)
    try run(&plan, sharedA: true)
    // Rows near the end have the most to mirror: interleave them over the threads.
    parallel(points / 32 + 1) { begin, end in
      for block in begin..<end {
        let row = (block % 2 == 0 ? block / 2 : points / 32 - block / 2) * 32
        if row < points {
          tsr_mirror(target.pointer, Int64(points), Int64(row), Int64(min(points, row + 32)))
        }
      }
    }
  }

  public func squaredDistances(
    _ x: Tensor, rows: Range<Int>, columns: Range<Int>, points: Int, dims: Int, into d: Tensor
  ) throws {
    let place = "squaredDistances"
    try x.checkPoints(place, rows, columns, points: points, dims: dims, distances: d)
    guard d.count > 0 else { return }
    var plan = tsr_gemm_plan()
    (plan.m, plan.n, plan.k) = (Int32(rows.count), Int32(columns.count), Int32(dims))
    (plan.chunk, plan.k_group, plan.distance) = (TSR_K_CHUNK, max(1, plan.k), 1)
    (plan.outer, plan.inner) = (1, 1)
    let values = UnsafePointer(try x.cpu(place).pointer)
    plan.a = values + rows.lowerBound * dims
    (plan.a_row, plan.k_inner_stride, plan.k_inner) = (Int64(dims), 1, Int64(max(1, dims)))
    (plan.b, plan.b_row, plan.b_col) = (values + columns.lowerBound * dims, 1, Int64(dims))
    plan.c = try d.cpu(place).pointer
    plan.c_row = Int64(columns.count)
    try run(&plan, sharedA: true)
  }
}
