// SPDX-License-Identifier: Apache-2.0
internal import Kernels

/// The ways to compute a convolution or one of its gradients. All give the same bits (NUMERICS.md rules 4
/// and 6).
enum ConvAlgorithm: CaseIterable {
  /// Lanes are output positions, or groups: few channels are made of few (`conv_grouped`).
  case grouped
  /// Lanes are output channels, taps are read in place from padded planes (`conv_blocked`).
  case blocked
  /// One work-item an output: few channels on a GPU (`tsr_conv_per_output`).
  case perOutput
  /// A matrix product: every output reads the input at its own position alone.
  case pointwise
  /// A matrix product whose operand is read from the image while it is packed (`implicit_gemm`).
  case implicitGEMM
}

/// What is computed of a convolution.
enum ConvDirection {
  /// The output.
  case forward
  /// The gradient for the input, of a convolution with stride 1.
  case gradData
  /// The gradient for the kernels.
  case gradWeight
}

/// Who computes it; `panel`: lanes of output channels that one panel of packed kernels has.
enum ConvTarget {
  case cpu(panel: Int)
  case openCLCPU(panel: Int)
  case openCLGPU
}

/// What of a convolution decides how it is computed. Batch and threads are no part of it: a way changes no
/// bit, but its speed should not change with the batch either.
struct ConvShape {
  /// Groups; channels of a group that are read and that are made (of a gradient for the kernels: of input
  /// and output).
  let groups: Int, inputs: Int, outputs: Int
  /// Kernel positions; columns of what the kernel is moved over; the kernel's own columns, stride and
  /// dilation along a row.
  let taps: Int, columns: Int, kernelW: Int, strideW: Int, dilationW: Int
  /// Whether every output reads the input at its own position alone.
  let isPointwise: Bool
  /// Whether the activation is a comparison, which the register tile applies itself.
  let hasSimpleActivation: Bool

  /// Terms of one output of a group's forward pass or gradient for the data; columns of a gradient for the
  /// kernels.
  var depth: Int { inputs * taps }

  /// Whether at most a fifth of the lanes stays empty in panels of output channels.
  func fills(_ panel: Int) -> Bool { (outputs + panel - 1) / panel * panel * 4 <= outputs * 5 }
}

/// Which shape goes to which kernel, for C and OpenCL: the rules of one target and direction, looked at
/// from the top. The first whose condition holds and whose buffers fit the target's memory is taken.
enum ConvSelection {
  /// One row of the table.
  private struct Rule {
    let algorithm: ConvAlgorithm
    let holds: (ConvShape) -> Bool

    init(_ algorithm: ConvAlgorithm, _ holds: @escaping (ConvShape) -> Bool = { _ in true }) {
      (self.algorithm, self.holds) = (algorithm, holds)
    }
  }

  /// The ways that suit a shape, the best first.
  static func candidates(
    _ direction: ConvDirection, _ shape: ConvShape, on target: ConvTarget
  ) -> [ConvAlgorithm] {
    rules(direction, target).filter { $0.holds(shape) }.map(\.algorithm)
  }

  private static func rules(_ direction: ConvDirection, _ target: ConvTarget) -> [Rule] {
    let chunk = Int(TSR_K_CHUNK)
    switch (target, direction) {
    case (.cpu(let panel), .forward), (.cpu(let panel), .gradData):
      return [
        Rule(.grouped) { s in
          s.groups > 1
            ? s.outputs <= 16 && s.depth <= chunk
            : direction == .gradData && s.outputs < 4 && s.depth <= 4 * chunk
        },
        Rule(.blocked) { s in
          s.hasSimpleActivation && s.taps > 1 && s.columns >= 4 && s.depth >= 64 && s.fills(panel)
        },
        Rule(.pointwise) { $0.isPointwise },
        Rule(.implicitGEMM),
      ]
    case (.cpu(let panel), .gradWeight):
      return [
        Rule(.grouped) { $0.groups >= 4 && $0.outputs <= 16 && $0.depth <= chunk },
        Rule(.blocked) { $0.dilationW == 1 && $0.strideW <= 8 && $0.columns >= 4 && $0.fills(panel) },
        Rule(.implicitGEMM),
      ]
    case (.openCLCPU(let panel), .forward), (.openCLCPU(let panel), .gradData):
      return [
        Rule(.grouped) { s in
          s.depth > 0 && (s.groups > 1 ? s.outputs <= 16 : s.outputs <= 4 || s.depth < 64)
        },
        Rule(.pointwise) { $0.isPointwise },
        Rule(.blocked) { $0.columns >= 4 && $0.depth >= 16 && $0.fills(panel) },
        Rule(.implicitGEMM),
      ]
    case (.openCLCPU(let panel), .gradWeight):
      return [
        Rule(.grouped) { s in
          s.groups >= 4 && s.outputs <= 16 && (1...chunk).contains(s.depth) && s.outputs * s.taps <= chunk
        },
        Rule(.blocked) { s in
          s.dilationW == 1 && s.strideW <= 8 && (s.kernelW > 1 || s.strideW == 1) && s.columns >= 4
            && s.depth > 0 && s.fills(panel)
        },
        Rule(.implicitGEMM),
      ]
    case (.openCLGPU, .forward), (.openCLGPU, .gradData):
      return [
        Rule(.perOutput) { $0.outputs <= 8 }, Rule(.pointwise) { $0.isPointwise }, Rule(.implicitGEMM),
      ]
    case (.openCLGPU, .gradWeight):
      return [Rule(.perOutput) { $0.outputs <= 8 && $0.groups > 1 }, Rule(.implicitGEMM)]
    }
  }
}

extension ConvShape {
  /// The shape of one direction of a convolution.
  init(_ p: tsr_conv_params, _ direction: ConvDirection) {
    let e = ConvExtents(p)
    groups = Int(p.groups)
    (inputs, outputs) = direction == .gradData ? (e.groupOut, e.groupIn) : (e.groupIn, e.groupOut)
    taps = e.taps
    columns = Int(direction == .gradData ? p.width : p.out_w)
    (kernelW, strideW, dilationW) = (Int(p.kernel_w), Int(p.stride_w), Int(p.dilation_w))
    isPointwise = p.isPointwise
    hasSimpleActivation = FusedActivation(rawValue: p.activation)?.isSimple ?? false
  }
}

extension tsr_conv_params {
  /// Whether every output reads the input at its own position alone.
  var isPointwise: Bool {
    kernel_h == 1 && kernel_w == 1 && stride_h == 1 && stride_w == 1 && pad_h == 0 && pad_w == 0
      && (out_h, out_w) == (height, width)
  }
}
