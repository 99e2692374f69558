import Kernels

extension KernelLauncher {
  public func maxPool(_ p: PoolParameters, _ x: Tensor, into y: Tensor, indices: Tensor) throws {
    try check(p, "maxPool", input: x, outputs: [y, indices])
    try launch(.row("pooling", "tsr_max_pool"), items: p.outputRows, cost: p.outputCost, p, [x, y, indices])
  }

  public func maxPoolGrad(_ p: PoolParameters, _ dy: Tensor, indices: Tensor, into dx: Tensor) throws {
    try check(p, "maxPoolGrad", input: dx, outputs: [dy, indices])
    try launch(
      .row("pooling", "tsr_max_pool_grad"), items: p.inputRows, cost: p.inputCost, p, [dy, indices, dx])
  }

  public func averagePool(_ p: PoolParameters, _ x: Tensor, into y: Tensor) throws {
    try check(p, "averagePool", input: x, outputs: [y])
    try launch(.row("pooling", "tsr_average_pool"), items: p.outputRows, cost: p.outputCost, p, [x, y])
  }

  public func averagePoolGrad(_ p: PoolParameters, _ dy: Tensor, into dx: Tensor) throws {
    try check(p, "averagePoolGrad", input: dx, outputs: [dy])
    try launch(.row("pooling", "tsr_average_pool_grad"), items: p.inputRows, cost: p.inputCost, p, [dy, dx])
  }

  public func adaptiveAveragePool(_ p: PoolParameters, _ x: Tensor, into y: Tensor) throws {
    try check(p, "adaptiveAveragePool", input: x, outputs: [y], adaptive: true)
    let cost = Int(p.height) * Int(p.width) / max(1, Int(p.out_h)) + Int(p.out_w)
    try launch(.row("pooling", "tsr_adaptive_pool"), items: p.outputRows, cost: cost, p, [x, y])
  }

  public func adaptiveAveragePoolGrad(_ p: PoolParameters, _ dy: Tensor, into dx: Tensor) throws {
    try check(p, "adaptiveAveragePoolGrad", input: dx, outputs: [dy], adaptive: true)
    try launch(
      .row("pooling", "tsr_adaptive_pool_grad"), items: p.inputRows, cost: Int(p.width) * 8, p, [dy, dx])
  }

  public func upsampleNearest(
    planes: Int, height: Int, width: Int, scale: Int, _ x: Tensor, into y: Tensor
  ) throws {
    let count = planes * height * width
    try require("upsampleNearest", [(x, count), (y, count * scale * scale)])
    try launch(
      .row("pooling", "tsr_upsample"), items: planes * height * scale, cost: width * scale,
      tsr_upsample_params(
        planes: Int32(planes), height: Int32(height), width: Int32(width), scale: Int32(scale)), [x, y])
  }

  public func upsampleNearestGrad(
    planes: Int, height: Int, width: Int, scale: Int, _ dy: Tensor, into dx: Tensor
  ) throws {
    let count = planes * height * width
    try require("upsampleNearestGrad", [(dx, count), (dy, count * scale * scale)])
    try launch(
      .row("pooling", "tsr_upsample_grad"), items: planes * height, cost: width * scale * scale,
      tsr_upsample_params(
        planes: Int32(planes), height: Int32(height), width: Int32(width), scale: Int32(scale)), [dy, dx])
  }

  private func check(
    _ p: PoolParameters, _ place: String, input: Tensor, outputs: [Tensor], adaptive: Bool = false
  ) throws {
    try require(place, [(input, p.inputCount)] + outputs.map { ($0, p.outputCount) })
    let windows =
      p.kernel_h > 0 && p.kernel_w > 0 && p.stride_h > 0 && p.stride_w > 0 && p.pad_h >= 0 && p.pad_w >= 0
      && p.pad_h < p.kernel_h && p.pad_w < p.kernel_w
      && (p.outputCount == 0
        || (Int(p.out_h) - 1) * Int(p.stride_h) - Int(p.pad_h) < Int(p.height)
          && (Int(p.out_w) - 1) * Int(p.stride_w) - Int(p.pad_w) < Int(p.width))
    guard adaptive || windows else {
      throw TesseraError.failure(
        place, found: "kernel \(p.kernel_h)x\(p.kernel_w) stride \(p.stride_h) padding \(p.pad_h)",
        wanted: "positive, padding below the kernel, windows inside the plane")
    }
  }
}

extension PoolParameters {
  fileprivate var outputRows: Int { Int(planes) * Int(out_h) }
  fileprivate var inputRows: Int { Int(planes) * Int(height) }
  fileprivate var outputCost: Int { Int(out_w) * Int(kernel_h) * Int(kernel_w) }
  fileprivate var inputCost: Int {
    Int(width) * (1 + Int(kernel_h) * Int(kernel_w) / Int(stride_h) / Int(stride_w))
  }
}
