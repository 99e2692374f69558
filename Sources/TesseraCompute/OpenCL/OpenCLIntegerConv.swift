// SPDX-License-Identifier: Apache-2.0
internal import Kernels

/// Convolutions as exact integers (NUMERICS.md rule 13): `Kernels/integer_gemm/integer_view.cl`. Weights are the
/// rows of a product, pixels its columns.
extension OpenCLBackend {
  /// Bytes of digits of pixels, or of weights, that are made at once.
  private static let viewBytes = 16 << 20

  /// A checked convolution, or its gradient for the data, its operands as so many digits.
  ///
  /// The weights' digits are kept beside them from the second use in a row on, if there is one group.
  func integerConv(
    _ p: tsr_conv_params, isGradient: Bool, digits: Int, _ x: Tensor, _ w: Tensor, bias: Tensor?,
    into y: Tensor
  ) throws {
    let e = ExactConvolution(p, isGradient: isGradient)
    var gemm = tsr_matmul_params()
    (gemm.m, gemm.batch) = (Int32(e.outputs), 1)
    gemm.bias = bias == nil ? BiasKind.none.rawValue : BiasKind.row.rawValue
    gemm.activation = isGradient ? FusedActivation.none.rawValue : p.activation
    func run(_ group: Int, _ weights: ExactWeights) throws {
      gemm.bias_offset = Int32(group * e.outputs)
      let scales = try allocate([Int(p.batch)], .int32)
      var q = tsr_integer_greatest_params()
      (q.lines, q.outer, q.inner, q.digits) = (p.batch, Int32(e.channels), Int32(e.area), Int32(digits))
      (q.offset, q.line_stride) = (Int32(group * e.channels * e.area), Int32(e.sourceStride))
      (q.outer_stride, q.factors) = (Int32(e.area), 0)
      try launch(
        .integerGreatest, items: Int(p.batch), cost: e.channels * e.area, q, [x, weights.form, scales])
      for (phase, first) in zip(e.phases, weights.firsts) where phase.h.count > 0 && phase.w.count > 0 {
        let place = Place(
          group: group, samples: Int(p.batch), weights: weights.form, first: first, scales: scales)
        try convolve(e, phase, place, digits, gemm, x, bias: bias ?? x, into: y)
      }
    }
    guard e.groups == 1 else {
      for group in 0..<e.groups {
        try run(group, ExactWeights(e, layout(digits), try form(e, digits, w, group)))
      }
      return
    }
    let key = PreparedWeights.Key(p, isGradient: isGradient, digits: digits, unit: 0)
    try w.openCLStorage("conv2d", pool).prepared.use(key, isKept: true) {
      try form(e, digits, w, 0)
    } _: { kept in
      try run(0, ExactWeights(e, layout(digits), try kept ?? form(e, digits, w, 0)))
    }
  }

  /// A group's weights as digits: factors and exponents by channel, scales twice, digits of each phase.
  private func form(_ e: ExactConvolution, _ digits: Int, _ w: Tensor, _ group: Int) throws -> Tensor {
    let (channels, outputs) = (Int32(e.channels), Int32(e.outputs))
    let layout = layout(digits)
    let (_, count) = ExactWeights.places(e, layout)
    let form = try allocate([count], .int32)
    var q = tsr_integer_greatest_params()
    q.offset = Int32(group * e.groupWeights)
    (q.inner, q.to) = (Int32(e.taps), 2 * channels)
    (q.lines, q.outer, q.line_stride, q.outer_stride) = (
      channels, outputs, Int32(e.channelStride), Int32(e.outputStride)
    )
    q.factors = -1
    try launch(.integerGreatest, items: e.channels, cost: e.outputs * e.taps, q, [w, form, form])
    var balance = tsr_integer_params()
    balance.k = channels
    try launch(.integerBalance, items: 1, cost: e.channels, balance, [form])
    (q.lines, q.outer, q.line_stride, q.outer_stride) = (
      outputs, channels, Int32(e.outputStride), Int32(e.channelStride)
    )
    (q.digits, q.factors, q.to) = (Int32(digits), channels, 3 * channels)
    try launch(.integerGreatest, items: e.outputs, cost: e.channels * e.taps, q, [w, form, form])
    let weights = ExactWeights(e, layout, form)
    for (phase, first) in zip(e.phases, weights.firsts) {
      var view = tsr_integer_view_params(lines: e.outputs, k: e.terms(of: phase), layout)
      (view.offset, view.line_stride, view.k_stride) = (
        q.offset, Int32(e.outputStride), Int32(e.channelStride)
      )
      (view.k_h, view.k_w) = (phase.h.taps, phase.w.taps)
      (view.start_h, view.start_w) = (phase.h.kernel_first, phase.w.kernel_first)
      (view.k_step_h, view.k_step_w) = (phase.h.kernel_step, phase.w.kernel_step)
      (view.height, view.width) = (Int32(e.kernelHeight), Int32(e.kernelWidth))
      (view.factors, view.scales, view.to_scales) = (channels, 3 * channels, 3 * channels + outputs)
      view.to = Int32(first)
      try self.view(view, w, form, form, into: form)
    }
    return form
  }

  /// The pixels of a phase of all images, some at a time.
  private func convolve(
    _ e: ExactConvolution, _ phase: tsr_integer_phase, _ place: Place, _ digits: Int,
    _ gemm: tsr_matmul_params,
    _ x: Tensor, bias: Tensor, into y: Tensor
  ) throws {
    let lines = Int(phase.h.count) * Int(phase.w.count)
    let layout = layout(digits)
    var view = tsr_integer_view_params(
      lines: place.samples * lines, k: e.terms(of: phase), layout, isRight: true)
    (view.offset, view.line_stride) = (Int32(place.group * e.channels * e.area), Int32(e.sourceStride))
    (view.k_stride, view.height, view.width) = (Int32(e.area), Int32(e.height), Int32(e.width))
    (view.line_h, view.line_w, view.k_h, view.k_w) = (
      phase.h.count, phase.w.count, phase.h.taps, phase.w.taps
    )
    (view.start_h, view.start_w) = (phase.h.start, phase.w.start)
    (view.line_step_h, view.line_step_w) = (phase.h.line_step, phase.w.line_step)
    (view.k_step_h, view.k_step_w) = (phase.h.tap_step, phase.w.tap_step)
    view.factors = 0
    var q = tsr_integer_gemm_params()
    (q.gemm, q.words, q.digits) = (gemm, view.words, view.digits)
    (q.gemm.k, q.gemm.c_row_stride) = (view.k, Int32(e.madeArea))
    let first = phase.h.out_first * Int32(e.madeWidth) + phase.w.out_first
    q.gemm.c_offset = Int32(place.group * e.outputs * e.madeArea) + first
    (q.line_h, q.line_w) = (phase.h.count, phase.w.count)
    (q.c_image, q.c_step) = (Int32(e.madeStride), phase.w.out_step)
    q.c_line = min(phase.h.out_step, Int32(e.madeArea / max(1, e.madeWidth))) * Int32(e.madeWidth)
    (q.a_scales, q.a_first) = (Int32(3 * e.channels + e.outputs), Int32(place.first))
    let most = view.most(bytes: Self.viewBytes, layout)
    let total = Int(view.lines)
    for first in stride(from: 0, to: total, by: most) {
      (view.first, view.lines) = (Int32(first), Int32(min(most, total - first)))
      let pixels = try allocate([view.formCount(layout)], .int32)
      try self.view(view, x, place.weights, place.scales, into: pixels, isAcross: true)
      (q.gemm.n, q.first) = (view.lines, view.first)
      (q.b_scales, q.b_first) = (view.to_scales, view.to)
      try integerProduct(q, place.weights, pixels, bias: bias, into: y)
    }
  }

  /// The gradient for the weights of a checked call: groups of 8 samples, whose results are added to +0.
  func integerGradWeight(
    _ p: tsr_conv_params, digits: Int, _ x: Tensor, _ dy: Tensor, into dw: Tensor
  ) throws {
    try fill(dw, with: 0)
    let e = ExactConvolution(p, isGradient: false)
    let layout = layout(digits)
    for group in 0..<e.groups {
      for first in stride(from: 0, to: Int(p.batch), by: Int(TSR_BATCH_GROUP)) {
        let samples = min(Int(TSR_BATCH_GROUP), Int(p.batch) - first)
        let images = first * e.sourceStride + group * e.channels * e.area
        let gradients = first * e.madeStride + group * e.outputs * e.madeArea
        let k = samples * e.madeArea
        var left = tsr_integer_view_params(lines: e.outputs, k: k, layout)
        (left.offset, left.line_stride, left.k_stride) = (
          Int32(gradients), Int32(e.madeArea), Int32(e.madeStride)
        )
        (left.k_h, left.k_w, left.height, left.width) = (p.out_h, p.out_w, p.out_h, p.out_w)
        var right = tsr_integer_view_params(lines: e.channels * e.taps, k: k, layout, isRight: true)
        (right.offset, right.line_stride, right.k_stride) = (
          Int32(images), Int32(e.area), Int32(e.sourceStride)
        )
        (right.line_h, right.line_w, right.k_h, right.k_w) = (p.kernel_h, p.kernel_w, p.out_h, p.out_w)
        (right.start_h, right.start_w) = (-p.pad_h, -p.pad_w)
        (right.line_step_h, right.line_step_w) = (p.dilation_h, p.dilation_w)
        (right.k_step_h, right.k_step_w) = (p.stride_h, p.stride_w)
        (right.height, right.width) = (p.height, p.width)
        let scales = (
          try channelScales(dy, left, e.outputs, samples, e.madeArea),
          try channelScales(x, right, e.channels, samples, e.area)
        )
        try addProduct(left, right, (dy, x), scales, into: dw, from: group * e.groupWeights)
      }
    }
  }

  /// Scales of channels over a group of samples.
  private func channelScales(
    _ x: Tensor, _ view: tsr_integer_view_params, _ channels: Int, _ samples: Int, _ area: Int
  ) throws -> Tensor {
    let scales = try allocate([channels], .int32)
    var q = tsr_integer_greatest_params()
    (q.lines, q.outer, q.inner, q.digits) = (Int32(channels), Int32(samples), Int32(area), view.digits)
    (q.offset, q.line_stride, q.outer_stride) = (view.offset, view.line_stride, view.k_stride)
    q.factors = -1
    try launch(.integerGreatest, items: channels, cost: samples * area, q, [x, scales, scales])
    return scales
  }

  /// The product of two views is added to (rows, columns) of C, some rows and columns at a time.
  private func addProduct(
    _ left: tsr_integer_view_params, _ right: tsr_integer_view_params, _ tensors: (Tensor, Tensor),
    _ scales: (Tensor, Tensor), into c: Tensor, from offset: Int
  ) throws {
    let (rows, columns) = (Int(left.lines), Int(right.lines))
    var (left, right, q) = (left, right, tsr_integer_gemm_params())
    let layout = layout(Int(left.digits))
    let most = left.most(bytes: Self.viewBytes, layout)
    for row in stride(from: 0, to: rows, by: most) {
      (left.first, left.lines) = (Int32(row), Int32(min(most, rows - row)))
      let a = try allocate([left.formCount(layout)], .int32)
      try view(left, tensors.0, scales.0, scales.0, into: a)
      for column in stride(from: 0, to: columns, by: most) {
        (right.first, right.lines) = (Int32(column), Int32(min(most, columns - column)))
        let b = try allocate([right.formCount(layout)], .int32)
        try view(right, tensors.1, scales.1, scales.1, into: b)
        (q.words, q.digits) = (left.words, left.digits)
        (q.gemm.m, q.gemm.n, q.gemm.k, q.gemm.batch) = (left.lines, right.lines, left.k, 1)
        (q.gemm.c_offset, q.gemm.c_row_stride) = (Int32(offset + row * columns + column), Int32(columns))
        q.gemm.accumulate = 1
        (q.a_scales, q.a_first, q.b_scales, q.b_first) = (left.to_scales, left.to, right.to_scales, right.to)
        try integerProduct(q, a, b, bias: a, into: c)
      }
    }
  }

  /// Lines of a view as digits. On CPU devices an item has a part of a line or, across them, sixteen lines.
  private func view(
    _ view: tsr_integer_view_params, _ x: Tensor, _ form: Tensor, _ scales: Tensor, into y: Tensor,
    isAcross: Bool = false
  ) throws {
    let cost = 64 * Int(view.digits)
    guard !gpu else {
      return try launch(
        .integerView, items: Int(view.lines) * Int(view.words), cost: cost, view, [x, form, scales, y])
    }
    guard isAcross else {
      let blocks = max(1, (Int(view.k) + 31) / 32)
      return try launch(
        .integerView, items: Int(view.lines) * blocks, cost: cost, view, [x, form, scales, y])
    }
    let pairs = Int(view.words) / (view.digits == 3 ? 4 : 2)
    try withUnsafeBytes(of: view) {
      try enqueue(
        .integerStrips, global: [(Int(view.lines) + 15) / 16, (pairs + 127) / 128], local: [1, 1],
        parameters: $0, [x, form, scales, y])
    }
  }
}

/// Images' part in a group of channels, and the weights' form, where its digits of a phase begin.
private struct Place {
  let group: Int, samples: Int
  let weights: Tensor, first: Int
  let scales: Tensor
}

/// A group's weights in their form.
private struct ExactWeights {
  let form: Tensor
  /// Where the digits of each phase begin, in words.
  let firsts: [Int]

  init(_ e: ExactConvolution, _ layout: DigitLayout, _ form: Tensor) {
    (self.form, firsts) = (form, Self.places(e, layout).firsts)
  }

  /// Where the phases' digits begin, and the words of the form.
  static func places(_ e: ExactConvolution, _ layout: DigitLayout) -> (firsts: [Int], count: Int) {
    var at = Int(OpenCLBackend.firstDigit(after: 3 * e.channels + 2 * e.outputs))
    let firsts = e.phases.map { phase in
      defer {
        let view = tsr_integer_view_params(lines: e.outputs, k: e.terms(of: phase), layout)
        at = Int(OpenCLBackend.firstDigit(after: at + view.digitCount(layout)))
      }
      return at
    }
    return (firsts, max(1, at))
  }
}

extension tsr_integer_view_params {
  /// Lines of k terms of their own, without factors; their digits follow their scales.
  fileprivate init(lines: Int, k: Int, _ layout: DigitLayout, isRight: Bool = false) {
    self.init()
    (self.lines, self.k, digits) = (Int32(lines), Int32(k), Int32(layout.digits))
    (words, right) = (Int32(layout.words(max(1, k))), isRight ? 1 : 0)
    (line_h, line_w, k_h, k_w, k_step_h, k_step_w) = (1, 1, 1, 1, 1, 1)
    factors = -1
    to = OpenCLBackend.firstDigit(after: lines)
  }

  /// Words of all lines' digits, and of their scales too.
  fileprivate func digitCount(_ layout: DigitLayout) -> Int {
    layout.count(Int(lines), words: Int(words), isRight: right != 0)
  }
  fileprivate func formCount(_ layout: DigitLayout) -> Int { Int(to) + digitCount(layout) }

  /// Lines whose digits are no more than so many bytes, but one; whole strips where they are several.
  fileprivate func most(bytes: Int, _ layout: DigitLayout) -> Int {
    let lines = max(1, bytes / max(1, elements(4, layout.planes, Int(words))))
    return lines >= 16 ? lines / 16 * 16 : lines
  }
}
