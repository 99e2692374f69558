// SPDX-License-Identifier: Apache-2.0
import TestSupport
import TesseraCompute
import Testing

@testable import TesseraData

/// Numbers in text: the nearest binary64, as Swift's own reader has it, or none.
@Suite struct NumberTextTests {
  private func value(_ text: String) -> Double? {
    Array(text.utf8).withUnsafeBufferPointer { NumberText.value($0) }
  }

  @Test func numbersAreTheNearest() {
    let texts = [
      "0", "-0", "1", "+7", "-12.5", ".5", "5.", "1e3", "1E-3", "1e+22", "1e22", "1e23", "123456789012345",
      "1234567890123456789", "0.1", "0.30000000000000004", "2.2250738585072014e-308", "4.9e-324",
      "1.7976931348623157e308",
      "000000000000000000001.5", "0.000000000000000000000123", "9007199254740993", "8.5e-23", "1e-400",
      "123456789012345e-22",
    ]
    for text in texts {
      #expect(value(text)?.bitPattern == Double(text)?.bitPattern, "\(text): \(value(text) ?? .nan)")
    }
    #expect(value(" 1.5\t") == 1.5)
    for number in drawn(7, 2000, -1e6, 1e6) {
      for text in ["\(number)", "\(Double(number) / 7)", "\(Double(number) * 1e18)"] {
        #expect(value(text)?.bitPattern == Double(text)?.bitPattern, "\(text)")
      }
    }
    #expect(value("1e400") == .infinity && value("1e99999999999999999999") == .infinity)
  }

  @Test func whatIsMissingIsNoNumber() {
    for text in ["", " ", "NA", "n/a", "NaN", "nan", "NULL", "None", "?", "inf", "-Infinity", "+inf", "<NA>"]
    {
      #expect(value(text)?.isNaN == true, "\(text)")
    }
  }

  @Test func whatIsNeitherIsToldApart() {
    for text in [
      "a", "1a", "1,5", "0x1A", "1e", "1e+", "--1", "1.2.3", ".", "-", "+", "e5", "1 2", "١", "true", "1_000",
      "nano",
      "1e5.0", "\u{0}1",
    ] {
      #expect(value(text) == nil, "\(text): \(value(text) ?? .nan)")
    }
  }
}
