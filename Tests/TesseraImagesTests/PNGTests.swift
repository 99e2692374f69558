// SPDX-License-Identifier: Apache-2.0
import CZlib
import Foundation
import TestSupport
import TesseraCompute
import Testing

@testable import TesseraImages

@Suite struct PNGTests {
  /// Reads a grey PNG without filters back, checking signature, chunk order and checksums.
  private func decode(_ data: Data) throws -> (width: Int, height: Int, pixels: [UInt8]) {
    let bytes = [UInt8](data)
    #expect(Array(bytes.prefix(8)) == [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])
    func number(_ at: Int) -> Int { bytes[at..<at + 4].reduce(0) { $0 << 8 | Int($1) } }
    var (at, names, header, packed) = (8, [String](), [UInt8](), [UInt8]())
    while at < bytes.count {
      let length = number(at)
      let body = Array(bytes[at + 4..<at + 8 + length])
      names.append(String(decoding: body.prefix(4), as: UTF8.self))
      #expect(number(at + 8 + length) == Int(crc32(0, body, UInt32(body.count))))
      if names.last == "IHDR" { header = Array(body.dropFirst(4)) }
      if names.last == "IDAT" { packed += body.dropFirst(4) }
      at += 12 + length
    }
    #expect(names == ["IHDR", "IDAT", "IEND"] && Array(header.suffix(5)) == [8, 0, 0, 0, 0])
    let (width, height) = (number(16), number(20))
    var size = UInt(height * (width + 1))
    var lines = [UInt8](repeating: 1, count: Int(size))
    #expect(uncompress(&lines, &size, packed, UInt(packed.count)) == Z_OK && size == UInt(lines.count))
    let rows = (0..<height).map { Array(lines[$0 * (width + 1)..<($0 + 1) * (width + 1)]) }
    #expect(rows.allSatisfy { $0[0] == 0 })
    return (width, height, rows.flatMap { $0.dropFirst() })
  }

  @Test func aPictureReadsBack() throws {
    for (width, height) in [(1, 1), (3, 2), (50, 50), (257, 3)] {
      let pixels = drawn(2, width * height, 0, 256).map { UInt8($0) }
      let back = try decode(try PNG.encode(pixels, width: width, height: height))
      #expect(back.width == width && back.height == height && back.pixels == pixels)
    }
    #expect(throws: TesseraError.self) { try PNG.encode([1, 2], width: 3, height: 1) }
  }

  @Test func aContactSheetHoldsEveryImageInItsCell() throws {
    let images: [Float] = [0, 1, 0.5, 0, 1, 1, 1, 1, 0, 0, 0, 0]
    let sheet = try decode(try ContactSheet.png(images, pixels: 2, columns: 2, scale: 3))
    #expect(sheet.width == 2 * 10 + 4 && sheet.height == 2 * 10 + 4)
    func pixel(_ x: Int, _ y: Int) -> UInt8 { sheet.pixels[y * sheet.width + x] }
    #expect([pixel(4, 4), pixel(9, 4), pixel(4, 9), pixel(9, 9)] == [0, 255, 128, 0])
    #expect(pixel(14, 4) == 255 && pixel(4, 14) == 0 && pixel(0, 0) == 96 && pixel(20, 20) == 96)
    #expect(throws: TesseraError.self) { try ContactSheet.png([], pixels: 2, columns: 2) }
  }

  @Test func channelsStandSideBySide() throws {
    // Two images of three channels of 2 x 2.
    let images = (0..<24).map { Float($0) / 23 }
    let sheet = try decode(try ContactSheet.png(images, pixels: 2, channels: 3, columns: 2, scale: 3))
    #expect(sheet.width == 2 * (3 * 8 + 2) + 4 && sheet.height == 10 + 4)
    for image in 0..<2 {
      for channel in 0..<3 {
        let value = sheet.pixels[4 * sheet.width + 4 + image * 26 + channel * 8]
        #expect(value == UInt8((Float(image * 12 + channel * 4) / 23 * 255).rounded()))
      }
    }
    let one = try decode(try PNG.encode(stretching: (0..<12).map { Float($0) }, pixels: 2, channels: 3))
    #expect(one.width == 6 && one.height == 2)
    let wanted = [0, 1, 4, 5, 8, 9, 2, 3, 6, 7, 10, 11].map { UInt8((Float($0) * (255.0 / 11)).rounded()) }
    #expect(one.pixels == wanted)
  }
}
