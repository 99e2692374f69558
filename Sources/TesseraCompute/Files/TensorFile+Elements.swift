// SPDX-License-Identifier: Apache-2.0
import Foundation

extension TensorFile {
  /// A tensor's elements as binary32, checked to have the wanted shape.
  ///
  /// - Throws: `TesseraError` naming file and tensor if it is missing, of another shape or not of
  ///   floating-point numbers.
  public func floats(_ name: String, shape: [Int]? = nil) throws -> [Float] {
    let tensor = try stored(name)
    guard tensor.type.isFloat else {
      throw TesseraError.input(
        "\(path): \(name)", found: tensor.type.name,
        wanted: "floating-point numbers (F32, F64, F16 or BF16)")
    }
    try check(name, tensor, shape)
    let dense = decode(tensor)
    guard let strides = tensor.strides else { return dense }
    return Self.gather(dense, tensor.shape, strides)
  }

  /// A tensor's elements as binary32, left in the mapped file where they are stored so.
  ///
  /// - Throws: as `floats`.
  public func mappedFloats(_ name: String, shape: [Int]? = nil) throws -> Floats {
    let tensor = try stored(name)
    guard tensor.type == .f32, tensor.strides == nil, let mapping, tensor.range.lowerBound % 4 == 0 else {
      return Floats(try floats(name, shape: shape))
    }
    try check(name, tensor, shape)
    return Floats(mapping, offset: tensor.range.lowerBound, count: tensor.count)
  }

  /// A network's weights: the same, and every one of them finite.
  ///
  /// - Throws: `TesseraError` also for a NaN or an infinity, which would spread to everything that is
  ///   computed.
  package func weights(_ name: String, shape: [Int]) throws -> [Float] {
    let values = try floats(name, shape: shape)
    try values.withUnsafeBufferPointer { try requireFinite(name, $0) }
    return values
  }

  /// Copies a network's weights, as binary32, to elements of a tensor on a device: from the mapped file at
  /// once where they are stored so.
  ///
  /// - Throws: `TesseraError` naming file and tensor if it is missing, of another shape or type, or not
  ///   finite.
  public func copy(
    _ name: String, shape: [Int], to tensor: Tensor, offset: Int = 0, on device: any Backend
  ) throws {
    let stored = try stored(name)
    guard tensor.elementType == .float32 else {
      throw TesseraError.failure(
        "\(path): \(name)", found: "a tensor of \(tensor.elementType)", wanted: "one of float32 to copy to")
    }
    guard stored.type == .f32, stored.strides == nil, stored.shape == shape else {
      return try weights(name, shape: shape).withUnsafeBytes {
        try device.upload($0, to: tensor, offset: offset)
      }
    }
    try withBytes(of: stored) { bytes in
      // Elements of a file need not lie at multiples of 4.
      if Int(bitPattern: bytes.baseAddress) % 4 == 0 {
        try requireFinite(name, bytes.bindMemory(to: Float.self))
      } else {
        try decode(stored).withUnsafeBufferPointer { try requireFinite(name, $0) }
      }
      try device.upload(bytes, to: tensor, offset: offset)
    }
  }

  /// A tensor's elements as int32.
  ///
  /// - Parameters:
  ///   - name: the tensor's name.
  ///   - shape: the extents that it has to have; any if nil.
  /// - Returns: the elements in row-major order.
  /// - Throws: `TesseraError` naming file and tensor if it is missing, of another shape or type, or of 64-bit integers
  ///   that 32 bits do not hold.
  public func ints(_ name: String, shape: [Int]? = nil) throws -> [Int32] {
    let tensor = try stored(name)
    try check(name, tensor, shape)
    guard [.i32, .i64, .i8, .u8].contains(tensor.type), tensor.strides == nil else {
      throw TesseraError.input("\(path): \(name)", found: tensor.type.name, wanted: "integers")
    }
    return try withBytes(of: tensor) { bytes in
      switch tensor.type {
      case .i8: bytes.prefix(tensor.count).map { Int32(Int8(bitPattern: $0)) }
      case .u8: bytes.prefix(tensor.count).map { Int32($0) }
      case .i32:
        (0..<tensor.count).map { bytes.loadUnaligned(fromByteOffset: $0 * 4, as: Int32.self) }
      default:
        try (0..<tensor.count).map { at in
          let value = bytes.loadUnaligned(fromByteOffset: at * 8, as: Int64.self)
          guard let small = Int32(exactly: value) else {
            throw TesseraError.input(
              "\(path): \(name)", found: "\(value), element \(at)", wanted: "integers of 32 bits")
          }
          return small
        }
      }
    }
  }

  /// A tensor on a device, in the type that it is stored in: float32, float16, bfloat16, int32, int8 and uint8 as they
  /// are; F64 as float32 and I64 as int32.
  ///
  /// - Parameters:
  ///   - name: the tensor's name.
  ///   - type: the type wanted, to which it is converted there (`MemoryBackend.convert(_:into:)`); as it is stored,
  ///     unless given.
  ///   - device: where it is to be.
  /// - Returns: a new tensor of the stored shape.
  /// - Throws: `TesseraError` naming file and tensor if it is missing, of a type that is not read, or of integers that
  ///   32 bits do not hold.
  public func tensor(_ name: String, as type: ElementType? = nil, on device: any Backend) throws -> Tensor {
    let stored = try stored(name)
    let shape = try shape(name)
    let tensor: Tensor
    if let own = stored.type.elementType, stored.strides == nil {
      tensor = try device.allocate(shape, own)
      try withBytes(of: stored) { try device.upload($0, to: tensor, offset: 0) }
    } else if stored.type.isFloat {
      tensor = try device.tensor(try floats(name), shape)
    } else {
      tensor = try device.tensor(try ints(name), shape)
    }
    return try type.map { try device.converted(tensor, to: $0) } ?? tensor
  }

  private func check(_ name: String, _ tensor: StoredTensor, _ shape: [Int]?) throws {
    if let shape, shape != tensor.shape {
      throw TesseraError.input("\(path): \(name)", found: "shape \(tensor.shape)", wanted: "\(shape)")
    }
  }

  private func requireFinite(_ name: String, _ values: UnsafeBufferPointer<Float>) throws {
    let exponent: UInt32 = 0x7f80_0000
    var bad: UInt32 = 0
    for value in values { bad &+= value.bitPattern & exponent == exponent ? 1 : 0 }
    guard bad > 0, let first = values.firstIndex(where: { !$0.isFinite }) else { return }
    throw TesseraError.input(
      "\(path): \(name)", found: "\(bad) of \(values.count) numbers NaN or infinite, the first at \(first)",
      wanted: "finite weights")
  }

  /// Row-major order of a strided view.
  private static func gather(_ values: [Float], _ shape: [Int], _ strides: [Int]) -> [Float] {
    var offsets = [0]
    for (extent, stride) in zip(shape, strides) {
      offsets = offsets.flatMap { base in (0..<extent).map { base + $0 * stride } }
    }
    return offsets.map { values[$0] }
  }

  /// The elements of a tensor of floating-point numbers in the file's order.
  private func decode(_ tensor: StoredTensor) -> [Float] {
    withBytes(of: tensor) { bytes in
      let elements = bytes.count / tensor.type.byteCount
      return [Float](unsafeUninitializedCapacity: elements) { out, count in
        count = elements
        switch tensor.type {
        case .f64:
          for i in 0..<count { out[i] = Float(bytes.loadUnaligned(fromByteOffset: i * 8, as: Double.self)) }
        case .bf16:
          for i in 0..<count {
            out[i] = Float(
              bitPattern: UInt32(bytes.loadUnaligned(fromByteOffset: i * 2, as: UInt16.self)) << 16)
          }
        case .f16:
          for i in 0..<count {
            out[i] = Self.half(bytes.loadUnaligned(fromByteOffset: i * 2, as: UInt16.self))
          }
        case .f32: UnsafeMutableRawBufferPointer(out).copyMemory(from: bytes)
        case .i32, .i64, .i8, .u8, .other: count = 0
        }
      }
    }
  }

  /// IEEE binary16 to binary32, exact.
  static func half(_ bits: UInt16) -> Float {
    let sign = UInt32(bits & 0x8000) << 16
    let (exponent, fraction) = (UInt32(bits >> 10 & 31), UInt32(bits & 1023))
    if exponent == 0 { return Float(bitPattern: sign | (Float(fraction) * 0x1p-24).bitPattern) }
    if exponent == 31 { return Float(bitPattern: sign | 0x7f80_0000 | fraction << 13) }
    return Float(bitPattern: sign | (exponent + 112) << 23 | fraction << 13)
  }
}
