// SPDX-License-Identifier: Apache-2.0
import Foundation

/// The central directory of a zip archive.
enum ZipDirectory {
  /// A member: its bytes, as they are in the archive.
  struct Member {
    let range: Range<Int>
    let isCompressed: Bool
  }

  /// Members by name.
  static func read(_ path: String, _ data: Data) throws -> [String: Member] {
    func bad(_ found: String, _ wanted: String = "a zip archive of stored members") -> TesseraError {
      .input(path, found: found, wanted: wanted)
    }
    return try data.withUnsafeBytes { raw in
      func u16(_ at: Int) -> Int { Int(raw.loadUnaligned(fromByteOffset: at, as: UInt16.self)) }
      func u32(_ at: Int) -> Int { Int(raw.loadUnaligned(fromByteOffset: at, as: UInt32.self)) }
      // At most so large that sums of a few still fit: any such place is past the end of a file.
      func u64(_ at: Int) -> Int {
        Int(clamping: min(raw.loadUnaligned(fromByteOffset: at, as: UInt64.self), 1 << 60))
      }
      guard raw.count >= 22 else { throw bad("\(raw.count) bytes") }
      let lowest = max(0, raw.count - 22 - 65_535)
      guard
        let end = stride(from: raw.count - 22, through: lowest, by: -1).first(where: {
          u32($0) == 0x0605_4b50
        })
      else { throw bad("a zip archive without its end", "a whole one\(SafetensorsFormat.shortened)") }
      var (count, position) = (u16(end + 10), u32(end + 16))
      if end >= 20, u32(end - 20) == 0x0706_4b50 {
        let wide = u64(end - 20 + 8)
        guard wide >= 0, wide + 56 <= raw.count, u32(wide) == 0x0606_4b50 else {
          throw bad("a broken directory")
        }
        (count, position) = (u64(wide + 32), u64(wide + 48))
      }
      var members: [String: Member] = [:]
      for _ in 0..<count {
        guard position >= 0, position + 46 <= raw.count, u32(position) == 0x0201_4b50 else {
          throw bad("a broken directory")
        }
        let (name, extra, comment) = (u16(position + 28), u16(position + 30), u16(position + 32))
        guard position + 46 + name + extra + comment <= raw.count else { throw bad("a broken directory") }
        var (size, packed, offset) = (u32(position + 24), u32(position + 20), u32(position + 42))
        var field = position + 46 + name
        let fieldsEnd = field + extra
        while field + 4 <= fieldsEnd {
          let length = u16(field + 2)
          if u16(field) == 1 {
            var at = field + 4
            func take(_ value: inout Int) {
              if value == 0xffff_ffff, at + 8 <= fieldsEnd {
                value = u64(at)
                at += 8
              }
            }
            take(&size)
            take(&packed)
            take(&offset)
          }
          field += 4 + length
        }
        let text = String(decoding: raw[position + 46..<position + 46 + name], as: UTF8.self)
        guard offset >= 0, offset + 30 <= raw.count, u32(offset) == 0x0403_4b50 else {
          throw bad("a broken member \(text)")
        }
        let start = offset + 30 + u16(offset + 26) + u16(offset + 28)
        guard packed >= 0, start + packed <= raw.count else { throw bad("member \(text) past the end") }
        members[text] = Member(
          range: start..<start + packed, isCompressed: u16(position + 10) != 0 || size != packed)
        position += 46 + name + extra + comment
      }
      return members
    }
  }
}
