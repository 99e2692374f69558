// SPDX-License-Identifier: Apache-2.0
internal import Kernels

extension KernelDispatching {
  @_semantics("optimize.sil.specialize.generic.never")
  public func localResponseNorm(
    _ p: LocalResponseNormalization, _ x: Tensor, into y: Tensor, scale: Tensor
  ) throws {
    let p = try checked(p, "localResponseNorm", [x], into: [y, scale])
    try launch(.responseNorm, items: p.planes, cost: p.cost, p, [x, y, scale])
  }

  @_semantics("optimize.sil.specialize.generic.never")
  public func localResponseNormGrad(
    _ p: LocalResponseNormalization, _ x: Tensor, _ dy: Tensor, scale: Tensor, into dx: Tensor
  ) throws {
    let p = try checked(p, "localResponseNormGrad", [x, dy, scale], into: [dx])
    try launch(
      .responseNormGrad, items: p.planes, cost: p.cost * 4, p,
      [x, dy, scale, dx])
  }

  @_semantics("optimize.sil.specialize.generic.never")
  public func swapAxes(_ x: Tensor, outer: Int, a: Int, b: Int, inner: Int, into y: Tensor) throws {
    try requireExtents("swapAxes", outer, a, b, inner)
    let count = outer * a * b * inner
    guard x.count == count, y.count == count, x.elementType == y.elementType else {
      throw TesseraError.failure(
        "swapAxes", found: "\(x.elementType) \(x.shape) into \(y.elementType) \(y.shape)",
        wanted: "\(count) elements of one type")
    }
    try requireWords("swapAxes", x)
    try requireApart("swapAxes", [x], into: [y])
    y.forgetBounds()
    let p = tsr_swap_params(outer: Int32(outer), a: Int32(a), b: Int32(b), inner: Int32(inner))
    try launch(.swapAxes, items: outer * a * b, cost: inner, p, [x, y])
  }

  @_semantics("optimize.sil.specialize.generic.never")
  private func checked(
    _ p: LocalResponseNormalization, _ place: String, _ inputs: [Tensor], into outputs: [Tensor]
  ) throws -> tsr_response_params {
    let lowered = try p.checked(place)
    let count = p.outer * p.channels * p.inner
    try require(place, inputs.map { ($0, count) }, into: outputs.map { ($0, count) })
    return lowered
  }
}

extension tsr_response_params {
  fileprivate var planes: Int { Int(outer) * Int(channels) }
  fileprivate var cost: Int { planes == 0 ? 0 : Int(inner) * (16 + min(Int(size), Int(channels))) }
}
