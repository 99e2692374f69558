// SPDX-License-Identifier: Apache-2.0
import Foundation

/// Writes safetensors files, byte for byte the same for the same content.
public struct SafetensorsWriter {
  private struct Entry {
    let name: String
    let type: String
    let shape: [Int]
    let bytes: () throws -> Data
  }

  private var entries: [Entry] = []
  private var metadata: [String: String]

  /// An empty file with metadata; `numerics` and `fingerprint` are added.
  public init(metadata: [String: String] = [:]) {
    self.metadata = metadata
  }

  /// Adds floats.
  public mutating func add(_ name: String, _ values: [Float], shape: [Int]) {
    entries.append(
      Entry(name: name, type: "F32", shape: shape, bytes: { values.withUnsafeBytes { Data($0) } }))
  }

  /// Adds integers.
  public mutating func add(_ name: String, _ values: [Int32], shape: [Int]) {
    entries.append(
      Entry(name: name, type: "I32", shape: shape, bytes: { values.withUnsafeBytes { Data($0) } }))
  }

  /// Adds elements by their bytes, row-major and little-endian.
  mutating func add(_ name: String, _ bytes: Data, type: ElementType, shape: [Int]) {
    entries.append(
      Entry(name: name, type: type == .float32 ? "F32" : "I32", shape: shape, bytes: { bytes }))
  }

  /// Adds a device's tensor; it is read back when the file is written.
  public mutating func add(_ name: String, _ tensor: Tensor, on device: any Backend) {
    entries.append(
      Entry(
        name: name, type: tensor.elementType == .float32 ? "F32" : "I32", shape: tensor.shape,
        bytes: {
          var data = Data(count: tensor.count * 4)
          try data.withUnsafeMutableBytes { try device.download(tensor, offset: 0, into: $0) }
          return data
        }))
  }

  /// Writes the file.
  ///
  /// - Throws: `TesseraError` for values that are not of the shape they were added with, for two tensors of
  ///   one name, and if the file cannot be written.
  /// - Returns: the fingerprint of names, shapes and elements (metadata left out).
  public func write(to path: String) throws -> String {
    let sorted = entries.ordered { $0.name < $1.name }
    for (entry, next) in zip(sorted, sorted.dropFirst()) where entry.name == next.name {
      throw TesseraError.failure(
        "writing \(path)", found: "two tensors \(entry.name)", wanted: "one of each name")
    }
    let blobs = try sorted.map { entry in
      let blob = try entry.bytes()
      guard try Tensor.elementCount(entry.shape, entry.name) * 4 == blob.count, entry.name != "__metadata__"
      else {
        throw TesseraError.failure(
          "writing \(path)", found: "\(blob.count / 4) elements of \(entry.name)",
          wanted: "shape \(entry.shape)")
      }
      return blob
    }
    var print = Fingerprint()
    var header: [String: Any] = [:]
    var offset = 0
    for (entry, blob) in zip(sorted, blobs) {
      print.add("\(entry.name) \(entry.type) \(entry.shape)")
      blob.withUnsafeBytes { print.add($0) }
      header[entry.name] = [
        "dtype": entry.type, "shape": entry.shape, "data_offsets": [offset, offset + blob.count],
      ]
      offset += blob.count
    }
    let digits = print.digits()
    header["__metadata__"] = metadata.merging(["fingerprint": digits, "numerics": "\(numericsVersion)"]) {
      own, _ in own
    }
    var json = try JSONSerialization.data(
      withJSONObject: header, options: [.sortedKeys, .withoutEscapingSlashes])
    // The data starts at a multiple of 8.
    json.append(Data(repeating: 0x20, count: (8 - json.count % 8) % 8))
    let file = try AtomicFile(path)
    try withUnsafeBytes(of: UInt64(json.count).littleEndian) { try file.write($0) }
    try file.write(json)
    for blob in blobs { try file.write(blob) }
    try file.commit()
    return digits
  }
}
