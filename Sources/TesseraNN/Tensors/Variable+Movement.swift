// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

/// Elements that move: other shapes, orders and parts. Their bits stay.
extension Variable {
  /// The same elements under another shape.
  ///
  /// - Parameter shape: its extents; one of them may be -1, and is what is left.
  /// - Throws: `TesseraError` for another number of elements.
  public func reshaped(_ shape: Int...) throws -> Variable { try reshaped(shape) }

  /// The same elements under another shape.
  ///
  /// - Parameter shape: its extents; one of them may be -1, and is what is left.
  /// - Throws: `TesseraError` for another number of elements.
  public func reshaped(_ shape: [Int]) throws -> Variable {
    let context = try Context.of([self], "reshape")
    guard let free = shape.firstIndex(of: -1) else { return try context.reshape(self, shape) }
    var extents = shape
    extents[free] = 1
    let rest = try Tensor.elementCount(extents, "reshape")
    guard rest > 0, value.count % rest == 0 else {
      throw TesseraError.failure(
        "reshape", found: "\(value.count) elements of \(self.shape)",
        wanted: "a multiple of \(rest) for \(shape)")
    }
    extents[free] = value.count / rest
    return try context.reshape(self, extents)
  }

  /// The axes in another order: axis i of the result is axis order[i] of this.
  ///
  /// - Parameter order: every axis once, counted from the end where it is negative; reversed, unless given.
  /// - Throws: `TesseraError` for another list.
  public func permuted(_ order: Int...) throws -> Variable {
    let context = try Context.of([self], "permute")
    let axes = order.isEmpty ? Array(shape.indices.reversed()) : order
    let found = try axes.map { try Axes.one("permute", $0, of: shape) }
    guard found.sorted() == Array(shape.indices) else {
      throw TesseraError.failure("permute", found: "axes \(order) of \(shape)", wanted: "each axis once")
    }
    return try context.permute(self, found)
  }

  /// Two axes exchanged; the last two, unless given.
  ///
  /// - Parameters:
  ///   - a: an axis, counted from the end where it is negative.
  ///   - b: another.
  /// - Throws: `TesseraError` for axes that it does not have.
  public func transposed(_ a: Int = -2, _ b: Int = -1) throws -> Variable {
    let (a, b) = (try Axes.one("transpose", a, of: shape), try Axes.one("transpose", b, of: shape))
    return try Context.of([self], "transpose").permute(self, Axes.exchanged(a, b, rank: shape.count))
  }

  /// Indices of an axis.
  ///
  /// - Parameters:
  ///   - range: within 0 up to the axis's extent.
  ///   - axis: counted from the end where it is negative; the first, unless given.
  ///   - step: from an index to the next, 1 or more.
  /// - Throws: `TesseraError` for indices that the axis does not have.
  public func slice(_ range: Range<Int>, axis: Int = 0, step: Int = 1) throws -> Variable {
    let axis = try Axes.one("slice", axis, of: shape)
    guard range.lowerBound >= 0, range.upperBound <= shape[axis], step >= 1 else {
      throw TesseraError.failure(
        "slice", found: "\(range) by \(step) of axis \(axis)",
        wanted: "within 0..<\(shape[axis]), a step of 1 or more")
    }
    let count = range.isEmpty ? 0 : (range.count - 1) / step + 1
    // Of one index there is no next.
    let part = AxisPart(first: range.lowerBound, count: count, step: count > 1 ? step : 1)
    return try Context.of([self], "slice").part(part, of: self, axis)
  }

  /// Parts of an axis, one after another.
  ///
  /// - Parameters:
  ///   - counts: indices of each part; together those of the axis.
  ///   - axis: counted from the end where it is negative; the first, unless given.
  /// - Throws: `TesseraError` for parts that are not the axis.
  public func split(_ counts: [Int], axis: Int = 0) throws -> [Variable] {
    let axis = try Axes.one("split", axis, of: shape)
    guard counts.allSatisfy({ $0 >= 0 && $0 <= shape[axis] }), counts.reduce(0, &+) == shape[axis] else {
      throw TesseraError.failure(
        "split", found: "parts \(counts)", wanted: "\(shape[axis]) indices of axis \(axis)")
    }
    let context = try Context.of([self], "split")
    var first = 0
    return try counts.map { count in
      defer { first += count }
      return try context.part(AxisPart(first: first, count: count, step: 1), of: self, axis)
    }
  }

  /// The elements repeated by NumPy's rules.
  ///
  /// - Parameter shape: extents that this one's broadcast to.
  /// - Throws: `TesseraError` for another shape.
  public func expanded(to shape: [Int]) throws -> Variable {
    try Context.of([self], "expand").expand(self, shape)
  }

  /// Numbers around the elements.
  ///
  /// - Parameters:
  ///   - widths: for each axis, how many before and after.
  ///   - value: the number.
  /// - Throws: `TesseraError` for widths below 0, and for another number of them than axes.
  public func padded(_ widths: [(before: Int, after: Int)], with value: Float = 0) throws -> Variable {
    try Context.of([self], "pad").pad(self, widths, value)
  }

  /// Variables one after another along an axis.
  ///
  /// - Parameters:
  ///   - parts: one or more, of one shape but for the axis.
  ///   - axis: counted from the end where it is negative; the first, unless given.
  /// - Throws: `TesseraError` for shapes that do not fit.
  public static func concatenated(_ parts: [Variable], axis: Int = 0) throws -> Variable {
    try Context.of(parts, "concatenate").concatenate(parts, axis)
  }

  /// Variables of one shape along a new axis.
  ///
  /// - Parameters:
  ///   - parts: one or more.
  ///   - axis: where the new axis is; the first, unless given. Negative ones count from the end of the
  ///     result.
  /// - Throws: `TesseraError` for shapes that differ.
  public static func stacked(_ parts: [Variable], axis: Int = 0) throws -> Variable {
    let context = try Context.of(parts, "stack")
    var shape = parts.first?.shape ?? []
    for part in parts where part.shape != shape {
      throw TesseraError.failure("stack", found: "\(shape) and \(part.shape)", wanted: "equal shapes")
    }
    let axis = try Axes.one("stack", axis, of: shape + [1])
    shape.insert(1, at: axis)
    return try context.concatenate(try parts.map { try context.reshape($0, shape) }, axis)
  }
}

/// Indices of an axis: so many from the first on, by steps.
struct AxisPart {
  var first: Int, count: Int, step: Int

  /// The copy from the whole axis to these indices, and its way back.
  func copy(_ shape: [Int], _ axis: Int) -> (shape: [Int], from: StridedCopy, back: StridedCopy) {
    var (part, strides) = (shape, StridedCopy.strides(shape))
    part[axis] = count
    let offset = count == 0 ? 0 : first * strides[axis]
    strides[axis] *= step
    return (
      part, StridedCopy(part, sourceOffset: offset, sourceStrides: strides),
      StridedCopy(part, destinationOffset: offset, destinationStrides: strides)
    )
  }
}
