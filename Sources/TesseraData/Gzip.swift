// SPDX-License-Identifier: Apache-2.0
import CZlib
import TesseraCompute

/// Unpacks gzip files, such as the larger data sets come as.
enum Gzip {
  static func isPacked(_ bytes: [UInt8]) -> Bool { bytes.starts(with: [0x1f, 0x8b]) }

  /// The content; at most `InputFile.Limit.data`.
  ///
  /// - Parameter isRaw: whether the bytes are those of a zip archive's member, without gzip's header.
  static func unpack(_ bytes: [UInt8], place: String, isRaw: Bool = false) throws -> [UInt8] {
    var stream = z_stream()
    let format = isRaw ? "deflate" : "gzip"
    guard
      inflateInit2_(&stream, isRaw ? -15 : 15 + 32, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK
    else {
      throw TesseraError.failure(place, found: "zlib failed to start")
    }
    defer { inflateEnd(&stream) }
    var input = bytes
    var out: [UInt8] = []
    var block = [UInt8](repeating: 0, count: 1 << 20)
    return try input.withUnsafeMutableBufferPointer { source in
      stream.next_in = source.baseAddress
      stream.avail_in = UInt32(clamping: source.count)
      while true {
        let status = block.withUnsafeMutableBufferPointer { target in
          stream.next_out = target.baseAddress
          stream.avail_out = UInt32(target.count)
          return inflate(&stream, Z_NO_FLUSH)
        }
        out += block[..<(block.count - Int(stream.avail_out))]
        guard out.count <= InputFile.Limit.data else {
          throw TesseraError.input(
            place, found: "more than \(InputFile.Limit.data) bytes unpacked",
            wanted: "a data set of at most \(InputFile.Limit.data >> 20) MiB")
        }
        if status == Z_STREAM_END {
          guard stream.avail_in > 0 else { return out }
          // Members may follow one another.
          guard inflateReset(&stream) == Z_OK else { return out }
          continue
        }
        guard status == Z_OK else {
          throw TesseraError.input(
            place, found: "broken or truncated \(format) data",
            wanted: "a whole \(isRaw ? "archive" : "gzip file")")
        }
      }
    }
  }
}
