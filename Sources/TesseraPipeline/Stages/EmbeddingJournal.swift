// SPDX-License-Identifier: Apache-2.0
import Foundation
import TesseraCompute
import TesseraData
import TesseraText

/// Rows of features as they came, in a file beside their place: what was killed goes on with them.
///
/// The file begins with a magic word and the SHA-256 of what the rows were made with. Then follow blocks, one a
/// batch: the number of rows, their numbers (32 bits each), their features (float32), and the SHA-256 of all
/// that. A block that was being written when the process ended has no digest that fits; it and what follows are
/// cut off.
public final class EmbeddingJournal {
  /// The file.
  public let path: String
  /// The folder that it is in.
  var folder: String { URL(fileURLWithPath: path).deletingLastPathComponent().path }
  /// What its name adds to that of the file that the rows are for.
  public static let ending = ".partial"
  private var blocks = 0
  private let header: [UInt8]
  private var descriptor: Int32 = -1
  private static let magic = Array("TSRROWS1".utf8)
  private static let digest = 32

  /// A journal; the file is opened by `read`.
  ///
  /// - Parameters:
  ///   - path: the file.
  ///   - key: everything that decides the rows' bits. Rows of another key are thrown away.
  public init(_ path: String, key: [String]) {
    self.path = Self.shortened(path)
    var print = Fingerprint()
    for part in key { print.add(part) }
    header = Self.magic + print.bytes()
  }

  /// A journal of a data set's rows.
  ///
  /// - Parameters:
  ///   - path: the file.
  ///   - data: the texts.
  ///   - encoder: the fingerprint of the encoder's files.
  ///   - options: what is taken of it.
  ///   - kernels: what the devices compute by.
  package convenience init(
    _ path: String, data: DataSet, encoder: String, _ options: EmbeddingOptions, kernels: KernelSources
  ) {
    let states = [options.firstState, options.lastState].map { $0.map { "\($0)" } ?? "" }
    self.init(
      path,
      key: [
        data.fingerprint, encoder, "\(numericsVersion)", kernels.fingerprint, options.pooling.rawValue,
        "\(options.paperStates)",
      ] + states + options.products.parameters.values)
  }

  /// A path whose last name is no longer than names can be: of a longer one, its end.
  private static func shortened(_ path: String) -> String {
    let start = path.lastIndex(of: "/").map { path.index(after: $0) } ?? path.startIndex
    var name = path[start...]
    while name.utf8.count > Int(NAME_MAX) { name.removeFirst() }
    return String(path[..<start] + name)
  }

  deinit { if descriptor >= 0 { close(descriptor) } }

  /// Hands on the rows that are there, and opens the file for more of them.
  ///
  /// - Parameters:
  ///   - rows: how many rows there are in all.
  ///   - columns: features a row.
  ///   - take: called with the rows of each block and their features.
  /// - Returns: the rows that were there.
  /// - Throws: `TesseraError` if the file cannot be written.
  func read(rows: Int, columns: Int, _ take: ([Int], [Float]) throws -> Void) throws -> Set<Int> {
    var known: Set<Int> = []
    var end = 0
    if let data = try? InputFile.readAny(path, wanted: "rows", atMost: InputFile.Limit.tensors, mapped: true),
      data.count >= header.count, data.prefix(header.count).elementsEqual(header)
    {
      end = header.count
      try data.withUnsafeBytes { bytes in
        while let block = Self.block(bytes, at: end, rows: rows, columns: columns) {
          try take(block.rows, block.features)
          known.formUnion(block.rows)
          blocks += 1
          end = block.end
        }
      }
    }
    try open(keeping: end)
    return known
  }

  /// The block that begins at a place; nil if there is no whole one.
  private static func block(_ bytes: UnsafeRawBufferPointer, at start: Int, rows: Int, columns: Int)
    -> (rows: [Int], features: [Float], end: Int)?
  {
    guard bytes.count - start >= 4 else { return nil }
    let count = Int(bytes.loadUnaligned(fromByteOffset: start, as: UInt32.self))
    guard count > 0, count <= rows else { return nil }
    let features = start + 4 + 4 * count
    let end = features + 4 * count * columns
    guard bytes.count - digest >= end else { return nil }
    var print = Fingerprint()
    print.add(UnsafeRawBufferPointer(rebasing: bytes[start..<end]))
    guard bytes[end..<end + digest].elementsEqual(print.bytes()) else { return nil }
    let numbers = (0..<count).map {
      Int(bytes.loadUnaligned(fromByteOffset: start + 4 + 4 * $0, as: UInt32.self))
    }
    guard numbers.allSatisfy({ $0 < rows }) else { return nil }
    let values = [Float](unsafeUninitializedCapacity: count * columns) { out, filled in
      UnsafeMutableRawBufferPointer(out).copyMemory(from: .init(rebasing: bytes[features..<end]))
      filled = count * columns
    }
    return (numbers, values, end + digest)
  }

  /// Opens the file behind what is kept of it; of nothing, with a new header.
  private func open(keeping end: Int) throws {
    if let end = path.lastIndex(of: "/"), end > path.startIndex {
      try OutputFolder.make(String(path[..<end]))
    }
    descriptor = Foundation.open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o644)
    guard descriptor >= 0, ftruncate(descriptor, off_t(end)) == 0,
      lseek(descriptor, off_t(end), SEEK_SET) == off_t(end)
    else { throw failure("a file that rows can be added to") }
    if end == 0 { try header.withUnsafeBytes(write) }
  }

  /// Adds rows with their features, (rows, features).
  func append(_ rows: [Int], _ features: [Float]) throws {
    var block: [UInt8] = []
    block.reserveCapacity(4 + 4 * rows.count + 4 * features.count + Self.digest)
    withUnsafeBytes(of: UInt32(rows.count)) { block += $0 }
    rows.map { UInt32($0) }.withUnsafeBytes { block += $0 }
    features.withUnsafeBytes { block += $0 }
    var print = Fingerprint()
    block.withUnsafeBytes { print.add($0) }
    block += print.bytes()
    try block.withUnsafeBytes(write)
    blocks += 1
  }

  /// Removes the file: what it held is somewhere else.
  public func remove() {
    if descriptor >= 0 { close(descriptor) }
    descriptor = -1
    unlink(path)
  }

  private func write(_ bytes: UnsafeRawBufferPointer) throws {
    guard let base = bytes.baseAddress else { return }
    var done = 0
    while done < bytes.count {
      let count = Foundation.write(descriptor, base + done, bytes.count - done)
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else {
        let error = failure("room for \(bytes.count) bytes")
        // What is there of the block is taken away again, where that can be done.
        _ = lseek(descriptor, -off_t(done), SEEK_CUR)
        _ = ftruncate(descriptor, lseek(descriptor, 0, SEEK_CUR))
        // A file without a row is of no use to anyone.
        if blocks == 0 { remove() }
        throw error
      }
      done += count
    }
  }

  private func failure(_ wanted: String) -> TesseraError {
    TesseraError.failure("writing \(path)", found: String(cString: strerror(errno)), wanted: wanted)
  }
}
