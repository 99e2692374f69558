// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

/// Reductions. The elements of the axes, in their order, are the row of NUMERICS.md rule 5.
extension Variable {
  /// The sum over axes.
  ///
  /// - Parameters:
  ///   - axes: counted from the end where they are negative; all, unless given.
  ///   - keepDims: whether the axes stay, with extent 1.
  /// - Throws: `TesseraError` for axes that it does not have, and for a sum over the rows of a batch that
  ///   devices share.
  public func sum(_ axes: Int..., keepDims: Bool = false) throws -> Variable {
    try Context.of([self], "sum").summed(self, axes.isEmpty ? nil : axes, keepDims)
  }

  /// The mean over axes: the sum divided by the number of elements.
  ///
  /// - Parameters:
  ///   - axes: counted from the end where they are negative; all, unless given.
  ///   - keepDims: whether the axes stay, with extent 1.
  /// - Throws: `TesseraError` as `sum`, and for a mean over nothing.
  public func mean(_ axes: Int..., keepDims: Bool = false) throws -> Variable {
    try Context.of([self], "mean").averaged(self, axes.isEmpty ? nil : axes, keepDims)
  }

  /// The greatest over axes; a NaN is passed over. Equal ones share the gradient evenly.
  ///
  /// - Parameters:
  ///   - axes: counted from the end where they are negative; all, unless given.
  ///   - keepDims: whether the axes stay, with extent 1.
  /// - Throws: `TesseraError` as `sum`, and for the greatest of nothing.
  public func max(_ axes: Int..., keepDims: Bool = false) throws -> Variable {
    try Context.of([self], "max").greatest(self, axes.isEmpty ? nil : axes, keepDims)
  }

  /// The least over axes; a NaN is passed over. Equal ones share the gradient evenly.
  ///
  /// - Parameters:
  ///   - axes: counted from the end where they are negative; all, unless given.
  ///   - keepDims: whether the axes stay, with extent 1.
  /// - Throws: `TesseraError` as `sum`, and for the least of nothing.
  public func min(_ axes: Int..., keepDims: Bool = false) throws -> Variable {
    try -Context.of([self], "min").greatest(try -self, axes.isEmpty ? nil : axes, keepDims)
  }

  /// The index of the greatest along an axis, the first of equals, int32; a NaN is passed over.
  ///
  /// - Parameter axis: counted from the end where it is negative; the last, unless given.
  /// - Throws: `TesseraError` for an axis that it does not have, or of extent 0.
  public func argmax(axis: Int = -1) throws -> Tensor {
    let device = try device("argmax")
    let axis = try Axes.one("argmax", axis, of: shape)
    let rows = try device.rows(value, over: [axis])
    var extents = shape
    extents.remove(at: axis)
    let y = try device.allocate(extents, .int32)
    try device.rowArgmax(rows.x, rows: rows.rows, columns: rows.columns, into: y)
    return y
  }
}

extension Context {
  func summed(_ x: Variable, _ axes: [Int]?, _ keepDims: Bool) throws -> Variable {
    let axes = try reduced("sum", x, axes)
    return try dropping(axes, keepDims, try summed(x, axes))
  }

  /// With the axes kept.
  private func summed(_ x: Variable, _ axes: [Int]) throws -> Variable {
    let device = device
    return output(try device.sum(x.value, over: axes), of: [x]) { tape, dy in
      try tape.accumulate(try device.expanded(dy, to: x.shape), to: x)
    }
  }

  func averaged(_ x: Variable, _ axes: [Int]?, _ keepDims: Bool) throws -> Variable {
    let axes = try reduced("mean", x, axes)
    let count = try Self.requireSome("mean", x, axes)
    return try dropping(axes, keepDims, try combine(.divide, try summed(x, axes), try constant(Float(count))))
  }

  func greatest(_ x: Variable, _ axes: [Int]?, _ keepDims: Bool) throws -> Variable {
    let axes = try reduced("max", x, axes)
    _ = try Self.requireSome("max", x, axes)
    let rows = try device.rows(x.value, over: axes)
    let y = try device.allocate(
      x.shape.enumerated().map { axes.contains($0.offset) ? 1 : $0.element }, .float32)
    try device.rowMax(rows.x, rows: rows.rows, columns: rows.columns, into: y)
    let device = device
    let kept = output(y, of: [x]) { tape, dy in
      let chosen = try device.combined(.equal, x.value, y)
      let share = try device.combined(.divide, dy, try device.sum(chosen, over: axes))
      try tape.accumulate(try device.combined(.multiply, chosen, share), to: x)
    }
    return try dropping(axes, keepDims, kept)
  }

  private func dropping(_ axes: [Int], _ keepDims: Bool, _ x: Variable) throws -> Variable {
    if keepDims { return x }
    return try reshape(x, x.shape.indices.filter { !axes.contains($0) }.map { x.shape[$0] })
  }

  /// The axes of a reduction. Rows of a batch of which a part is here are not reduced: the others are
  /// elsewhere.
  private func reduced(_ place: String, _ x: Variable, _ axes: [Int]?) throws -> [Int] {
    let axes = try Axes.some(place, axes, of: x.shape)
    guard part(of: x) == nil || axes.first != 0 else {
      throw TesseraError.failure(
        place, found: "a reduction of \(x.shape) over the rows of a batch that devices share",
        wanted: "one number a row, and backward(meanOf:) for their mean")
    }
    return axes
  }

  private static func requireSome(_ place: String, _ x: Variable, _ axes: [Int]) throws -> Int {
    let count = axes.reduce(1) { $0 * x.shape[$1] }
    guard count > 0 else {
      throw TesseraError.failure(place, found: "axes \(axes) of \(x.shape)", wanted: "one element or more")
    }
    return count
  }
}
