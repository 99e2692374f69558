// SPDX-License-Identifier: Apache-2.0

/// A type of numbers in a file of arrays, little-endian.
enum ElementKind: String, Sendable, CaseIterable {
  // The names are those of safetensors.
  case f64 = "F64"
  case f32 = "F32"
  case f16 = "F16"
  case bf16 = "BF16"
  case i64 = "I64"
  case i32 = "I32"
  case i16 = "I16"
  case i8 = "I8"
  case u64 = "U64"
  case u32 = "U32"
  case u16 = "U16"
  case u8 = "U8"
  case bool = "BOOL"

  /// The type that NumPy's `descr` names, such as `<f8`; nil for one that is no number, or in another order of bytes.
  init?(numpy name: String) {
    let names: [String: ElementKind] = [
      "<f8": .f64, "<f4": .f32, "<f2": .f16, "<i8": .i64, "<i4": .i32, "<i2": .i16, "|i1": .i8, "<u8": .u64,
      "<u4": .u32, "<u2": .u16, "|u1": .u8, "|b1": .bool,
    ]
    guard let kind = names[name] else { return nil }
    self = kind
  }

  /// Bytes of an element.
  var byteCount: Int {
    switch self {
    case .f64, .i64, .u64: 8
    case .f32, .i32, .u32: 4
    case .f16, .bf16, .i16, .u16: 2
    case .i8, .u8, .bool: 1
    }
  }

  /// The element at a byte of some bytes. Integers above 2^53 are rounded.
  ///
  /// - Precondition: the element lies within the bytes.
  func value(_ bytes: UnsafeRawBufferPointer, at place: Int) -> Double {
    func load<T>(_ type: T.Type) -> T { bytes.loadUnaligned(fromByteOffset: place, as: type) }
    switch self {
    case .f64: return load(Double.self)
    case .f32: return Double(load(Float.self))
    case .f16: return Self.half(load(UInt16.self))
    case .bf16: return Double(Float(bitPattern: UInt32(load(UInt16.self)) << 16))
    case .i64: return Double(load(Int64.self))
    case .i32: return Double(load(Int32.self))
    case .i16: return Double(load(Int16.self))
    case .i8: return Double(load(Int8.self))
    case .u64: return Double(load(UInt64.self))
    case .u32: return Double(load(UInt32.self))
    case .u16: return Double(load(UInt16.self))
    case .u8, .bool: return Double(load(UInt8.self))
    }
  }

  /// IEEE binary16, exact.
  private static func half(_ bits: UInt16) -> Double {
    let (exponent, fraction) = (Int(bits >> 10 & 31), Double(bits & 1023))
    let size: Double
    switch exponent {
    case 0: size = fraction * 0x1p-24
    case 31: size = fraction == 0 ? .infinity : .nan
    default: size = Double(sign: .plus, exponent: exponent - 15, significand: 1 + fraction * 0x1p-10)
    }
    return bits & 0x8000 == 0 ? size : -size
  }
}
