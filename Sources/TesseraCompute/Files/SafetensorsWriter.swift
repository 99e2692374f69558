// SPDX-License-Identifier: Apache-2.0
import Foundation

/// Writes safetensors files, byte for byte the same for the same content.
public struct SafetensorsWriter {
  private struct Entry {
    let name: String
    let type: ElementType
    let shape: [Int]
    /// Hands the bytes on, part by part.
    let emit: ((UnsafeRawBufferPointer) throws -> Void) throws -> Void
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
      Entry(name: name, type: .float32, shape: shape) { take in try values.withUnsafeBytes(take) })
  }

  /// Adds floats of memory or of a mapped file; of a file no more than a part is in memory at a time.
  public mutating func add(_ name: String, _ values: Floats, shape: [Int]) {
    entries.append(
      Entry(name: name, type: .float32, shape: shape) { take in
        try values.forEachBlock(columns: 1) { _, part in try take(UnsafeRawBufferPointer(part)) }
      })
  }

  /// Adds floats that are made while the file is written, part by part in their order: they need not fit into
  /// memory.
  ///
  /// - Parameters:
  ///   - name: the tensor's name.
  ///   - shape: its extents.
  ///   - make: calls the function that it is given with each part.
  public mutating func add(
    _ name: String, shape: [Int],
    making make: @escaping ((UnsafeBufferPointer<Float>) throws -> Void) throws -> Void
  ) {
    entries.append(
      Entry(name: name, type: .float32, shape: shape) { take in
        try make { try take(UnsafeRawBufferPointer($0)) }
      })
  }

  /// Adds integers.
  public mutating func add(_ name: String, _ values: [Int32], shape: [Int]) {
    entries.append(
      Entry(name: name, type: .int32, shape: shape) { take in try values.withUnsafeBytes(take) })
  }

  /// Adds elements by their bytes, row-major and little-endian.
  mutating func add(_ name: String, _ bytes: Data, type: ElementType, shape: [Int]) {
    entries.append(
      Entry(name: name, type: type, shape: shape) { take in
        try bytes.withUnsafeBytes(take)
      })
  }

  /// Adds a device's tensor; it is read back when the file is written.
  public mutating func add(_ name: String, _ tensor: Tensor, on device: any Backend) {
    entries.append(
      Entry(name: name, type: tensor.elementType, shape: tensor.shape) { take in
        var data = Data(count: tensor.count * tensor.elementType.byteCount)
        try data.withUnsafeMutableBytes { try device.download(tensor, offset: 0, into: $0) }
        try data.withUnsafeBytes(take)
      })
  }

  /// Writes the file. Elements go to the disk as they come; the fingerprint of them, which stands in front, is put
  /// in at the end.
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
    let unknown = String(repeating: "0", count: 64)
    let file = try AtomicFile(path)
    let json = try header(sorted, path, fingerprint: unknown)
    try withUnsafeBytes(of: UInt64(json.count).littleEndian) { try file.write($0) }
    try file.write(json)
    var print = Fingerprint()
    for entry in sorted {
      print.add("\(entry.name) \(entry.type.safetensorsName) \(entry.shape)")
      let wanted = try Self.byteCount(entry, path)
      var count = 0
      try entry.emit { bytes in
        count += bytes.count
        guard count <= wanted else { throw Self.mismatch(path, entry, count) }
        print.add(bytes)
        try file.write(bytes)
      }
      guard count == wanted else { throw Self.mismatch(path, entry, count) }
    }
    let digits = print.digits()
    // A file whose metadata bring a fingerprint of their own keeps it.
    if metadata["fingerprint"] == nil {
      try file.overwrite(try header(sorted, path, fingerprint: digits), at: 8)
    }
    try file.commit()
    return digits
  }

  /// The JSON in front of the elements; those begin at a multiple of 8.
  private func header(_ sorted: [Entry], _ path: String, fingerprint: String) throws -> Data {
    var header: [String: Any] = [:]
    var offset = 0
    for entry in sorted {
      guard entry.name != "__metadata__" else { throw Self.mismatch(path, entry, 0) }
      let bytes = try Self.byteCount(entry, path)
      header[entry.name] = [
        "dtype": entry.type.safetensorsName, "shape": entry.shape, "data_offsets": [offset, offset + bytes],
      ]
      offset += bytes
    }
    let own = ["fingerprint": fingerprint, "numerics": "\(numericsVersion)"]
    header["__metadata__"] = metadata.merging(own) { given, _ in given }
    var json = try JSONSerialization.data(
      withJSONObject: header, options: [.sortedKeys, .withoutEscapingSlashes])
    json.append(Data(repeating: 0x20, count: (8 - json.count % 8) % 8))
    return json
  }

  /// Bytes of a tensor, which may be larger than any that a device holds.
  private static func byteCount(_ entry: Entry, _ path: String) throws -> Int {
    try entry.shape.reduce(entry.type.byteCount) { count, extent in
      let (product, overflow) = count.multipliedReportingOverflow(by: extent)
      guard extent >= 0, !overflow, product <= 1 << 52 else {
        throw TesseraError.failure(
          "writing \(path)", found: "\(entry.name) of shape \(entry.shape)",
          wanted: "extents of 0 or more, 2^52 bytes at most")
      }
      return product
    }
  }

  private static func mismatch(_ path: String, _ entry: Entry, _ bytes: Int) -> TesseraError {
    .failure(
      "writing \(path)", found: "\(bytes / entry.type.byteCount) elements of \(entry.name)",
      wanted: "shape \(entry.shape)")
  }
}
