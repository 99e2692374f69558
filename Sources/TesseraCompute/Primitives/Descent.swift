// SPDX-License-Identifier: Apache-2.0
internal import Kernels

extension KernelDispatching {
  @_semantics("optimize.sil.specialize.generic.never")
  public func sgd(_ p: DescentStep, gradient: Tensor, parameter: Tensor, velocity: Tensor) throws {
    let (count, p) = (p.count, try p.checked("sgd"))
    try require("sgd", [(gradient, count)], into: [(parameter, count), (velocity, count)])
    try launch(.sgd, items: count, cost: 4, p, [gradient, parameter, velocity])
  }

  @_semantics("optimize.sil.specialize.generic.never")
  public func rmsprop(
    _ p: DescentStep, gradient: Tensor, parameter: Tensor, squares: Tensor, velocity: Tensor
  ) throws {
    let (count, p) = (p.count, try p.checked("rmsprop"))
    try require(
      "rmsprop", [(gradient, count)], into: [(parameter, count), (squares, count), (velocity, count)])
    try launch(.rmsprop, items: count, cost: 8, p, [gradient, parameter, squares, velocity])
  }

  @_semantics("optimize.sil.specialize.generic.never")
  public func lion(_ p: DescentStep, gradient: Tensor, parameter: Tensor, momentum: Tensor) throws {
    let (count, p) = (p.count, try p.checked("lion"))
    try require("lion", [(gradient, count)], into: [(parameter, count), (momentum, count)])
    try launch(.lion, items: count, cost: 4, p, [gradient, parameter, momentum])
  }

  @_semantics("optimize.sil.specialize.generic.never")
  public func blend(_ x: Tensor, share: Float, into y: Tensor) throws {
    try requireScale("blend", share)
    try require("blend", [(x, x.count)], into: [(y, x.count)])
    let p = tsr_map_params(count: Int32(x.count), alpha: share, beta: 0)
    try launch(.blend, items: x.count, cost: 2, p, [x, y])
  }
}
