// SPDX-License-Identifier: Apache-2.0
import Foundation

/// Float32 values that come in any order and are read when all are there: in memory, or, of more than a limit, in a
/// file without a name, which is gone with the last who reads it. Memory then does not grow with the values.
package final class FloatsWriter {
  private let count: Int
  private let place: String
  private var memory: [Float]
  private var descriptor: Int32 = -1
  /// The most bytes that stay in memory.
  package static let usualLimit = 64 << 20

  /// Room for values, which are 0 until they are written.
  ///
  /// - Parameters:
  ///   - count: how many.
  ///   - folder: where the file is made.
  ///   - limit: the most bytes that stay in memory.
  /// - Throws: `TesseraError` if the file cannot be made or its disk has no room.
  package init(count: Int, folder: String, limit: Int = usualLimit) throws {
    self.count = count
    place = "values in \(folder)"
    guard count * 4 > limit else {
      memory = [Float](repeating: 0, count: count)
      return
    }
    memory = []
    let path = URL(fileURLWithPath: folder).appendingPathComponent("values.\(getpid()).tmp").path
    descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw failure(errno, "a writable folder") }
    unlink(path)
    // Reserved now: a full disk is an error here, not in the middle of hours of work.
    let status = posix_fallocate(descriptor, 0, off_t(count * 4))
    guard status == 0 else { throw failure(status, "room for \(count * 4) bytes") }
  }

  deinit { if descriptor >= 0 { close(descriptor) } }

  /// Writes values from a place on.
  ///
  /// - Throws: `TesseraError` for a place that there is not, and for a disk that fails.
  package func write(_ values: ArraySlice<Float>, at begin: Int) throws {
    guard begin >= 0, begin + values.count <= count else {
      throw TesseraError.failure(
        place, found: "values at \(begin)..<\(begin + values.count)", wanted: "a place below \(count)")
    }
    guard descriptor >= 0 else {
      memory.replaceSubrange(begin..<begin + values.count, with: values)
      return
    }
    try values.withUnsafeBytes { bytes in
      var done = 0
      while done < bytes.count {
        let part = UnsafeRawBufferPointer(rebasing: bytes[done...])
        let written = pwrite(descriptor, part.baseAddress, part.count, off_t(begin * 4 + done))
        if written < 0, errno == EINTR { continue }
        guard written > 0 else { throw failure(errno, "a disk that can be written to") }
        done += written
      }
    }
  }

  /// All values; nothing is written any more.
  package func finish() throws -> Floats {
    guard descriptor >= 0 else { return Floats(memory) }
    guard let file = MappedFile(descriptor: descriptor, count: count * 4) else {
      throw failure(errno, "a file that can be mapped")
    }
    return Floats(file, offset: 0, count: count)
  }

  private func failure(_ status: Int32, _ wanted: String) -> TesseraError {
    TesseraError.failure(place, found: String(cString: strerror(status)), wanted: wanted)
  }
}
