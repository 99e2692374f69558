// SPDX-License-Identifier: Apache-2.0
import Foundation

/// A field of delimited text as a number, rounded to the nearest binary64.
enum NumberText {
  /// What stands for a value that is not there, in lower case.
  private static let missing: Set<String> = [
    "", "na", "n/a", "#n/a", "<na>", "nan", "-nan", "null", "none", "?", "inf", "+inf", "-inf", "infinity",
    "+infinity", "-infinity",
  ]

  /// Powers of ten that binary64 holds exactly.
  private static let powers: [Double] = (0...22).map { exponent in
    (0..<exponent).reduce(1.0) { power, _ in power * 10 }
  }

  /// The number of a field, blanks around it or not; NaN for a missing value, nil for what is neither.
  static func value(_ bytes: UnsafeBufferPointer<UInt8>) -> Double? {
    if let found = plain(bytes) { return found }
    // Nothing that stands for a missing value is longer.
    guard bytes.count < 64 else { return nil }
    let word = String(decoding: bytes, as: UTF8.self).trimmingCharacters(in: .whitespaces).lowercased()
    return missing.contains(word) ? .nan : nil
  }

  /// A number in decimal notation; nil for anything else.
  private static func plain(_ bytes: UnsafeBufferPointer<UInt8>) -> Double? {
    var (at, end) = (0, bytes.count)
    while at < end, bytes[at] == 32 || bytes[at] == 9 { at += 1 }
    while end > at, bytes[end - 1] == 32 || bytes[end - 1] == 9 { end -= 1 }
    let text = at..<end
    let isNegative = at < end && bytes[at] == 45
    if isNegative || at < end && bytes[at] == 43 { at += 1 }
    var (digits, taken, scale) = (UInt64(0), 0, 0)
    func isDigit(_ place: Int) -> Bool { place < end && bytes[place] >= 48 && bytes[place] <= 57 }
    var (hasDigits, isAfterPoint) = (false, false)
    while isDigit(at) || at < end && bytes[at] == 46 && !isAfterPoint {
      if bytes[at] == 46 {
        isAfterPoint = true
      } else {
        hasDigits = true
        // Zeros in front are no digits of the number.
        if digits > 0 || bytes[at] != 48 { taken += 1 }
        if taken <= 18 { digits = digits * 10 + UInt64(bytes[at] - 48) }
        if isAfterPoint { scale -= 1 }
      }
      at += 1
    }
    guard hasDigits else { return nil }
    if at < end, bytes[at] | 32 == 101 {
      guard let exponent = exponent(bytes, at + 1..<end) else { return nil }
      (scale, at) = (scale + exponent, end)
    }
    guard at == end else { return nil }
    // A product or quotient of two exact numbers is rounded once (Clinger 1990).
    if taken <= 15, abs(scale) <= 22 {
      let size = scale < 0 ? Double(digits) / powers[-scale] : Double(digits) * powers[scale]
      return isNegative ? -size : size
    }
    return Double(String(decoding: bytes[text], as: UTF8.self))
  }

  /// A decimal exponent; nil for anything else.
  private static func exponent(_ bytes: UnsafeBufferPointer<UInt8>, _ range: Range<Int>) -> Int? {
    var at = range.lowerBound
    let isNegative = at < range.upperBound && bytes[at] == 45
    if isNegative || at < range.upperBound && bytes[at] == 43 { at += 1 }
    guard at < range.upperBound else { return nil }
    var size = 0
    while at < range.upperBound {
      guard bytes[at] >= 48, bytes[at] <= 57 else { return nil }
      // More decides nothing: the number is 0 or infinite.
      size = min(100_000, size * 10 + Int(bytes[at] - 48))
      at += 1
    }
    return isNegative ? -size : size
  }
}
