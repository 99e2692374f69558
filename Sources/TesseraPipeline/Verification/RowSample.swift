// SPDX-License-Identifier: Apache-2.0
import Foundation
import TesseraCompute

/// How many rows of each stage are recomputed: a share of them, or a number.
public enum RowSample: Equatable, Sendable {
  /// Above 0, at most 1.
  case share(Double)
  /// 1 or more; all of them where there are fewer.
  case count(Int)

  /// Reads `1%`, `0.5%` or `200`.
  ///
  /// - Throws: `TesseraError` for what is neither.
  public init(_ text: String) throws {
    if text.hasSuffix("%"), let percent = Double(text.dropLast()), percent > 0, percent <= 100 {
      self = .share(percent / 100)
    } else if let count = Int(text), count >= 1 {
      self = .count(count)
    } else {
      throw TesseraError.input(
        "sample", found: text, wanted: "a share above 0% and up to 100%, such as 1%, or a number of rows")
    }
  }

  /// How many of so many rows: at least one of any, none for a share or a number below what it may be.
  public func rows(of total: Int) -> Int {
    guard total > 0 else { return 0 }
    switch self {
    case .share(let share):
      guard share > 0 else { return 0 }
      return share >= 1 ? total : min(total, max(1, Int((Double(total) * share).rounded(.up))))
    case .count(let count): return min(total, max(0, count))
    }
  }

  /// The share of so many rows that it is.
  func share(of total: Int) -> RowSample {
    switch self {
    case .share: self
    case .count(let count): total > count ? .share(Double(count) / Double(total)) : .share(1)
    }
  }

  /// Rows by seed, ascending; every set of as many is equally likely.
  ///
  /// - Parameters:
  ///   - total: rows that there are.
  ///   - seed: decides which are drawn.
  ///   - stream: a number of what they are drawn for, so that stages have rows of their own.
  func drawn(of total: Int, seed: UInt64, stream: UInt64) throws -> [Int] {
    let stream = RandomStream(seed: seed, stream: 1 << 60 | stream)
    return try stream.shuffled(Array(0..<total)).prefix(rows(of: total)).sorted()
  }

  /// The chance that so many rows, drawn without return, hold none of the wrong ones: the hypergeometric
  /// distribution at 0.
  ///
  /// - Parameters:
  ///   - drawn: rows that are looked at.
  ///   - total: rows that there are.
  ///   - wrong: rows among them that are wrong.
  static func chanceOfNone(drawn: Int, total: Int, wrong: Int) -> Double {
    guard wrong > 0 else { return 1 }
    guard drawn + wrong <= total else { return 0 }
    return (0..<drawn).reduce(1.0) { $0 * Double(total - wrong - $1) / Double(total - $1) }
  }

  /// The chance to pass by the share of wrong rows, as certificates tell it.
  static func chances(drawn: Int, total: Int) -> [String: Double] {
    let shares = [("0.1%", 0.001), ("1%", 0.01), ("10%", 0.1)]
    return Dictionary(
      shares.map { name, share in
        let wrong = Int((share * Double(total)).rounded(.up))
        return (name, chanceOfNone(drawn: drawn, total: total, wrong: wrong))
      }, uniquingKeysWith: { first, _ in first })
  }
}
