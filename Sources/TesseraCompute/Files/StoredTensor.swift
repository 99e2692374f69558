// SPDX-License-Identifier: Apache-2.0
/// The element types of stored tensors.
enum StoredType: Hashable {
  case f64, f32, f16, bf16, i64, i32, i8, u8
  /// A type whose elements are not read, which is no obstacle unless they are wanted: what it is, and the
  /// bits of an element where they are known.
  case other(String, bits: Int?)

  /// By the names of safetensors.
  private static let named: [String: StoredType] = [
    "F64": .f64, "F32": .f32, "F16": .f16, "BF16": .bf16, "I64": .i64, "I32": .i32, "I8": .i8,
    "U8": .u8,
  ]
  private static let otherBits: [String: Int] = [
    "BOOL": 8, "F8_E5M2": 8, "F8_E4M3": 8, "F8_E8M0": 8, "F8_E4M3FNUZ": 8,
    "F8_E5M2FNUZ": 8,
    "I16": 16, "U16": 16, "U32": 32, "U64": 64, "C64": 64, "C128": 128, "F4": 4, "F6_E2M3": 6, "F6_E3M2": 6,
  ]

  /// The type that safetensors calls by a name; one that is not known is some other.
  init(safetensors name: String) {
    self = Self.named[name] ?? .other(name, bits: Self.otherBits[name])
  }

  /// The type as safetensors calls it, or what it is.
  var name: String {
    switch self {
    case .f64: "F64"
    case .f32: "F32"
    case .f16: "F16"
    case .bf16: "BF16"
    case .i64: "I64"
    case .i32: "I32"
    case .i8: "I8"
    case .u8: "U8"
    case .other(let name, _): name
    }
  }

  /// Bits of an element; nil where they are not known.
  var bits: Int? {
    switch self {
    case .f64, .i64: 64
    case .f32, .i32: 32
    case .f16, .bf16: 16
    case .i8, .u8: 8
    case .other(_, let bits): bits
    }
  }

  /// Bytes of an element, in whole.
  var byteCount: Int { max(1, (bits ?? 8) / 8) }

  /// The type of a device's tensor that holds such elements as they are; nil where there is none.
  var elementType: ElementType? {
    switch self {
    case .f32: .float32
    case .f16: .float16
    case .bf16: .bfloat16
    case .i32: .int32
    case .i8: .int8
    case .u8: .uint8
    case .f64, .i64, .other: nil
    }
  }

  /// Whether elements can be had as binary32.
  var isFloat: Bool { [.f64, .f32, .f16, .bf16].contains(self) }

  /// Whether elements are integers, truth values or bytes, none of them weights of a network that is not
  /// quantised.
  var isWhole: Bool {
    switch self {
    case .i64, .i32, .i8, .u8: true
    case .other(let name, _): ["BOOL", "I16", "U16", "U32", "U64"].contains(name)
    default: false
    }
  }
}

/// A named array in a file of weights.
struct StoredTensor {
  let type: StoredType
  let shape: [Int]
  /// Its bytes in the file, little-endian, row-major.
  let range: Range<Int>
  /// Distances between elements along each axis; nil if dense and row-major.
  var strides: [Int]?
  /// Which of the files, where there are several.
  var source = 0

  var count: Int { shape.reduce(1, *) }
}
