// SPDX-License-Identifier: Apache-2.0
import Foundation
import TesseraCompute
import TesseraVision

/// Scalars of a training as TensorBoard reads them: a file of TFRecords, each an `Event` of TensorFlow's
/// (tensorflow/core/util/event.proto, summary.proto).
///
/// A record is the length of its data (8 bytes, little-endian), the masked CRC-32C of these 8 bytes, the data, and their
/// masked CRC-32C. Events are appended epoch by epoch, so that TensorBoard draws a training that is at work.
public final class TensorBoardEvents {
  /// The file.
  public let path: String
  private let file: FileHandle

  /// A new file of events in a folder, which is made if it is not there.
  ///
  /// - Throws: `TesseraError` if it cannot be written.
  public convenience init(folder: String) throws {
    try OutputFolder.make(folder)
    let now = Int(Date().timeIntervalSince1970)
    let digits = String(now)
    let padded = String(repeating: "0", count: max(0, 10 - digits.count)) + digits
    // TensorBoard takes files by this beginning, in the order of their names.
    let names = (0..<1000).lazy.map {
      URL(fileURLWithPath: folder).appendingPathComponent(
        "events.out.tfevents.\(padded).\(getpid()).\($0).tessera"
      ).path
    }
    guard let path = names.first(where: { !FileManager.default.fileExists(atPath: $0) }) else {
      throw TesseraError.input(folder, found: "a thousand files of this second", wanted: "another folder")
    }
    try self.init(path, time: Double(now))
  }

  /// A file of events.
  ///
  /// - Parameters:
  ///   - path: the file; one that is there is replaced.
  ///   - time: when it begins, in seconds since 1970.
  init(_ path: String, time: Double) throws {
    self.path = path
    guard FileManager.default.createFile(atPath: path, contents: nil),
      let file = FileHandle(forWritingAtPath: path)
    else {
      throw TesseraError.input(
        path, found: "a file that cannot be written (\(String(cString: strerror(errno))))",
        wanted: "one that can")
    }
    self.file = file
    var first = ProtobufMessage()
    first.add(1, time)
    first.add(3, "brain.Event:2")
    try append(first)
  }

  deinit { try? file.close() }

  /// Adds an epoch's scalars: loss, accuracy, seconds and rows a second, of training and validation.
  package func add(_ figures: EpochFigures) throws {
    try add(figures, time: Date().timeIntervalSince1970)
  }

  /// The same at a time.
  func add(_ figures: EpochFigures, time: Double) throws {
    var summary = ProtobufMessage()
    for (tag, value) in [
      ("loss/training", figures.loss as Double?), ("loss/validation", figures.validationLoss),
      ("accuracy/training", figures.trainingAccuracy), ("accuracy/validation", figures.validationAccuracy),
      ("seconds/training", figures.seconds),
      ("seconds/validation", figures.validationSeconds),
      ("rows a second/training", figures.rowsPerSecond),
      ("rows a second/validation", figures.validationRowsPerSecond),
    ] {
      guard let value else { continue }
      var scalar = ProtobufMessage()
      scalar.add(1, tag)
      scalar.add(2, Float(value))
      summary.add(1, scalar)
    }
    var event = ProtobufMessage()
    event.add(1, time)
    // A number that is 0 is not written (proto3).
    if figures.epoch != 0 { event.add(2, Int64(figures.epoch)) }
    event.add(5, summary)
    try append(event)
  }

  private func append(_ event: ProtobufMessage) throws {
    do { try file.write(contentsOf: Data(Self.record(event.bytes))) } catch {
      throw TesseraError.failure(
        path, found: error.localizedDescription, wanted: "room for an epoch's scalars")
    }
  }

  /// A TFRecord of some data.
  static func record(_ data: [UInt8]) -> [UInt8] {
    func bytes<T: FixedWidthInteger>(_ value: T) -> [UInt8] {
      withUnsafeBytes(of: value.littleEndian, Array.init)
    }
    let length = bytes(UInt64(data.count))
    return length + bytes(masked(CRC32C.of(length))) + data + bytes(masked(CRC32C.of(data)))
  }

  /// A sum over data that may hold sums themselves is turned and shifted.
  private static func masked(_ sum: UInt32) -> UInt32 { (sum >> 15 | sum << 17) &+ 0xa282_ead8 }
}

/// The cyclic redundancy check by Castagnoli's polynomial (RFC 3720, appendix B.4).
enum CRC32C {
  private static let table: [UInt32] = (0..<256).map { index in
    (0..<8).reduce(UInt32(index)) { sum, _ in sum & 1 == 1 ? sum >> 1 ^ 0x82f6_3b78 : sum >> 1 }
  }

  /// The sum of some bytes.
  static func of(_ bytes: some Sequence<UInt8>) -> UInt32 {
    ~bytes.reduce(~0) { sum, byte in sum >> 8 ^ table[Int(UInt8(truncatingIfNeeded: sum) ^ byte)] }
  }
}
