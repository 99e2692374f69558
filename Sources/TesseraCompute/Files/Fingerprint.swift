import Crypto
import Foundation

/// SHA-256 of a result, as 64 hexadecimal digits.
public struct Fingerprint {
  private var hash = SHA256()

  /// An empty fingerprint.
  public init() {}

  /// Adds bytes.
  public mutating func add(_ bytes: UnsafeRawBufferPointer) { hash.update(bufferPointer: bytes) }

  /// Adds text with its length, so that neighbours cannot run into each other.
  public mutating func add(_ text: String) {
    hash.update(data: Data("\(text.utf8.count):\(text)".utf8))
  }

  /// The digits.
  public func digits() -> String {
    hash.finalize().map { byte in
      String(byte >> 4, radix: 16) + String(byte & 15, radix: 16)
    }.joined()
  }

  /// The fingerprint of a file's bytes.
  public static func ofFile(_ path: String) throws -> String {
    let data = try InputFile.read(path, wanted: "a file", atMost: InputFile.Limit.tensors, mapped: true)
    var print = Fingerprint()
    data.withUnsafeBytes { print.add($0) }
    return print.digits()
  }
}
