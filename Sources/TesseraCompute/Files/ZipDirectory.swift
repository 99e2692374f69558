// SPDX-License-Identifier: Apache-2.0
import Foundation

/// The central directory of a zip archive (PKWARE APPNOTE 4.3.12, with Zip64).
package struct ZipDirectory {
  /// A member: its bytes, as they are in the archive.
  package struct Member {
    /// Where they are.
    package let range: Range<Int>
    /// Whether they have to be unpacked.
    package let isCompressed: Bool
  }

  private let path: String
  private let raw: UnsafeRawBufferPointer

  /// Members by name.
  ///
  /// - Throws: `TesseraError` for what is no archive, or one that was cut short.
  package static func read(_ path: String, _ data: Data) throws -> [String: Member] {
    try data.withUnsafeBytes { try ZipDirectory(path: path, raw: $0).members() }
  }

  private func members() throws -> [String: Member] {
    var (count, position) = try entries()
    var members: [String: Member] = [:]
    while count > 0 {
      guard position >= 0, position + 46 <= raw.count, u32(position) == 0x0201_4b50 else {
        throw bad("a broken directory")
      }
      let (name, extra, comment) = (u16(position + 28), u16(position + 30), u16(position + 32))
      let end = position + 46 + name + extra + comment
      guard end <= raw.count else { throw bad("a broken directory") }
      let text = String(decoding: raw[position + 46..<position + 46 + name], as: UTF8.self)
      members[text] = try member(text, at: position, fields: position + 46 + name..<end - comment)
      (count, position) = (count - 1, end)
    }
    return members
  }

  /// Entries of the directory, and where it begins.
  private func entries() throws -> (count: Int, position: Int) {
    guard raw.count >= 22 else { throw bad("\(raw.count) bytes") }
    // A comment of up to 65,535 bytes may follow the end record.
    let places = stride(from: raw.count - 22, through: max(0, raw.count - 22 - 65_535), by: -1)
    guard let end = places.first(where: { u32($0) == 0x0605_4b50 }) else {
      throw bad("a zip archive without its end", "a whole one\(SafetensorsFormat.shortened)")
    }
    guard end >= 20, u32(end - 20) == 0x0706_4b50 else { return (u16(end + 10), u32(end + 16)) }
    let wide = u64(end - 20 + 8)
    guard wide >= 0, wide + 56 <= raw.count, u32(wide) == 0x0606_4b50 else { throw bad("a broken directory") }
    return (u64(wide + 32), u64(wide + 48))
  }

  /// The member of the directory's entry at a position.
  private func member(_ name: String, at position: Int, fields: Range<Int>) throws -> Member {
    var (size, packed, offset) = (u32(position + 24), u32(position + 20), u32(position + 42))
    var field = fields.lowerBound
    while field + 4 <= fields.upperBound {
      if u16(field) == 1 { readZip64(field + 4, fields.upperBound, &size, &packed, &offset) }
      field += 4 + u16(field + 2)
    }
    guard offset >= 0, offset + 30 <= raw.count, u32(offset) == 0x0403_4b50 else {
      throw bad("a broken member \(name)")
    }
    let start = offset + 30 + u16(offset + 26) + u16(offset + 28)
    guard packed >= 0, start + packed <= raw.count else { throw bad("member \(name) past the end") }
    return Member(range: start..<start + packed, isCompressed: u16(position + 10) != 0 || size != packed)
  }

  /// The 64-bit numbers of those that the entry has no room for, in this order.
  private func readZip64(
    _ begin: Int, _ end: Int, _ size: inout Int, _ packed: inout Int, _ offset: inout Int
  ) {
    var at = begin
    func take(_ value: inout Int) {
      guard value == 0xffff_ffff, at + 8 <= end else { return }
      value = u64(at)
      at += 8
    }
    take(&size)
    take(&packed)
    take(&offset)
  }

  private func bad(_ found: String, _ wanted: String = "a zip archive of stored members") -> TesseraError {
    .input(path, found: found, wanted: wanted)
  }
  private func u16(_ at: Int) -> Int { Int(raw.loadUnaligned(fromByteOffset: at, as: UInt16.self)) }
  private func u32(_ at: Int) -> Int { Int(raw.loadUnaligned(fromByteOffset: at, as: UInt32.self)) }
  // At most so large that sums of a few still fit: any such place is past the end of a file.
  private func u64(_ at: Int) -> Int {
    Int(clamping: min(raw.loadUnaligned(fromByteOffset: at, as: UInt64.self), 1 << 60))
  }
}
