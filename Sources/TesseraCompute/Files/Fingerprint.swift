// SPDX-License-Identifier: Apache-2.0
import CSHA256
import Foundation

/// SHA-256 of a result, as 64 hexadecimal digits.
public struct Fingerprint {
  private var hash = tsr_sha256_start()

  /// An empty fingerprint.
  public init() {}

  /// Adds bytes.
  public mutating func add(_ bytes: UnsafeRawBufferPointer) {
    guard let base = bytes.baseAddress else { return }
    tsr_sha256_add(&hash, base, bytes.count)
  }

  /// Adds text with its length, so that neighbours cannot run into each other.
  public mutating func add(_ text: String) {
    var whole = "\(text.utf8.count):\(text)"
    whole.withUTF8 { add(UnsafeRawBufferPointer($0)) }
  }

  /// The 32 bytes.
  package func bytes() -> [UInt8] {
    withUnsafePointer(to: hash) { hash in
      [UInt8](unsafeUninitializedCapacity: 32) { bytes, count in
        if let base = bytes.baseAddress { tsr_sha256_digest(hash, base) }
        count = 32
      }
    }
  }

  /// The digits.
  public func digits() -> String {
    bytes().map { byte in
      String(byte >> 4, radix: 16) + String(byte & 15, radix: 16)
    }.joined()
  }

  /// The fingerprint of a file's bytes.
  public static func ofFile(_ path: String) throws -> String {
    var print = Fingerprint()
    // Part by part, and what was read is let go of: a file may be larger than memory.
    if let file = try InputFile.map(path, wanted: "a file") {
      let part = 16 << 20
      for begin in stride(from: 0, to: file.count, by: part) {
        let range = begin..<min(file.count, begin + part)
        print.add(UnsafeRawBufferPointer(rebasing: file.bytes[range]))
        file.release(range)
      }
    }
    return print.digits()
  }
}
