import Kernels

extension KernelLauncher {
  public func rowSum(_ x: Tensor, rows: Int, columns: Int, into y: Tensor) throws {
    try rowKernel("tsr_row_sum", x, rows, columns, [], y, outputs: rows)
  }

  public func rowMax(_ x: Tensor, rows: Int, columns: Int, into y: Tensor) throws {
    try rowKernel("tsr_row_max", x, rows, columns, [], y, outputs: rows)
  }

  public func rowArgmax(_ x: Tensor, rows: Int, columns: Int, into y: Tensor) throws {
    guard columns > 0 || rows == 0 else {
      throw TesseraError.failure("rowArgmax", found: "rows of 0 columns", wanted: "1 or more")
    }
    try rowKernel("tsr_row_argmax", x, rows, columns, [], y, outputs: rows)
  }

  public func softmax(_ x: Tensor, rows: Int, columns: Int, scale: Float, into y: Tensor) throws {
    try rowKernel("tsr_softmax", x, rows, columns, [], y, outputs: rows * columns, scale: scale)
  }

  public func distanceSoftmax(
    _ p: AttentionParameters, _ x: Tensor, bias: Tensor, into y: Tensor
  ) throws {
    let (heads, length, span) = (Int(p.heads), Int(p.length), Int(p.span))
    guard span >= max(1, length) else {
      throw TesseraError.failure(
        "distanceSoftmax", found: "a span of \(span)", wanted: "\(max(1, length)) or more")
    }
    try requireExtents("distanceSoftmax", heads, length, length)
    try requireExtents("distanceSoftmax", heads, 2 * span - 1)
    let count = heads * length * length
    try require("distanceSoftmax", [(x, count), (bias, heads * (2 * span - 1)), (y, count)])
    try launch(
      .row("rows", "tsr_distance_softmax"), items: heads * length, cost: length * 4 + 64, p, [x, bias, y])
  }

  public func logSoftmax(_ x: Tensor, rows: Int, columns: Int, into y: Tensor) throws {
    try rowKernel("tsr_log_softmax", x, rows, columns, [], y, outputs: rows * columns)
  }

  public func softmaxGrad(
    _ y: Tensor, _ dy: Tensor, rows: Int, columns: Int, scale: Float, into dx: Tensor
  ) throws {
    try require("softmaxGrad", [(dy, rows * columns)])
    try rowKernel("tsr_softmax_grad", y, rows, columns, [dy], dx, outputs: rows * columns, scale: scale)
  }

  public func logSoftmaxGrad(_ y: Tensor, _ dy: Tensor, rows: Int, columns: Int, into dx: Tensor) throws {
    try require("logSoftmaxGrad", [(dy, rows * columns)])
    try rowKernel("tsr_log_softmax_grad", y, rows, columns, [dy], dx, outputs: rows * columns)
  }

  public func crossEntropy(
    _ logits: Tensor, labels: Tensor, rows: Int, classes: Int, smoothing: Float, into losses: Tensor
  ) throws {
    try require("crossEntropy", [(labels, rows)])
    try rowKernel(
      "tsr_cross_entropy", logits, rows, classes, [labels], losses, outputs: rows, scale: smoothing)
  }

  public func crossEntropyGrad(
    _ logits: Tensor, labels: Tensor, rows: Int, classes: Int, smoothing: Float, batch: Int,
    into dlogits: Tensor
  ) throws {
    try require("crossEntropyGrad", [(labels, rows)])
    try rowKernel(
      "tsr_cross_entropy_grad", logits, rows, classes, [labels], dlogits, outputs: rows * classes,
      scale: smoothing, batch: batch)
  }

  public func channelSum(_ p: ChannelsParameters, _ x: Tensor, into y: Tensor) throws {
    try require("channelSum", [(x, p.count), (y, Int(p.channels))])
    try launch(
      .channels("rows", "tsr_channel_sum"), items: Int(p.channels), cost: Int(p.outer) * Int(p.inner) + 64, p,
      [x, y])
  }

  public func moments(_ x: Tensor, samples: Int, inner: Int, mean: Tensor, variance: Tensor) throws {
    try batchNormStatistics(
      ChannelsParameters(outer: samples, channels: 1, inner: inner), x, mean: mean, variance: variance)
  }

  private func rowKernel(
    _ name: String, _ x: Tensor, _ rows: Int, _ columns: Int, _ more: [Tensor], _ y: Tensor, outputs: Int,
    scale: Float = 1, batch: Int? = nil
  ) throws {
    try requireExtents(name, rows, columns)
    try require(name, [(x, rows * columns), (y, outputs)])
    var p = RowsParameters(rows: rows, columns: columns, eps: scale)
    p.batch = Int32(batch ?? rows)
    try launch(.row("rows", name), items: rows, cost: columns * 4 + 64, p, [x] + more + [y])
  }
}
