// SPDX-License-Identifier: Apache-2.0
internal import Kernels

extension KernelDispatching {
  @_semantics("optimize.sil.specialize.generic.never")
  public func maxPool(_ p: Pooling, _ x: Tensor, into y: Tensor, indices: Tensor) throws {
    let p = try p.checked("maxPool")
    try require(
      "maxPool", [(x, p.inputCount)], into: [(y, p.outputCount)], intsInto: [(indices, p.outputCount)])
    indices.forgetBounds()
    try launch(.maxPool, items: p.outputRows, cost: p.outputCost, p, [x, y, indices])
  }

  @_semantics("optimize.sil.specialize.generic.never")
  public func maxPoolGrad(_ p: Pooling, _ dy: Tensor, indices: Tensor, into dx: Tensor) throws {
    let p = try p.checked("maxPoolGrad")
    try require(
      "maxPoolGrad", [(dy, p.outputCount)], ints: [(indices, p.outputCount)], into: [(dx, p.inputCount)])
    try launch(
      .maxPoolGrad, items: p.inputRows, cost: p.inputCost, p, [dy, indices, dx])
  }

  @_semantics("optimize.sil.specialize.generic.never")
  public func averagePool(_ p: Pooling, _ x: Tensor, into y: Tensor) throws {
    let p = try p.checked("averagePool")
    try require("averagePool", [(x, p.inputCount)], into: [(y, p.outputCount)])
    try launch(.averagePool, items: p.outputRows, cost: p.outputCost, p, [x, y])
  }

  @_semantics("optimize.sil.specialize.generic.never")
  public func averagePoolGrad(_ p: Pooling, _ dy: Tensor, into dx: Tensor) throws {
    let p = try p.checked("averagePoolGrad")
    try require("averagePoolGrad", [(dy, p.outputCount)], into: [(dx, p.inputCount)])
    try launch(.averagePoolGrad, items: p.inputRows, cost: p.inputCost, p, [dy, dx])
  }

  @_semantics("optimize.sil.specialize.generic.never")
  public func adaptiveAveragePool(_ p: Pooling, _ x: Tensor, into y: Tensor) throws {
    let p = try p.checked("adaptiveAveragePool", adaptive: true)
    try require("adaptiveAveragePool", [(x, p.inputCount)], into: [(y, p.outputCount)])
    let cost = Int(p.height) * Int(p.width) / max(1, Int(p.out_h)) + Int(p.out_w)
    try launch(.adaptivePool, items: p.outputRows, cost: cost, p, [x, y])
  }

  @_semantics("optimize.sil.specialize.generic.never")
  public func adaptiveAveragePoolGrad(_ p: Pooling, _ dy: Tensor, into dx: Tensor) throws {
    let p = try p.checked("adaptiveAveragePoolGrad", adaptive: true)
    try require("adaptiveAveragePoolGrad", [(dy, p.outputCount)], into: [(dx, p.inputCount)])
    try launch(
      .adaptivePoolGrad, items: p.inputRows, cost: Int(p.width) * 8, p, [dy, dx])
  }

  @_semantics("optimize.sil.specialize.generic.never")
  public func upsampleNearest(
    planes: Int, height: Int, width: Int, scale: Int, _ x: Tensor, into y: Tensor
  ) throws {
    let count = try upsampled("upsampleNearest", planes, height, width, scale)
    try require("upsampleNearest", [(x, count)], into: [(y, count * scale * scale)])
    try launch(
      .upsample, items: planes * height * scale, cost: width * scale,
      tsr_upsample_params(
        planes: Int32(planes), height: Int32(height), width: Int32(width), scale: Int32(scale)), [x, y])
  }

  @_semantics("optimize.sil.specialize.generic.never")
  public func upsampleNearestGrad(
    planes: Int, height: Int, width: Int, scale: Int, _ dy: Tensor, into dx: Tensor
  ) throws {
    let count = try upsampled("upsampleNearestGrad", planes, height, width, scale)
    try require("upsampleNearestGrad", [(dy, count * scale * scale)], into: [(dx, count)])
    try launch(
      .upsampleGrad, items: planes * height, cost: width * scale * scale,
      tsr_upsample_params(
        planes: Int32(planes), height: Int32(height), width: Int32(width), scale: Int32(scale)), [dy, dx])
  }

  /// Elements of the planes before, where those after are of no more than 32-bit indices reach.
  @_semantics("optimize.sil.specialize.generic.never")
  private func upsampled(
    _ place: String, _ planes: Int, _ height: Int, _ width: Int, _ scale: Int
  ) throws -> Int {
    guard scale >= 1 else {
      throw TesseraError.failure(place, found: "scale \(scale)", wanted: "1 or more")
    }
    try requireExtents(place, planes, height, width, scale, scale)
    // What a launch is split by, also where there are no planes.
    try requireExtents(place, planes, height, scale)
    try requireExtents(place, width, scale, scale)
    return planes * height * width
  }
}

extension tsr_pool_params {
  fileprivate var inputCount: Int { Int(planes) * Int(height) * Int(width) }
  fileprivate var outputCount: Int { Int(planes) * Int(out_h) * Int(out_w) }
  fileprivate var outputRows: Int { Int(planes) * Int(out_h) }
  fileprivate var inputRows: Int { Int(planes) * Int(height) }
  fileprivate var outputCost: Int { Int(out_w) * Int(kernel_h) * Int(kernel_w) }
  fileprivate var inputCost: Int {
    Int(width) * (1 + Int(kernel_h) * Int(kernel_w) / Int(stride_h) / Int(stride_w))
  }
}
