// SPDX-License-Identifier: Apache-2.0
import Foundation

/// Changes to a safetensors file that leave it one.
public enum TensorEdit {
  /// Turns a bit of an element of four bytes.
  public static func flip(_ tensor: String, element: Int, bit: Int = 0, in path: String) throws {
    try edit(path) { bytes, offset in
      bytes[try offset(tensor) + element * 4 + bit / 8] ^= UInt8(1 << (bit % 8))
    }
  }

  /// Exchanges two elements of four bytes.
  public static func swap(_ tensor: String, _ first: Int, _ second: Int, in path: String) throws {
    try edit(path) { bytes, offset in
      let start = try offset(tensor)
      for byte in 0..<4 { bytes.swapAt(start + first * 4 + byte, start + second * 4 + byte) }
    }
  }

  struct NoTensor: Error { let name: String }

  private static func edit(
    _ path: String, _ body: (inout Data, (String) throws -> Int) throws -> Void
  ) throws {
    let url = URL(fileURLWithPath: path)
    var bytes = try Data(contentsOf: url)
    let length = bytes.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
    let header = try JSONSerialization.jsonObject(with: bytes[8..<8 + length]) as? [String: Any] ?? [:]
    try body(&bytes) { name in
      guard let tensor = header[name] as? [String: Any], let range = tensor["data_offsets"] as? [Int] else {
        throw NoTensor(name: name)
      }
      return 8 + length + range[0]
    }
    // A file of its own: it may be a link to another run's.
    try FileManager.default.removeItem(at: url)
    try bytes.write(to: url)
  }
}
