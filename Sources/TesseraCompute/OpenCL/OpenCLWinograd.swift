// SPDX-License-Identifier: Apache-2.0
internal import Kernels

/// Convolutions by fewer multiplications on CPU devices: `Kernels/conv/winograd_cpu.h`. GPUs:
/// OpenCLWinogradGPU.swift.
extension OpenCLBackend {
  /// A convolution, or its gradient for the data.
  func winograd(
    _ parameters: tsr_winograd_params, _ x: Tensor, _ w: Tensor, bias: Tensor?, into y: Tensor
  ) throws {
    var p = parameters
    p.bias = bias == nil ? 0 : 1
    guard !gpu else { return try winogradGPU(p, x, w, bias: bias, into: y) }
    let panel = winogradPanel(p), units = device.computeUnits
    p.block = Int32(p.block(rows: panel == 32 ? 12 : 6, workers: units))
    let panels = (Int(p.outputs) + panel - 1) / panel
    let ofPanel = Int(p.channels) * panel * p.points * p.points
    let blocks = (p.tiles + Int(p.block) - 1) / Int(p.block)
    let items = min(2 * units, blocks * p.parts(panels: panels, workers: units))
    var layout = tsr_winograd_scratch()
    tsr_winograd_lay_out(&p, Int32(Self.winogradLanes), Int32(panel), &layout)
    let scratch = try allocate([items, Int(layout.count)], .float32)
    let taps = try allocate([2 * units, Int(tsr_winograd_taps(Int32(Self.winogradLanes)))], .float32)
    try w.openCLStorage("conv2d", pool).prepared.use(
      PreparedWeights.Key(p, panel: panel), isKept: elements(ofPanel, panels) <= WinogradMemory.kept
    ) {
      let packed = try allocate([panels, ofPanel], .float32)
      (p.first_panel, p.panels) = (0, Int32(panels))
      try enqueue(.winogradPack, p, p, panel, items: 2 * units, [w, packed, taps])
      return packed
    } _: { packed in
      let most = packed == nil ? min(panels, max(1, WinogradMemory.weights / ofPanel)) : panels
      let weights = try packed ?? allocate([most, ofPanel], .float32)
      for first in stride(from: 0, to: panels, by: most) {
        let count = min(most, panels - first)
        (p.first_panel, p.panels) = (Int32(first), Int32(count))
        p.parts = Int32(p.parts(panels: count, workers: units))
        if packed == nil {
          try enqueue(.winogradPack, p, p, panel, items: 2 * units, [w, weights, taps])
        }
        try enqueue(.convWinograd, p, p, panel, items: items, [x, weights, bias ?? weights, y, scratch])
      }
    }
  }

  /// A gradient for the weights.
  func gradWeightWinograd(
    _ parameters: tsr_winograd_params, _ x: Tensor, _ dy: Tensor, into dw: Tensor
  ) throws {
    var part = tsr_winograd_part_params()
    part.conv = parameters
    guard !gpu else { return try gradWeightWinogradGPU(part, x, dy, into: dw) }
    let units = device.computeUnits, panel = winogradPanel(parameters), lanes = Self.winogradLanes
    let most = parameters.groupsAtOnce(weights: dw.count)
    let tasks = part.conv.divide(groups: most, workers: units, lanes: lanes)
    let items = min(2 * units, tasks)
    var layout = tsr_winograd_weight_scratch()
    tsr_winograd_weight_lay_out(&part.conv, Int32(lanes), &layout)
    let scratch = try allocate([items * Int(layout.count)], .float32)
    let partial = try allocate([most * dw.count], .float32)
    for first in stride(from: 0, to: parameters.groups, by: most) {
      (part.first, part.count) = (Int32(first), Int32(min(most, parameters.groups - first)))
      try enqueue(.gradWeightWinograd, part, parameters, panel, items: items, [x, dy, partial, scratch])
      try enqueue(.reduceGradWeightWinograd, part, parameters, panel, items: 2 * units, [partial, dw])
    }
  }

  /// Channels of a vector of these kernels.
  private static var winogradLanes: Int { 16 }

  /// Output channels of a panel: by the product that each point is.
  private func winogradPanel(_ p: tsr_winograd_params) -> Int {
    tuning.tiles(
      m: Int(p.outputs), n: p.tiles, parts: p.points * p.points, units: device.computeUnits, gpu: false
    ).columns
  }

  private func enqueue<P: KernelParameters>(
    _ kernel: Kernel, _ parameters: P, _ p: tsr_winograd_params, _ panel: Int, items: Int, _ tensors: [Tensor]
  ) throws {
    try withUnsafeBytes(of: parameters) {
      try enqueue(
        kernel, options: " -DTSR_VECTORS=\(panel / 16) -DTSR_WINO_TAPS=\(p.taps)", global: [items],
        local: [1],
        parameters: $0, tensors)
    }
  }
}
