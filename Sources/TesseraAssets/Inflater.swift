// SPDX-License-Identifier: Apache-2.0
import CZlib
import TesseraCompute

/// Unpacks deflated bytes part by part.
enum Inflater {
  /// The forms that deflated bytes come in.
  enum Form: Int32 {
    /// Without a header, as in zip archives.
    case raw = -15
    /// With gzip's header.
    case gzip = 31
  }

  /// Unpacks bytes.
  ///
  /// - Parameters:
  ///   - bytes: what is packed.
  ///   - form: how.
  ///   - most: bytes at most; more are refused.
  ///   - place: the file, for messages.
  ///   - take: called with what comes out, in order.
  static func unpack(
    _ bytes: UnsafeRawBufferPointer, _ form: Form, atMost most: Int, place: String,
    take: (UnsafeRawBufferPointer) throws -> Void
  ) throws {
    let broken = TesseraError.failure(place, found: "broken deflated data", wanted: "a whole archive")
    var stream = z_stream()
    guard inflateInit2_(&stream, form.rawValue, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK
    else {
      throw TesseraError.failure(place, found: "zlib failed to start")
    }
    defer { inflateEnd(&stream) }
    var block = [UInt8](repeating: 0, count: 1 << 20)
    var (at, made, status) = (0, 0, Z_OK)
    while status != Z_STREAM_END {
      if stream.avail_in == 0 {
        guard at < bytes.count else { throw broken }
        let part = bytes[at..<min(bytes.count, at + 1 << 20)]
        let begin = UnsafeRawBufferPointer(rebasing: part).bindMemory(to: UInt8.self)
        stream.next_in = UnsafeMutablePointer(mutating: begin.baseAddress)
        stream.avail_in = UInt32(part.count)
        at = part.endIndex
      }
      status = block.withUnsafeMutableBufferPointer { target in
        stream.next_out = target.baseAddress
        stream.avail_out = UInt32(target.count)
        return inflate(&stream, Z_NO_FLUSH)
      }
      let count = block.count - Int(stream.avail_out)
      made += count
      guard status == Z_OK || status == Z_STREAM_END || (status == Z_BUF_ERROR && count == 0), made <= most
      else {
        throw broken
      }
      try block.withUnsafeBytes { try take(UnsafeRawBufferPointer(rebasing: $0[..<count])) }
    }
  }
}
