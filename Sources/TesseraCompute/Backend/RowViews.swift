// SPDX-License-Identifier: Apache-2.0

extension Backend {
  /// Some rows of a tensor, to be read: the same memory where that is the host's and they begin at a border
  /// of 64 bytes, as every tensor does; else a copy.
  ///
  /// - Parameters:
  ///   - range: which indices of the first extent.
  ///   - x: (rows, ...); what changes it afterwards may change these rows too.
  /// - Throws: `TesseraError` for rows that it does not have, and where there is no memory.
  package func rows(_ range: Range<Int>, of x: Tensor) throws -> Tensor {
    guard let rows = x.shape.first, range.lowerBound >= 0, range.upperBound <= rows else {
      throw TesseraError.failure(
        "rows of a tensor", found: "\(range) of \(x.shape)", wanted: "some of its rows")
    }
    let row = rows == 0 ? 0 : x.count / rows
    let shape = [range.count] + x.shape.dropFirst()
    let bytes = range.lowerBound * row * 4..<range.upperBound * row * 4
    if x.elementType == .float32, let storage = x.storage as? CPUStorage, bytes.lowerBound % 64 == 0 {
      return try Tensor(shape: shape, elementType: .float32, storage: CPUStorage(bytes, of: storage))
    }
    let copy = try allocate(shape, x.elementType)
    let count = range.count * row
    guard count > 0 else { return copy }
    try self.copy(
      x, to: copy,
      region: CopyRegion(
        rows: 1, columns: count, sourceOffset: range.lowerBound * row, sourceStride: count,
        destinationStride: count))
    return copy
  }
}
