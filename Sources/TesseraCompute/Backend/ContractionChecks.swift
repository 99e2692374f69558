// SPDX-License-Identifier: Apache-2.0
import Kernels

/// Extents that the contractions of a convolution share.
struct ConvExtents {
  /// Channels per group.
  let groupIn: Int, groupOut: Int
  /// Kernel positions, output positions, input positions of a plane.
  let taps: Int, outputPositions: Int, plane: Int

  init(_ p: ConvParameters) {
    groupIn = Int(p.in_channels / p.groups)
    groupOut = Int(p.out_channels / p.groups)
    taps = Int(p.kernel_h) * Int(p.kernel_w)
    outputPositions = Int(p.out_h) * Int(p.out_w)
    plane = Int(p.height) * Int(p.width)
  }
}

extension ConvParameters {
  /// Throws unless extents make sense and the tensors have them. Windows may end beyond the bottom and right
  /// padding (TensorFlow's "same" padding is larger there): what lies outside is zero.
  ///
  /// - Parameters:
  ///   - inputs: the tensors that are read.
  ///   - output: the one that is written.
  func check(_ place: String, x: Tensor, w: Tensor, y: Tensor, bias: Tensor?, into output: Tensor) throws {
    let inputs = [x, w, y].filter { $0.storage !== output.storage } + (bias.map { [$0] } ?? [])
    guard [x, w, y].count(where: { $0.storage === output.storage }) <= 1 else {
      throw TesseraError.failure(
        place, found: "an output \(output.shape) in an operand's memory", wanted: "memory of its own")
    }
    try require(place, inputs.map { ($0, $0.count) }, into: [(output, output.count)])
    try check(place, x: x.count, w: w.count, y: y.count, bias: bias?.count)
  }

  private func check(_ place: String, x: Int, w: Int, y: Int, bias: Int?) throws {
    func fits(_ out: Int32, _ input: Int32, _ kernel: Int32, _ stride: Int32, _ pad: Int32, _ dilation: Int32)
      -> Bool
    {
      kernel > 0 && stride > 0 && pad >= 0 && dilation > 0 && out >= 0 && input >= 0
        // Places in the padded image are 32-bit numbers.
        && (Int(kernel) - 1) * Int(dilation) + Int(pad) + Int(input) <= Int(Int32.max)
        && (out == 0
          || input > 0 && (Int(out) - 1) * Int(stride) - Int(pad) < Int(input))
    }
    let sound =
      batch >= 0 && groups > 0 && in_channels >= 0 && out_channels >= 0 && in_channels % groups == 0
      && out_channels % groups == 0 && fits(out_h, height, kernel_h, stride_h, pad_h, dilation_h)
      && fits(out_w, width, kernel_w, stride_w, pad_w, dilation_w)
    let hasKind = self.bias == Int32(TSR_BIAS_NONE) || BiasKind(rawValue: self.bias) != nil && bias != nil
    guard sound, hasKind, FusedActivation(rawValue: activation) != nil, x == inputCount, w == weightCount,
      y == outputCount, bias == nil || bias == Int(out_channels)
    else {
      throw TesseraError.failure(
        place, found: "x \(x), w \(w), y \(y), bias \(bias ?? 0) elements",
        wanted: "what \(self) needs, with windows that start inside the input")
    }
  }
}

extension Tensor {
  /// Throws unless the tensor holds (points, dims), of which rows and columns of distances are.
  func checkPoints(
    _ place: String, _ rows: Range<Int>, _ columns: Range<Int>, points: Int, dims: Int, distances: Tensor
  ) throws {
    try requireExtents(place, points, dims)
    try requireExtents(place, rows.count, columns.count)
    try require(place, [(self, points * dims)], into: [(distances, rows.count * columns.count)])
    for range in [rows, columns] where range.lowerBound < 0 || range.upperBound > points {
      throw TesseraError.failure(place, found: "points \(range)", wanted: "some of 0..<\(points)")
    }
  }
}

extension MatmulParameters {
  /// The parameters with the bias that was given: one without a kind is per column.
  ///
  /// - Throws: `TesseraError` unless every element that the product touches lies inside its tensor, and
  ///   once in C; for a kind of bias without a bias, and for an activation that there is none of.
  func checked(a: Tensor, b: Tensor, c: Tensor, bias: Tensor?) throws -> MatmulParameters {
    try require(
      "matmul", ([a, b] + (bias.map { [$0] } ?? [])).map { ($0, $0.count) }, into: [(c, c.count)])
    var p = self
    if bias != nil, p.bias == Int32(TSR_BIAS_NONE) { p.bias = Int32(TSR_BIAS_COLUMN) }
    guard BiasKind(rawValue: p.bias) != nil, FusedActivation(rawValue: activation) != nil,
      (0...1).contains(accumulate), bias != nil || p.bias == Int32(TSR_BIAS_NONE)
    else {
      throw TesseraError.failure(
        "matmul",
        found: "bias kind \(p.bias) \(bias == nil ? "without" : "with") a bias, activation \(activation), "
          + "accumulate \(accumulate)",
        wanted: "a BiasKind where there is a bias, a FusedActivation, and 0 or 1")
    }
    try p.check(a: a.count, b: b.count, c: c.count, bias: bias?.count)
    return p
  }

  private func check(a: Int, b: Int, c: Int, bias biasCount: Int?) throws {
    func last(_ offset: Int32, _ extents: (Int32, Int32)...) -> Int {
      extents.reduce(Int(offset)) { $0 + (Int($1.0) - 1) * Int($1.1) }
    }
    let empty = batch == 0 || m == 0 || n == 0
    // C's products lie one after another, or side by side in its rows.
    let matrix = last(0, (m, c_row_stride), (n, 1)) + 1
    let isApart =
      batch <= 1 || Int(c_batch_stride) >= matrix
      || c_batch_stride >= n && last(0, (batch, c_batch_stride)) + Int(n) <= Int(c_row_stride)
      || m == 1
        && c_batch_stride >= n
    let inside =
      empty
      || (k == 0
        || last(a_offset, (batch, a_batch_stride), (m, a_row_stride), (k, a_col_stride)) < a
          && last(b_offset, (batch, b_batch_stride), (k, b_row_stride), (n, b_col_stride)) < b)
        && last(c_offset, (batch, c_batch_stride), (m, c_row_stride), (n, 1)) < c && c_row_stride >= n
    let strides = [
      a_row_stride, a_col_stride, b_row_stride, b_col_stride, a_batch_stride, b_batch_stride,
      c_batch_stride, a_offset, b_offset, c_offset, bias_offset,
    ]
    let wanted = bias == Int32(TSR_BIAS_NONE) ? nil : bias == Int32(TSR_BIAS_COLUMN) ? n : m
    guard batch >= 0, m >= 0, n >= 0, k >= 0, chunk >= 1, chunk <= TSR_K_CHUNK,
      strides.allSatisfy({ $0 >= 0 }), inside, empty || isApart,
      wanted == nil || (biasCount ?? -1) >= Int(bias_offset) + Int(wanted ?? 0)
    else {
      throw TesseraError.failure(
        "matmul", found: "a \(a), b \(b), c \(c), bias \(biasCount ?? 0) elements",
        wanted: "what \(self) needs")
    }
  }
}
