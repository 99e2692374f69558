// SPDX-License-Identifier: Apache-2.0
internal import Kernels

extension KernelDispatching {
  @_semantics("optimize.sil.specialize.generic.never")
  public func convert(_ x: Tensor, into y: Tensor) throws {
    let (from, to) = (x.elementType, y.elementType)
    guard y.count == x.count else {
      throw TesseraError.failure(
        "convert", found: "\(from) \(x.shape) into \(to) \(y.shape)", wanted: "\(x.count) elements")
    }
    try requireApart("convert", [x], into: [y])
    guard from != to else { return try copy(x, to: y) }
    guard from == .float32 || to == .float32 else {
      let middle = try allocate(x.shape, .float32)
      try convert(x, into: middle)
      return try convert(middle, into: y)
    }
    guard let kernel = from == .float32 ? to.kernelFromFloat32 : from.kernelToFloat32 else { return }
    y.forgetBounds()
    try launch(
      kernel, items: x.count, cost: 2, tsr_map_params(count: Int32(x.count), alpha: 0, beta: 0), [x, y])
  }
}

extension ElementType {
  /// What makes this type of float32; nil for float32 itself.
  fileprivate var kernelFromFloat32: Kernel? {
    switch self {
    case .float32: nil
    case .int32: .convertToInt32
    case .float16: .convertToFloat16
    case .bfloat16: .convertToBfloat16
    case .int8: .convertToInt8
    case .uint8: .convertToUint8
    }
  }

  /// What makes float32 of this type; nil for float32 itself.
  fileprivate var kernelToFloat32: Kernel? {
    switch self {
    case .float32: nil
    case .int32: .convertFromInt32
    case .float16: .convertFromFloat16
    case .bfloat16: .convertFromBfloat16
    case .int8: .convertFromInt8
    case .uint8: .convertFromUint8
    }
  }
}

/// Throws for elements that are moved as whole words and are none.
func requireWords(_ place: String, _ x: Tensor) throws {
  guard x.elementType.byteCount == 4 else {
    throw TesseraError.failure(
      place, found: "\(x.elementType) \(x.shape)", wanted: "float32 or int32: convert(_:into:) makes them")
  }
}
