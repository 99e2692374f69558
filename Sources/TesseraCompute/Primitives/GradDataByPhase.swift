// SPDX-License-Identifier: Apache-2.0
internal import Kernels

extension KernelDispatching {
  /// A strided convolution's gradient for the data, phase by phase.
  ///
  /// - Parameter gradient: computes one with stride 1.
  @_semantics("optimize.sil.specialize.generic.never")
  func gradDataByPhase(
    _ p: tsr_conv_params, _ dy: Tensor, _ w: Tensor, into dx: Tensor,
    _ gradient: (tsr_conv_params, Tensor, Tensor, Tensor) throws -> Void
  ) throws {
    let phases = ConvPhase.all(p)
    if phases.contains(where: { $0.conv.weightCount == 0 }) { try fill(dx, with: 0) }
    for phase in phases where phase.conv.weightCount > 0 {
      let weights = try allocate([phase.conv.weightCount], .float32)
      let part = try allocate([phase.conv.inputCount], .float32)
      try grid(phase.weights, w, weights)
      try gradient(phase.conv, dy, weights, part)
      try grid(phase.elements, part, dx)
    }
  }

  @_semantics("optimize.sil.specialize.generic.never")
  private func grid(_ p: tsr_grid_params, _ source: Tensor, _ destination: Tensor) throws {
    try launch(
      .copyGrid, items: Int(p.planes) * Int(p.rows), cost: Int(p.cols), p,
      [source, destination])
  }
}
