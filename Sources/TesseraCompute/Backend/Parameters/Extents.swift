// SPDX-License-Identifier: Apache-2.0
extension Int32 {
  /// An extent, a stride or an offset of a kernel's parameters. What does not fit 32 bits, which checks
  /// refuse before, becomes -1.
  init(extent: Int) { self = Int32(exactly: extent) ?? -1 }
}

/// How many windows have room along an axis; -1 for arguments that make no sense.
func windows(_ input: Int, kernel: Int, stride: Int, padding: Int, dilation: Int = 1) -> Int {
  let bound = 0...Int(Int32.max)
  guard [input, kernel, padding].allSatisfy(bound.contains), stride >= 1, dilation >= 1,
    stride <= bound.upperBound, dilation <= bound.upperBound
  else { return -1 }
  return max(0, (input + 2 * padding - dilation * (kernel - 1) - 1 + stride) / stride)
}

/// The product of extents, negative if one is; Int.max where it does not fit, which no tensor has.
func elements(_ extents: Int...) -> Int {
  if extents.contains(where: { $0 < 0 }) { return -1 }
  if extents.contains(0) { return 0 }
  return extents.reduce(1) { product, extent in
    let (next, overflow) = product.multipliedReportingOverflow(by: extent)
    return overflow ? Int.max : next
  }
}

/// Throws unless extents are 0 or more and their product fits 32-bit indices.
package func requireExtents(_ place: String, _ extents: Int...) throws {
  _ = try Tensor.elementCount(extents, place)
}

extension Tensor {
  /// The number of elements of a shape.
  ///
  /// - Throws: `TesseraError` for a negative extent and for more elements than 32-bit indices reach.
  package static func elementCount(_ shape: [Int], _ place: String? = nil) throws -> Int {
    var count = 1
    for extent in shape {
      let (product, overflow) = count.multipliedReportingOverflow(by: extent)
      guard extent >= 0, extent <= Int(Int32.max), !overflow, product <= Int(Int32.max) else {
        throw TesseraError.failure(
          place ?? "a tensor", found: "extents \(shape)", wanted: "0 or more, at most 2^31 - 1 elements")
      }
      count = product
    }
    return count
  }
  /// Throws unless a transfer of bytes from an element on lies inside the tensor.
  func checkTransfer(_ bytes: Int, _ offset: Int) throws {
    let size = elementType.byteCount
    guard offset >= 0, offset <= count, bytes <= (count - offset) * size, bytes % size == 0 else {
      throw TesseraError.failure(
        "transfer", found: "\(bytes) bytes from element \(offset)", wanted: "whole ones of \(count) elements")
    }
  }
}
