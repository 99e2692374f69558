// SPDX-License-Identifier: Apache-2.0
/// The type of a tensor's elements.
public enum ElementType: String, Codable, Sendable, Hashable, CaseIterable {
  /// IEEE binary32.
  case float32
  /// Signed 32-bit integers: token ids, labels, pooling indices.
  case int32
  /// IEEE binary16, for storage: `MemoryBackend.convert(_:into:)` makes float32 of it and back.
  case float16
  /// The first 16 bits of binary32, rounded; for storage.
  case bfloat16
  /// Signed bytes, for storage.
  case int8
  /// Unsigned bytes, such as pixels; for storage.
  case uint8

  /// Bytes of one element.
  public var byteCount: Int {
    switch self {
    case .float32, .int32: 4
    case .float16, .bfloat16: 2
    case .int8, .uint8: 1
    }
  }

  /// Whether elements are integers.
  public var isInteger: Bool { [.int32, .int8, .uint8].contains(self) }

  /// The type's name in safetensors files, and in fingerprints.
  package var safetensorsName: String {
    switch self {
    case .float32: "F32"
    case .int32: "I32"
    case .float16: "F16"
    case .bfloat16: "BF16"
    case .int8: "I8"
    case .uint8: "U8"
    }
  }
}

/// Memory of a backend that holds a tensor's elements. A backend defines its own class.
public protocol TensorStorage: AnyObject, Sendable {
  /// Usable bytes.
  var byteCount: Int { get }
}

/// A dense row-major array in a backend's memory.
///
/// A tensor is a handle: copies share the elements, and `reshaped` gives another view of all of them.
/// What is in it is known to the backend alone; read it back with `MemoryBackend.floats(_:)`.
public struct Tensor: Sendable {
  /// Extents, outermost first. Empty for a scalar.
  public let shape: [Int]
  /// The type of the elements.
  public let elementType: ElementType
  /// The memory behind the elements.
  public let storage: any TensorStorage

  /// The number of elements.
  public let count: Int

  /// A tensor over existing storage; the backends' allocators call this.
  ///
  /// - Throws: `TesseraError` for extents that make no tensor, and for storage that does not hold the
  ///   elements.
  public init(shape: [Int], elementType: ElementType, storage: any TensorStorage) throws {
    let count = try Self.elementCount(shape)
    guard count * elementType.byteCount <= storage.byteCount else {
      throw TesseraError.failure(
        "a tensor \(shape)", found: "\(storage.byteCount) bytes of memory",
        wanted: "\(count * elementType.byteCount)")
    }
    self.shape = shape
    self.elementType = elementType
    self.storage = storage
    self.count = count
  }

  /// The same elements under another shape.
  ///
  /// - Throws: `TesseraError` for a negative extent and if the number of elements differs.
  public func reshaped(_ shape: [Int]) throws -> Tensor {
    guard try Self.elementCount(shape, "reshape") == count else {
      throw TesseraError.failure(
        "reshape", found: "\(count) elements of \(self.shape)", wanted: "as many for \(shape)")
    }
    return try Tensor(shape: shape, elementType: elementType, storage: storage)
  }
}
