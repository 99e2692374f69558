// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

// What differentiable functions are made of: primitives that allocate their result.
extension MemoryBackend {
  /// The elements under other axes: axis i of the result is axis order[i] of x.
  func permuted(_ x: Tensor, _ order: [Int]) throws -> Tensor {
    let strides = StridedCopy.strides(x.shape)
    let y = try allocate(order.map { x.shape[$0] }, x.elementType)
    try copy(x, to: y, strided: StridedCopy(y.shape, sourceStrides: order.map { strides[$0] }))
    return y
  }

  /// The elements repeated along axes of extent 1, and along new ones in front.
  func expanded(_ x: Tensor, to shape: [Int]) throws -> Tensor {
    let dense = StridedCopy.strides(x.shape)
    let added = shape.count - x.shape.count
    let strides = shape.indices.map { axis in
      axis < added || x.shape[axis - added] == 1 ? 0 : dense[axis - added]
    }
    let y = try allocate(shape, x.elementType)
    try copy(x, to: y, strided: StridedCopy(shape, sourceStrides: strides))
    return y
  }
}

extension Backend {
  /// op(a, b) of shapes that broadcast.
  func combined(_ op: BinaryOperation, _ a: Tensor, _ b: Tensor) throws -> Tensor {
    let shapes = try Broadcast([a.shape, b.shape], place: "\(op)")
    let c = try allocate(shapes.output, .float32)
    try binary(op, shapes, a, b, into: c)
    return c
  }

  /// condition ? a : b of shapes that broadcast.
  func selected(_ condition: Tensor, _ a: Tensor, _ b: Tensor) throws -> Tensor {
    let shapes = try Broadcast([condition.shape, a.shape, b.shape], place: "select")
    let c = try allocate(shapes.output, .float32)
    try select(shapes, condition, a, b, into: c)
    return c
  }

  /// scale x + shift, rounded once. Without a shift +0 or -0 stays what it is.
  func affine(_ x: Tensor, scale: Float, shift: Float = -0.0) throws -> Tensor {
    let y = try allocate(x.shape, .float32)
    try unary(.affine, x, alpha: scale, beta: shift, into: y)
    return y
  }

  /// One number, of no axes.
  func scalar(_ value: Float) throws -> Tensor {
    let y = try allocate([], .float32)
    try fill(y, with: value)
    return y
  }

  /// The axes that are left, then those that are summed, in their order: rows of NUMERICS.md rule 5. Nothing
  /// moves where they lie so already.
  func rows(_ x: Tensor, over axes: [Int]) throws -> (x: Tensor, rows: Int, columns: Int) {
    let kept = x.shape.indices.filter { !axes.contains($0) }
    let columns = axes.reduce(1) { $0 * x.shape[$1] }
    let order = kept + axes
    let moving = order.filter { x.shape[$0] != 1 }
    let moved = moving == moving.sorted() ? x : try permuted(x, order)
    return (moved, kept.reduce(1) { $0 * x.shape[$1] }, columns)
  }

  /// Sums over axes, which stay with extent 1.
  func sum(_ x: Tensor, over axes: [Int]) throws -> Tensor {
    let y = try allocate(x.shape.enumerated().map { axes.contains($0.offset) ? 1 : $0.element }, .float32)
    let r = try rows(x, over: axes)
    try rowSum(r.x, rows: r.rows, columns: r.columns, into: y)
    return y
  }
}
