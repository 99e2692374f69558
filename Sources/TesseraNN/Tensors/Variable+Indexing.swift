// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

extension Variable {
  /// Indices of an axis by number, in any order and any number of times, as NumPy's `take`: an embedding is
  /// that of a table's first axis.
  ///
  /// The gradient adds up what came of each index: by chains in groups of 8 samples, the first axis of the
  /// indices (NUMERICS.md rule 6).
  ///
  /// - Parameters:
  ///   - indices: int32, of any shape, which takes the axis's place.
  ///   - axis: counted from the end where it is negative; the first, unless given.
  /// - Throws: `TesseraError` for indices outside of the axis.
  public func taking(_ indices: Tensor, axis: Int = 0) throws -> Variable {
    let context = try Context.of([self], "take")
    let axis = try Axes.one("take", axis, of: shape)
    guard axis > 0 else { return try context.take(self, indices) }
    // The axis to the front; what the indices made of it back to its place.
    let taken = try context.take(
      try context.permute(self, [axis] + shape.indices.filter { $0 != axis }), indices)
    let added = indices.shape.count
    let order = Array(added..<added + axis) + Array(0..<added) + Array((added + axis)..<taken.shape.count)
    return try context.permute(taken, order)
  }

  /// Indices of an axis by number.
  ///
  /// - Parameters:
  ///   - indices: in any order and any number of times.
  ///   - axis: counted from the end where it is negative; the first, unless given.
  /// - Throws: `TesseraError` for indices outside of the axis.
  public func taking(_ indices: [Int], axis: Int = 0) throws -> Variable {
    let context = try Context.of([self], "take")
    let words = try indices.map { index in
      guard let word = Int32(exactly: index) else {
        throw TesseraError.failure("take", found: "index \(index)", wanted: "one of the axis")
      }
      return word
    }
    return try taking(try context.device.tensor(words, [words.count]), axis: axis)
  }
}

extension Context {
  /// Rows of a table, its first axis, by number.
  func take(_ table: Variable, _ indices: Tensor) throws -> Variable {
    guard let entries = table.shape.first else {
      throw TesseraError.failure("take", found: "a scalar", wanted: "a variable with axes")
    }
    let row = Array(table.shape.dropFirst())
    let columns = row.reduce(1, *)
    guard columns > 0, entries > 0 || indices.count == 0 else {
      throw TesseraError.failure("take", found: "\(table.shape)", wanted: "one element a row or more")
    }
    let y = try device.allocate(indices.shape + row, .float32)
    try device.gatherRows(table.value, ids: indices, columns: columns, into: y)
    let isOverBatch = !table.isOfParameters || part == nil || indices.shape.first == part?.samples.count
    let batch = BatchSums(device: device, part: table.isOfParameters && isOverBatch ? part : nil)
    let device = device
    let result = output(y, of: [table]) { tape, dy in
      let samples = Swift.max(1, indices.shape.first ?? 1)
      let group = BatchShard.group * Swift.max(1, indices.count / samples)
      let rows = try dy.reshaped(indices.shape.isEmpty ? [1] + row : dy.shape)
      let ids = try indices.reshaped(indices.shape.isEmpty ? [1] : indices.shape)
      try batch.pass(tape, to: [table], [rows, ids], by: .chain) { inputs, _ in
        let gradient = try device.allocate(table.shape, .float32)
        try device.gatherRowsGrad(inputs[0], ids: inputs[1], columns: columns, group: group, into: gradient)
        return [gradient]
      }
    }
    // Which rows they are depends on the batch.
    result.isOfParameters = false
    return result
  }
}
