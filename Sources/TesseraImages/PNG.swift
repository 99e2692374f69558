// SPDX-License-Identifier: Apache-2.0
import CZlib
import Foundation
import TesseraCompute

/// Grey images of 8 bits as PNG files.
public enum PNG {
  /// Encodes pixels.
  ///
  /// - Parameters:
  ///   - pixels: row-major bytes, 0 black.
  ///   - width: pixels of a row.
  ///   - height: the number of rows.
  public static func encode(_ pixels: [UInt8], width: Int, height: Int) throws -> Data {
    let most = 1 << 24
    guard (1...most).contains(width), (1...most).contains(height), pixels.count == width * height else {
      throw TesseraError.failure("png", found: "\(pixels.count) pixels", wanted: "\(width) x \(height)")
    }
    var lines: [UInt8] = []
    lines.reserveCapacity(height * (width + 1))
    for row in 0..<height {
      lines.append(0)
      lines += pixels[row * width..<(row + 1) * width]
    }
    var size = compressBound(UInt(lines.count))
    var packed = [UInt8](repeating: 0, count: Int(size))
    guard compress2(&packed, &size, lines, UInt(lines.count), 9) == Z_OK else {
      throw TesseraError.failure("png", found: "zlib failed", wanted: "compressed lines")
    }
    var data = Data([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])
    chunk("IHDR", bigEndian(width) + bigEndian(height) + [8, 0, 0, 0, 0], to: &data)
    chunk("IDAT", Array(packed.prefix(Int(size))), to: &data)
    chunk("IEND", [], to: &data)
    return data
  }

  /// Encodes one image of (channels, pixels, pixels), its smallest value black and its largest white, its
  /// channels side by side.
  public static func encode(stretching planes: [Float], pixels: Int, channels: Int) throws -> Data {
    guard (1...1 << 12).contains(pixels), (1...1 << 12).contains(channels),
      planes.count == channels * pixels * pixels
    else {
      throw TesseraError.failure(
        "png", found: "\(planes.count) values", wanted: "\(channels) channels of \(pixels) x \(pixels)")
    }
    try requireFinite("png", planes, columns: planes.count)
    let width = pixels * channels
    let values = (0..<planes.count).map { at in
      planes[at % width / pixels * pixels * pixels + at / width * pixels + at % pixels]
    }
    let (low, high) = (values.min() ?? 0, values.max() ?? 0)
    let scale = high > low ? 255 / (high - low) : 0
    return try encode(
      values.map { UInt8(max(0, min(255, (($0 - low) * scale).rounded()))) }, width: width,
      height: width > 0 ? values.count / width : 0)
  }

  private static func bigEndian(_ value: Int) -> [UInt8] {
    [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) }
  }

  private static func chunk(_ type: String, _ bytes: [UInt8], to data: inout Data) {
    let body = Array(type.utf8) + bytes
    data += bigEndian(bytes.count)
    data += body
    data += bigEndian(Int(crc32(0, body, UInt32(body.count))))
  }
}

/// Images laid side by side, for looking at.
public struct ContactSheet {
  /// Encodes images of [0, 1] in rows, 4 pixels apart, the channels of an image side by side 2 pixels apart.
  ///
  /// - Parameters:
  ///   - images: row-major (count, channels, pixels, pixels).
  ///   - pixels: a side of an image.
  ///   - channels: channels of an image.
  ///   - columns: the most images of a row.
  ///   - scale: a side of the square that shows one pixel.
  ///   - stretch: whether the smallest and largest value become black and white; else 0 and 1 do.
  /// - Throws: `TesseraError` for extents below 1 or above 4,096, no whole images, and values that are not
  ///   finite.
  public static func png(
    _ images: [Float], pixels: Int, channels: Int = 1, columns: Int, scale: Int = 3, stretch: Bool = true
  ) throws -> Data {
    let most = 1...1 << 12
    guard [pixels, channels, columns, scale].allSatisfy({ most.contains($0) }) else {
      throw TesseraError.failure(
        "contact sheet",
        found: "\(columns) columns of \(channels) x \(pixels) x \(pixels), scale \(scale)",
        wanted: "1 to \(most.upperBound) each")
    }
    let (area, large) = (pixels * pixels, pixels * scale)
    let count = images.count / (area * channels)
    guard count > 0, images.count == count * area * channels else {
      throw TesseraError.failure(
        "contact sheet", found: "\(images.count) values", wanted: "images of \(area * channels), at least one"
      )
    }
    try requireFinite("contact sheet", images, columns: area * channels)
    let (low, high) = stretch ? (images.min() ?? 0, images.max() ?? 1) : (0, 1)
    let span = high > low ? high - low : 1
    let across = min(columns, count)
    let down = (count + across - 1) / across
    let cell = (width: channels * (large + 2) + 2, height: large + 4)
    let (width, height) = (across * cell.width + 4, down * cell.height + 4)
    guard Double(width) * Double(height) <= 0x1p31 else {
      throw TesseraError.failure(
        "contact sheet", found: "\(width) x \(height) pixels", wanted: "2^31 pixels at most: a smaller scale")
    }
    var out = [UInt8](repeating: 96, count: width * height)
    for plane in 0..<count * channels {
      let (image, channel) = (plane / channels, plane % channels)
      let top = image / across * cell.height + 4
      let left = image % across * cell.width + 4 + channel * (large + 2)
      for y in 0..<large {
        for x in 0..<large {
          let value = (images[plane * area + y / scale * pixels + x / scale] - low) / span
          out[(top + y) * width + left + x] = UInt8(max(0, min(255, (value * 255).rounded())))
        }
      }
    }
    return try PNG.encode(out, width: width, height: height)
  }
}
