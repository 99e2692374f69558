// SPDX-License-Identifier: Apache-2.0
internal import Kernels

extension KernelDispatching {
  @_semantics("optimize.sil.specialize.generic.never")
  public func rowSum(_ x: Tensor, rows: Int, columns: Int, into y: Tensor) throws {
    try rowKernel(.rowSum, x, rows, columns, [], y, outputs: rows)
  }

  @_semantics("optimize.sil.specialize.generic.never")
  public func rowMax(_ x: Tensor, rows: Int, columns: Int, into y: Tensor) throws {
    guard columns > 0 || rows == 0 else {
      throw TesseraError.failure("rowMax", found: "rows of 0 columns", wanted: "1 or more")
    }
    try rowKernel(.rowMax, x, rows, columns, [], y, outputs: rows)
  }

  @_semantics("optimize.sil.specialize.generic.never")
  public func rowArgmax(_ x: Tensor, rows: Int, columns: Int, into y: Tensor) throws {
    guard columns > 0 || rows == 0 else {
      throw TesseraError.failure("rowArgmax", found: "rows of 0 columns", wanted: "1 or more")
    }
    try requireExtents("rowArgmax", rows, columns)
    try require("rowArgmax", [(x, rows * columns)], intsInto: [(y, rows)])
    y.forgetBounds()
    try launchRows(.rowArgmax, rows, columns, [x, y])
  }

  @_semantics("optimize.sil.specialize.generic.never")
  public func softmax(_ x: Tensor, rows: Int, columns: Int, scale: Float, into y: Tensor) throws {
    try rowKernel(.softmax, x, rows, columns, [], y, scale: scale, inPlace: true)
  }

  @_semantics("optimize.sil.specialize.generic.never")
  public func distanceSoftmax(
    _ p: AttentionScores, _ x: Tensor, bias: Tensor, into y: Tensor
  ) throws {
    let (heads, length, span) = (p.heads, p.length, p.span)
    let p = try p.checked("distanceSoftmax")
    let count = heads * length * length
    try require(
      "distanceSoftmax", [(x, count), (bias, heads * (2 * span - 1))], into: [(y, count)], inPlace: true)
    try requireApart("distanceSoftmax", [bias], into: [y])
    try launch(
      .distanceSoftmax, items: heads * length, cost: length * 4 + 64, p, [x, bias, y])
  }

  @_semantics("optimize.sil.specialize.generic.never")
  public func logSoftmax(_ x: Tensor, rows: Int, columns: Int, into y: Tensor) throws {
    try rowKernel(.logSoftmax, x, rows, columns, [], y)
  }

  @_semantics("optimize.sil.specialize.generic.never")
  public func softmaxGrad(
    _ y: Tensor, _ dy: Tensor, rows: Int, columns: Int, scale: Float, into dx: Tensor
  ) throws {
    try rowKernel(.softmaxGrad, y, rows, columns, [dy], dx, scale: scale)
  }

  @_semantics("optimize.sil.specialize.generic.never")
  public func logSoftmaxGrad(_ y: Tensor, _ dy: Tensor, rows: Int, columns: Int, into dx: Tensor) throws {
    try rowKernel(.logSoftmaxGrad, y, rows, columns, [dy], dx)
  }

  @_semantics("optimize.sil.specialize.generic.never")
  public func crossEntropy(
    _ logits: Tensor, labels: Tensor, rows: Int, classes: Int, smoothing: Float, into losses: Tensor
  ) throws {
    try check("crossEntropy", logits, labels, rows, classes, smoothing)
    try require("crossEntropy", [(logits, logits.count)], ints: [(labels, rows)], into: [(losses, rows)])
    try launchRows(.crossEntropy, rows, classes, [logits, labels, losses], scale: smoothing)
  }

  @_semantics("optimize.sil.specialize.generic.never")
  public func crossEntropyGrad(
    _ logits: Tensor, labels: Tensor, rows: Int, classes: Int, smoothing: Float, batch: Int,
    into dlogits: Tensor
  ) throws {
    try check("crossEntropyGrad", logits, labels, rows, classes, smoothing)
    guard batch >= rows, batch > 0 || rows == 0, batch <= Int(Int32.max) else {
      throw TesseraError.failure(
        "crossEntropyGrad", found: "a batch of \(batch)", wanted: "\(rows) rows or more")
    }
    try require(
      "crossEntropyGrad", [(logits, logits.count)], ints: [(labels, rows)], into: [(dlogits, logits.count)])
    try launchRows(
      .crossEntropyGrad, rows, classes, [logits, labels, dlogits], scale: smoothing, batch: batch)
  }

  /// Throws for labels that are no classes. Those that the host uploaded are known without a look at the
  /// device.
  @_semantics("optimize.sil.specialize.generic.never")
  private func check(
    _ place: String, _ logits: Tensor, _ labels: Tensor, _ rows: Int, _ classes: Int, _ smoothing: Float
  ) throws {
    try requireExtents(place, rows, classes)
    guard classes > 0 || rows == 0, smoothing >= 0, smoothing <= 1 else {
      throw TesseraError.failure(
        place, found: "\(classes) classes, smoothing \(smoothing)",
        wanted: "1 class or more, smoothing of 0 to 1")
    }
    try require(place, [(logits, rows * classes)], ints: [(labels, rows)])
    try requireBounds(place, "a label", labels, below: classes)
  }

  @_semantics("optimize.sil.specialize.generic.never")
  public func channelSum(_ p: ChannelLayout, _ x: Tensor, into y: Tensor) throws {
    let count = p.count
    let p = try p.checked("channelSum")
    try require("channelSum", [(x, count)], into: [(y, Int(p.channels))])
    try launch(
      .channelSum, items: Int(p.channels), cost: Int(p.outer) * Int(p.inner) + 64, p,
      [x, y])
  }

  @_semantics("optimize.sil.specialize.generic.never")
  public func moments(_ x: Tensor, samples: Int, inner: Int, mean: Tensor, variance: Tensor) throws {
    try requireExtents("moments", samples, inner)
    try batchNormStatistics(
      ChannelLayout(outer: samples, channels: 1, inner: inner), x, mean: mean, variance: variance)
  }

  /// Rows of floats to a number each, or to rows of the same extents.
  @_semantics("optimize.sil.specialize.generic.never")
  private func rowKernel(
    _ kernel: Kernel, _ x: Tensor, _ rows: Int, _ columns: Int, _ more: [Tensor], _ y: Tensor,
    outputs: Int? = nil, scale: Float = 1, inPlace: Bool = false
  ) throws {
    try requireExtents(kernel.name, rows, columns)
    try requireScale(kernel.name, scale)
    try require(
      kernel.name, ([x] + more).map { ($0, rows * columns) }, into: [(y, outputs ?? rows * columns)],
      inPlace: inPlace)
    try launchRows(kernel, rows, columns, [x] + more + [y], scale: scale)
  }

  @_semantics("optimize.sil.specialize.generic.never")
  private func launchRows(
    _ kernel: Kernel, _ rows: Int, _ columns: Int, _ tensors: [Tensor], scale: Float = 1, batch: Int? = nil
  ) throws {
    let p = tsr_rows_params(rows: rows, columns: columns, batch: batch, eps: scale)
    try launch(kernel, items: rows, cost: columns * 4 + 64, p, tensors)
  }
}
