// SPDX-License-Identifier: Apache-2.0
internal import Kernels

extension KernelDispatching {
  @_semantics("optimize.sil.specialize.generic.never")
  public func unary(
    _ op: UnaryOperation, _ x: Tensor, alpha: Float, beta: Float, into y: Tensor
  ) throws {
    try require("unary \(op)", [(x, x.count)], into: [(y, x.count)], inPlace: true)
    let p = tsr_map_params(count: Int32(x.count), alpha: alpha, beta: beta)
    try launch(op.kernel, items: x.count, cost: 8, p, [x, y])
  }

  @_semantics("optimize.sil.specialize.generic.never")
  public func unaryGrad(_ op: UnaryOperation, _ x: Tensor, _ dy: Tensor, into dx: Tensor) throws {
    guard let kernel = op.gradientKernel else {
      throw TesseraError.failure(
        "unaryGrad", found: "\(op)", wanted: "one of " + UnaryOperation.differentiableNames)
    }
    try require("unaryGrad \(op)", [(x, x.count), (dy, x.count)], into: [(dx, x.count)], inPlace: true)
    let p = tsr_map_params(count: Int32(x.count), alpha: 0, beta: 0)
    try launch(kernel, items: x.count, cost: 8, p, [x, dy, dx])
  }

  @_semantics("optimize.sil.specialize.generic.never")
  public func binary(_ op: BinaryOperation, _ a: Tensor, _ b: Tensor, into c: Tensor) throws {
    try require("binary \(op)", [(a, a.count), (b, a.count)], into: [(c, a.count)], inPlace: true)
    let p = tsr_map_params(count: Int32(a.count), alpha: 0, beta: 0)
    try launch(op.kernel, items: a.count, cost: 2, p, [a, b, c])
  }

  @_semantics("optimize.sil.specialize.generic.never")
  public func binaryChannels(
    _ op: BinaryOperation, _ p: ChannelLayout, _ a: Tensor, _ b: Tensor, into c: Tensor
  ) throws {
    let place = "binaryChannels \(op)"
    let (channels, count) = (p.channels, p.count)
    let p = try p.checked(place)
    try require(place, [(a, count), (b, channels)], into: [(c, count)], inPlace: true)
    guard count > 0 else { return }
    try launch(
      op.channelsKernel, items: Int(p.outer) * Int(p.channels), cost: Int(p.inner), p, [a, b, c])
  }

  /// Divides with the software division of NUMERICS.md rule 2, whatever the device offers.
  @_semantics("optimize.sil.specialize.generic.never")
  func softwareDivide(_ a: Tensor, _ b: Tensor, into c: Tensor) throws {
    try require("softwareDivide", [(b, a.count), (c, a.count)])
    let p = tsr_map_params(count: Int32(a.count), alpha: 0, beta: 0)
    try launch(.softwareDivide, items: a.count, cost: 16, p, [a, b, c])
  }

  /// The software square root of NUMERICS.md rule 2.
  @_semantics("optimize.sil.specialize.generic.never")
  func softwareSquareRoot(_ x: Tensor, into y: Tensor) throws {
    try require("softwareSquareRoot", [(y, x.count)])
    let p = tsr_map_params(count: Int32(x.count), alpha: 0, beta: 0)
    try launch(.softwareSqrt, items: x.count, cost: 16, p, [x, y])
  }
}
