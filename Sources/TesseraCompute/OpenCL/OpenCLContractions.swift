import Kernels

extension OpenCLBackend {
  public func matmul(_ p: MatmulParameters, _ a: Tensor, _ b: Tensor, bias: Tensor?, into c: Tensor) throws {
    try p.check(a: a.count, b: b.count, c: c.count, bias: bias?.count)
    guard p.batch > 0, p.m > 0, p.n > 0 else { return }
    try product("tsr_matmul", p, a, b, bias: bias ?? a, into: c)
  }

  public func squaredDistances(_ x: Tensor, points: Int, dims: Int, into d: Tensor) throws {
    try require("squaredDistances", [(x, points * dims), (d, points * points)])
    guard points > 0 else { return }
    let p = MatmulParameters(m: points, n: points, k: dims, transposeB: true)
    try product("tsr_distances", p, x, x, bias: x, into: d)
  }

  private func product(
    _ kernel: String, _ parameters: MatmulParameters, _ a: Tensor, _ b: Tensor, bias: Tensor, into c: Tensor
  ) throws {
    var (p, b) = (parameters, b)
    if !wide, p.b_col_stride != 1, p.k > 0 {
      let gathered = try allocate([Int(p.batch), Int(p.k), Int(p.n)], .float32)
      try launch(
        .row("conv", "tsr_gather_matrix"), items: Int(p.batch) * Int(p.k), cost: Int(p.n), p, [b, gathered])
      (p.b_offset, p.b_row_stride, p.b_col_stride, p.b_batch_stride) = (0, p.n, 1, p.k * p.n)
      b = gathered
    }
    let (columns, rows, batch) = (Int(p.n), Int(p.m), Int(p.batch))
    let global =
      wide
      ? [(columns + 63) / 64 * 16, (rows + 63) / 64 * 16, batch]
      : [(columns + 31) / 32, (rows + 7) / 8, batch]
    try withUnsafeBytes(of: p) {
      try enqueue(
        "matmul", kernel, global: global, local: wide ? [16, 16, 1] : [1, 1, 1], parameters: $0,
        [a, b, bias, c])
    }
  }

  public func conv2d(_ p: ConvParameters, _ x: Tensor, _ w: Tensor, bias: Tensor?, into y: Tensor) throws {
    try p.check("conv2d", x: x.count, w: w.count, y: y.count, bias: bias?.count)
    guard y.count > 0 else { return }
    let e = ConvExtents(p)
    if p.groups > 1 {
      var parameters = p
      parameters.bias = bias == nil ? 0 : 1
      return try launch(
        .row("conv", "tsr_conv_grouped"), items: Int(p.batch) * Int(p.out_channels) * Int(p.out_h),
        cost: Int(p.out_w) * e.groupIn * e.taps, parameters, [x, w, bias ?? w, y])
    }
    let depth = e.groupIn * e.taps
    var m = MatmulParameters(m: e.groupOut, n: e.spots, k: depth)
    m.bias = bias == nil ? 0 : Int32(TSR_BIAS_ROW)
    m.activation = p.activation
    (m.b_batch_stride, m.c_batch_stride) = (Int32(depth * e.spots), Int32(e.groupOut * e.spots))
    try slices(of: Int(p.batch), floatsPerSample: depth * e.spots) { first, samples in
      let columns = try allocate([max(1, samples * depth * e.spots)], .float32)
      try launch(
        .row("conv", "tsr_im2col"), items: samples * depth, cost: e.spots,
        tsr_im2col_params(conv: p, first: Int32(first), samples: Int32(samples), group: 0), [x, columns])
      m.batch = Int32(samples)
      m.c_offset = Int32(first * e.groupOut * e.spots)
      try product("tsr_matmul", m, w, columns, bias: bias ?? w, into: y)
    }
  }

  public func conv2dGradData(_ p: ConvParameters, _ dy: Tensor, _ w: Tensor, into dx: Tensor) throws {
    try p.check("conv2dGradData", x: dx.count, w: w.count, y: dy.count, bias: nil)
    guard dx.count > 0 else { return }
    guard p.stride_h == 1, p.stride_w == 1 else {
      return try gradDataByPhase(p, dy, w, into: dx) { try gradData($0, $1, $2, into: $3) }
    }
    try gradData(p, dy, w, into: dx)
  }

  /// With stride 1.
  private func gradData(_ p: ConvParameters, _ dy: Tensor, _ w: Tensor, into dx: Tensor) throws {
    let e = ConvExtents(p)
    if p.groups > 1 {
      return try launch(
        .row("conv", "tsr_conv_grouped_grad"), items: Int(p.batch) * Int(p.in_channels) * Int(p.height),
        cost: Int(p.width) * e.groupOut * e.taps, p, [dy, w, dx])
    }
    let depth = e.groupOut * e.taps
    let swapped = try allocate([max(1, w.count)], .float32)
    try launch(
      .row("conv", "tsr_swap_weights"), items: e.groupIn * e.groupOut, cost: e.taps,
      tsr_im2col_params(conv: p, first: 0, samples: 0, group: 0), [w, swapped])
    var m = MatmulParameters(m: e.groupIn, n: e.plane, k: depth)
    (m.b_batch_stride, m.c_batch_stride) = (Int32(depth * e.plane), Int32(e.groupIn * e.plane))
    try slices(of: Int(p.batch), floatsPerSample: depth * e.plane) { first, samples in
      let columns = try allocate([max(1, samples * depth * e.plane)], .float32)
      try launch(
        .row("conv", "tsr_im2col_grad"), items: samples * depth, cost: e.plane,
        tsr_im2col_params(conv: p, first: Int32(first), samples: Int32(samples), group: 0), [dy, columns])
      m.batch = Int32(samples)
      m.c_offset = Int32(first * e.groupIn * e.plane)
      try product("tsr_matmul", m, swapped, columns, bias: w, into: dx)
    }
  }

  public func conv2dGradWeight(_ p: ConvParameters, _ x: Tensor, _ dy: Tensor, into dw: Tensor) throws {
    try p.check("conv2dGradWeight", x: x.count, w: dw.count, y: dy.count, bias: nil)
    guard dw.count > 0 else { return }
    guard p.batch > 0, dy.count > 0 else { return try fill(dw, with: 0) }
    let e = ConvExtents(p)
    let depth = e.groupIn * e.taps
    let groupSize = Int(TSR_BATCH_GROUP)
    let partial = try allocate([dw.count], .float32)
    // Group results are added in ascending order (rule 6).
    for first in stride(from: 0, to: Int(p.batch), by: groupSize) {
      let samples = min(groupSize, Int(p.batch) - first)
      let rows = samples * e.spots
      let taps = try allocate([rows * depth], .float32)
      let gradients = try allocate([e.groupOut * rows], .float32)
      for group in 0..<Int(p.groups) {
        let slice = tsr_im2col_params(
          conv: p, first: Int32(first), samples: Int32(samples), group: Int32(group))
        try launch(.row("conv", "tsr_im2row"), items: rows, cost: depth, slice, [x, taps])
        try launch(
          .row("conv", "tsr_gather_channels"), items: samples * e.groupOut, cost: e.spots, slice,
          [dy, gradients])
        var m = MatmulParameters(m: e.groupOut, n: depth, k: rows)
        m.c_offset = Int32(group * e.groupOut * depth)
        try product("tsr_matmul", m, gradients, taps, bias: x, into: first == 0 ? dw : partial)
      }
      if first > 0 { try binary(.add, dw, partial, into: dw) }
    }
  }

  /// Splits a batch so that an im2col matrix stays within 64 MiB.
  private func slices(of batch: Int, floatsPerSample: Int, _ body: (Int, Int) throws -> Void) throws {
    let most = max(1, (16 << 20) / max(1, floatsPerSample))
    for first in stride(from: 0, to: batch, by: most) { try body(first, min(most, batch - first)) }
  }
}
