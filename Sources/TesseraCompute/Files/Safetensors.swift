import Foundation

/// The element types that are read; all become binary32 or int32.
enum StoredType: String {
  case f64 = "F64", f32 = "F32", f16 = "F16", bf16 = "BF16", i64 = "I64", i32 = "I32"

  var byteCount: Int {
    switch self {
    case .f64, .i64: 8
    case .f32, .i32: 4
    case .f16, .bf16: 2
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

  var count: Int { shape.reduce(1, *) }
}

/// A file of named tensors: safetensors, or PyTorch's `.pth`/`.bin`.
public final class TensorFile {
  /// Where it came from.
  public let path: String
  /// Free text that travels with the tensors.
  public let metadata: [String: String]
  let data: Data
  let tensors: [String: StoredTensor]

  init(path: String, metadata: [String: String], data: Data, tensors: [String: StoredTensor]) {
    (self.path, self.metadata, self.data, self.tensors) = (path, metadata, data, tensors)
  }

  /// Opens a safetensors file, or a PyTorch one by its first bytes.
  ///
  /// - Throws: `TesseraError` naming the file and what is wrong with it.
  public static func open(_ path: String) throws -> TensorFile {
    let wanted = "safetensors or PyTorch weights"
    let data = try InputFile.readAny(path, wanted: wanted, atMost: InputFile.Limit.tensors, mapped: true)
    let start = data.prefix(FileKind.prefixCount)
    switch FileKind.recognise(start) {
    case .zip, .pickle: return try PyTorchFile.read(path, data)
    case .safetensors, nil: return try SafetensorsFormat.read(path, data)
    case let kind?: throw kind.refusal(path, start, wanted: wanted)
    }
  }

  /// Throws if the file was made under another version of the numerics contract: its numbers are not what this program would
  /// make. What says nothing of a version is taken.
  public func checkNumerics() throws {
    if let version = metadata["numerics"], version != "\(numericsVersion)" {
      throw TesseraError.input(
        path, found: "a file of numerics version \(version)",
        wanted: "version \(numericsVersion), this program's")
    }
  }

  /// The names, sorted.
  public var names: [String] { tensors.keys.sorted() }

  /// Whether a tensor of that name is there.
  public func contains(_ name: String) -> Bool { tensors[name] != nil }

  /// Extents of a tensor.
  public func shape(_ name: String) throws -> [Int] { try stored(name).shape }

  private func stored(_ name: String) throws -> StoredTensor {
    guard let tensor = tensors[name] else {
      throw TesseraError.input(path, found: "no tensor \(name)", wanted: "one")
    }
    return tensor
  }

  /// A tensor's elements as binary32, checked to have the wanted shape.
  public func floats(_ name: String, shape: [Int]? = nil) throws -> [Float] {
    let tensor = try stored(name)
    if let shape, shape != tensor.shape {
      throw TesseraError.input("\(path): \(name)", found: "shape \(tensor.shape)", wanted: "\(shape)")
    }
    let dense = try decode(tensor, "\(path): \(name)")
    guard let strides = tensor.strides else { return dense }
    return Self.gather(dense, tensor.shape, strides)
  }

  /// Copies a tensor's elements, as binary32, to elements of a tensor on a device: from the mapped file at once where they are
  /// stored so.
  ///
  /// - Throws: `TesseraError` naming file and tensor if it has another shape.
  public func copy(
    _ name: String, shape: [Int], to tensor: Tensor, offset: Int = 0, on device: any Backend
  ) throws {
    let stored = try stored(name)
    guard tensor.elementType == .float32 else {
      throw TesseraError.failure(
        "\(path): \(name)", found: "a tensor of integers", wanted: "floats to copy to")
    }
    guard stored.type == .f32, stored.strides == nil, stored.shape == shape else {
      return try floats(name, shape: shape).withUnsafeBytes {
        try device.upload($0, to: tensor, offset: offset)
      }
    }
    try data.withUnsafeBytes { raw in
      try device.upload(UnsafeRawBufferPointer(rebasing: raw[stored.range]), to: tensor, offset: offset)
    }
  }

  /// Row-major order of a strided view.
  private static func gather(_ values: [Float], _ shape: [Int], _ strides: [Int]) -> [Float] {
    var offsets = [0]
    for (extent, stride) in zip(shape, strides) {
      offsets = offsets.flatMap { base in (0..<extent).map { base + $0 * stride } }
    }
    return offsets.map { values[$0] }
  }

  /// The elements in the file's order.
  private func decode(_ tensor: StoredTensor, _ place: String) throws -> [Float] {
    try data.withUnsafeBytes { raw -> [Float] in
      let bytes = UnsafeRawBufferPointer(rebasing: raw[tensor.range])
      let elements = tensor.range.count / tensor.type.byteCount
      return try [Float](unsafeUninitializedCapacity: elements) { out, count in
        count = elements
        switch tensor.type {
        case .f32:
          UnsafeMutableRawBufferPointer(out).copyMemory(from: bytes)
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
        case .i32, .i64:
          count = 0
          throw TesseraError.input(place, found: tensor.type.rawValue, wanted: "floating-point numbers")
        }
      }
    }
  }

  /// A tensor's elements as int32.
  public func ints(_ name: String, shape: [Int]? = nil) throws -> [Int32] {
    let tensor = try stored(name)
    if let shape, shape != tensor.shape {
      throw TesseraError.input("\(path): \(name)", found: "shape \(tensor.shape)", wanted: "\(shape)")
    }
    guard tensor.type == .i32 || tensor.type == .i64, tensor.strides == nil else {
      throw TesseraError.input("\(path): \(name)", found: tensor.type.rawValue, wanted: "integers")
    }
    return data.withUnsafeBytes { raw in
      let bytes = UnsafeRawBufferPointer(rebasing: raw[tensor.range])
      return (0..<tensor.count).map { i in
        tensor.type == .i32
          ? bytes.loadUnaligned(fromByteOffset: i * 4, as: Int32.self)
          : Int32(clamping: bytes.loadUnaligned(fromByteOffset: i * 8, as: Int64.self))
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

/// The safetensors format: 8 bytes of header length, a JSON header, then the data.
enum SafetensorsFormat {
  static func read(_ path: String, _ data: Data) throws -> TensorFile {
    func bad(_ found: String, _ wanted: String) -> TesseraError { .input(path, found: found, wanted: wanted) }
    guard data.count >= 8 else {
      throw bad("\(data.count) bytes", "a safetensors file (8 bytes of header length first)")
    }
    let length = data.withUnsafeBytes { $0.loadUnaligned(as: UInt64.self).littleEndian }
    guard length >= 2, length <= 100_000_000, length <= UInt64(data.count - 8) else {
      throw bad("a header of \(length) bytes in a file of \(data.count)", "a header that fits the file")
    }
    let begin = 8 + Int(length)
    let header = data.subdata(in: data.startIndex + 8..<data.startIndex + begin)
    guard let object = try? JSONSerialization.jsonObject(with: header) as? [String: Any] else {
      throw bad("a header that is not a JSON object", "a safetensors header")
    }
    guard keys(header) == object.count else {
      throw bad("a header with a name twice", "a safetensors header, whose names differ")
    }
    var metadata: [String: String] = [:]
    var tensors: [String: StoredTensor] = [:]
    for (name, value) in object {
      if name == "__metadata__" {
        guard let texts = value as? [String: String] else {
          throw bad("metadata that is not text", "text by name")
        }
        metadata = texts
        continue
      }
      tensors[name] = try entry(path, name, value, dataBytes: data.count - begin, begin: begin)
    }
    let sorted = tensors.sorted { $0.value.range.lowerBound < $1.value.range.lowerBound }
    for (a, b) in zip(sorted, sorted.dropFirst())
    where b.value.range.lowerBound < a.value.range.upperBound && !b.value.range.isEmpty
      && !a.value.range.isEmpty
    {
      throw bad("tensors \(a.key) and \(b.key) that overlap", "tensors apart from each other")
    }
    let end = tensors.values.map(\.range.upperBound).max() ?? begin
    guard end == data.count else {
      throw bad("\(data.count - end) bytes after the last tensor", "tensors up to the end of the file")
    }
    return TensorFile(path: path, metadata: metadata, data: data, tensors: tensors)
  }

  /// The names in the outermost object of a header that is JSON; the parser takes one of several that are equal.
  private static func keys(_ header: Data) -> Int {
    var (count, depth, inText, isEscaped) = (0, 0, false, false)
    for byte in header {
      if isEscaped {
        isEscaped = false
      } else if inText {
        isEscaped = byte == UInt8(ascii: "\\")
        inText = byte != UInt8(ascii: "\"")
      } else {
        switch byte {
        case UInt8(ascii: "\""): inText = true
        case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
        case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
        case UInt8(ascii: ":") where depth == 1: count += 1
        default: break
        }
      }
    }
    return count
  }

  private static func entry(
    _ path: String, _ name: String, _ value: Any, dataBytes: Int, begin: Int
  ) throws -> StoredTensor {
    func bad(_ found: String, _ wanted: String) -> TesseraError {
      .input("\(path): tensor \(name)", found: found, wanted: wanted)
    }
    guard let fields = value as? [String: Any], let typeName = fields["dtype"] as? String,
      let extents = fields["shape"] as? [NSNumber], let offsets = fields["data_offsets"] as? [NSNumber],
      offsets.count == 2
    else { throw bad("an entry without dtype, shape and data_offsets", "all three") }
    guard let type = StoredType(rawValue: typeName) else {
      throw bad("dtype \(typeName)", "F64, F32, F16, BF16, I64 or I32")
    }
    guard extents.count <= 32 else { throw bad("\(extents.count) extents", "at most 32") }
    func whole(_ number: NSNumber) -> Int? { Int(exactly: number.doubleValue) }
    var count = 1
    var shape: [Int] = []
    for extent in extents {
      guard let extent = whole(extent), extent >= 0 else {
        throw bad("shape \(extents)", "whole numbers from 0")
      }
      let (product, overflow) = count.multipliedReportingOverflow(by: extent)
      guard !overflow, product <= Int(Int32.max) else {
        throw bad("shape \(extents)", "at most 2^31 - 1 elements")
      }
      count = product
      shape.append(extent)
    }
    guard let low = whole(offsets[0]), let high = whole(offsets[1]), low >= 0, low <= high, high <= dataBytes
    else {
      throw bad("data offsets \(offsets)", "ascending offsets within \(dataBytes) bytes of data")
    }
    guard high - low == count * type.byteCount else {
      throw bad("\(high - low) bytes for shape \(shape) of \(typeName)", "\(count * type.byteCount)")
    }
    return StoredTensor(type: type, shape: shape, range: begin + low..<begin + high)
  }
}
