// SPDX-License-Identifier: Apache-2.0
internal import Kernels

/// Extents that the contractions of a convolution share.
struct ConvExtents {
  /// Channels per group.
  let groupIn: Int, groupOut: Int
  /// Kernel positions, output positions, input positions of a plane.
  let taps: Int, outputPositions: Int, plane: Int

  init(_ p: tsr_conv_params) {
    groupIn = Int(p.in_channels / p.groups)
    groupOut = Int(p.out_channels / p.groups)
    taps = Int(p.kernel_h) * Int(p.kernel_w)
    outputPositions = Int(p.out_h) * Int(p.out_w)
    plane = Int(p.height) * Int(p.width)
  }
}

extension Convolution {
  /// The kernels' parameters. Throws unless extents make sense and the tensors have them. Windows may end
  /// beyond the bottom and right padding (TensorFlow's "same" padding is larger there): what lies outside is
  /// zero.
  ///
  /// - Parameters:
  ///   - x: the input, or its gradient, and likewise the weights `w` and the output `y`.
  ///   - output: the one of the three that is written.
  func checked(
    _ place: String, x: Tensor, w: Tensor, y: Tensor, bias: Tensor? = nil, into output: Tensor
  ) throws -> tsr_conv_params {
    let inputs = [x, w, y].filter { $0.storage !== output.storage } + (bias.map { [$0] } ?? [])
    guard [x, w, y].count(where: { $0.storage === output.storage }) <= 1 else {
      throw TesseraError.failure(
        place, found: "an output \(output.shape) in an operand's memory", wanted: "memory of its own")
    }
    try require(place, inputs.map { ($0, $0.count) }, into: [(output, output.count)])
    guard activation == .none || output.storage === y.storage else {
      throw TesseraError.failure(place, found: "activation \(activation)", wanted: "none of a gradient")
    }
    try checkFields(place)
    try checkAxis(place, "height", height, \.height)
    try checkAxis(place, "width", width, \.width)
    try checkExactSums(place)
    let counts = [
      ("x", x.count, inputCount), ("w", w.count, weightCount), ("y", y.count, outputCount),
      ("the bias", bias?.count ?? outChannels, outChannels),
    ]
    for (name, found, wanted) in counts where found != wanted {
      throw TesseraError.failure(
        place, found: "\(name) of \(found) elements", wanted: "\(wanted), as \(self) has")
    }
    return tsr_conv_params(self)
  }

  /// Places among digits fit 32 bits, and sums 63.
  private func checkExactSums(_ place: String) throws {
    guard exactDigits != nil else { return }
    let most = Matmul.greatestExactExtent
    let terms = max(
      elements(max(inChannels, outChannels) / groups, kernel.height, kernel.width),
      elements(min(batch, Int(TSR_BATCH_GROUP)), output.height, output.width))
    guard terms <= most else {
      throw TesseraError.failure(
        place, found: "\(terms) terms of a sum of products \(products.rawValue)",
        wanted: "\(most) at most, or fp32 products")
    }
  }

  private func checkFields(_ place: String) throws {
    let fields = FieldCheck(place: place)
    let extents = [
      ("batch", batch), ("inChannels", inChannels), ("outChannels", outChannels), ("height", height),
      ("width", width),
    ]
    for (name, value) in extents { try fields.require(name, value) }
    try fields.require("groups", groups, in: 1...FieldCheck.most)
    guard inChannels % groups == 0, outChannels % groups == 0 else {
      throw TesseraError.failure(
        place, found: "\(inChannels) and \(outChannels) channels in \(groups) groups", wanted: "whole groups")
    }
  }

  private func checkAxis(
    _ place: String, _ name: String, _ input: Int, _ axis: KeyPath<Size2D, Int>
  ) throws {
    let fields = FieldCheck(place: place)
    let (kernel, stride, padding) = (kernel[keyPath: axis], stride[keyPath: axis], padding[keyPath: axis])
    let (dilation, out) = (dilation[keyPath: axis], output[keyPath: axis])
    for (field, value) in [("kernel", kernel), ("stride", stride), ("dilation", dilation)] {
      try fields.require("\(field) \(name)", value, in: 1...FieldCheck.most)
    }
    try fields.require("padding \(name)", padding)
    try fields.require("output \(name)", out)
    // Positions in the padded image are 32-bit numbers.
    let extent = (kernel - 1) * dilation + padding + input
    guard extent <= FieldCheck.most else {
      throw TesseraError.failure(
        place, found: "an image and a kernel that reach over \(extent) pixels of \(name)",
        wanted: "2^31 - 1 at most")
    }
    guard out == 0 || input > 0 && (out - 1) * stride - padding < input else {
      throw TesseraError.failure(
        place, found: "an output \(name) of \(out)", wanted: "windows that start inside the input's \(input)")
    }
  }
}
