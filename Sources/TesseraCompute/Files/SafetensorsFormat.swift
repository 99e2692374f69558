// SPDX-License-Identifier: Apache-2.0
import Foundation

/// The safetensors format: 8 bytes of header length, a JSON header, then the data.
enum SafetensorsFormat {
  static func read(_ path: String, _ data: Data) throws -> TensorFile {
    func bad(_ found: String, _ wanted: String) -> TesseraError { .input(path, found: found, wanted: wanted) }
    guard data.count >= 8 else {
      throw bad("\(data.count) bytes", "a safetensors file (8 bytes of header length first)")
    }
    let isBegun = data.dropFirst(8).first == UInt8(ascii: "{")
    let length = data.withUnsafeBytes { $0.loadUnaligned(as: UInt64.self).littleEndian }
    guard length >= 2, length <= 100_000_000, length <= UInt64(data.count - 8) else {
      throw isBegun
        ? bad(
          "a header of \(length) bytes in a file of \(data.count)", "a header that fits the file\(shortened)")
        : bad(
          "neither safetensors nor PyTorch weights by its first bytes (\(firstBytes(data)))",
          "safetensors or PyTorch weights")
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
    let sorted = tensors.ordered { $0.value.range.lowerBound < $1.value.range.lowerBound }
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
    return TensorFile(path: path, metadata: metadata, sources: [data], tensors: tensors)
  }

  /// What a file that ends too early most often is.
  static let shortened = " (a download that broke off? fetch it again)"

  /// The first bytes: of text its beginning, such as "Entry not found", which a server answered.
  private static func firstBytes(_ data: Data) -> String {
    let start = data.prefix(40)
    if start.allSatisfy({ (0x20...0x7e).contains($0) || $0 == 0x0a || $0 == 0x0d }) {
      let line = String(decoding: start, as: UTF8.self).split(whereSeparator: \.isNewline).first ?? ""
      return "the text \"\(line)\""
    }
    let digits = data.prefix(8).map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }
    return digits.joined(separator: " ")
  }

  /// The names in the outermost object of a header that is JSON; the parser takes one of several that are
  /// equal.
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
    let type = StoredType(safetensors: typeName)
    guard extents.count <= 32 else { throw bad("\(extents.count) extents", "at most 32") }
    func whole(_ number: NSNumber) -> Int? { Int(exactly: number.doubleValue) }
    var count = 1
    var shape: [Int] = []
    for extent in extents {
      guard let extent = whole(extent), extent >= 0 else {
        throw bad("shape \(extents)", "whole numbers from 0")
      }
      let (product, overflow) = count.multipliedReportingOverflow(by: extent)
      guard !overflow, product <= 1 << 52 else { throw bad("shape \(extents)", "at most 2^52 elements") }
      count = product
      shape.append(extent)
    }
    guard let low = whole(offsets[0]), let high = whole(offsets[1]), low >= 0, low <= high else {
      throw bad("data offsets \(offsets)", "ascending offsets within \(dataBytes) bytes of data")
    }
    guard high <= dataBytes else {
      throw bad("data offsets \(offsets)", "offsets within \(dataBytes) bytes of data\(shortened)")
    }
    if let bits = type.bits, high - low != (count * bits + 7) / 8 {
      throw bad("\(high - low) bytes for shape \(shape) of \(typeName)", "\((count * bits + 7) / 8)")
    }
    let range = begin + low..<begin + high
    guard type == .f32 || count <= Int(Int32.max), shape.allSatisfy({ $0 <= Int(Int32.max) }) else {
      // Nothing of ours has so many elements but features and images, which stay in the file; beside what is wanted
      // it may be there.
      return StoredTensor(
        type: .other("\(typeName) of \(count) elements", bits: nil), shape: shape, range: range)
    }
    return StoredTensor(type: type, shape: shape, range: range)
  }
}
