// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

/// Finds the dialect of delimited text. It looks at the whole file, and the answer follows from its bytes
/// alone:
///
/// 1. `double` if by it every record has as many fields as the header, every quote closes where a field
/// ends, and no field over
///    several lines consists of whole rows;
/// 2. else `backslash`, by the same rules, if a backslash stands before a quote somewhere; 3. else `none`,
/// if by it every line has as many fields as the header and at most half of the lines have a field in
/// quotes (no
///    line at all where `double` would read the file too);
/// 4. else an error that names the line where the quote opened.
struct DialectSniffer {
  let bytes: [UInt8]
  let start: Int
  let line: Int
  let place: String

  /// What quotes mean.
  ///
  /// - Parameter label: column of the label, if known.
  func quotes(separator: UInt8?, label: Int?) throws -> Quotes {
    guard bytes[start...].contains(34) else { return .double }
    func survey(_ quotes: Quotes) -> DialectSurvey {
      DialectSurvey(bytes, quotes: quotes, separator: separator, start: start, line: line, label: label)
    }
    let double = survey(.double)
    if double.isWhole, double.swallowed == nil { return .double }
    let backslash = hasEscapedQuote ? survey(.backslash) : nil
    if let backslash, backslash.isWhole, backslash.swallowed == nil { return .backslash }
    let none = survey(.none)
    if none.isWhole, !none.isHeaderQuoted {
      let isOwn = double.isWhole || backslash?.isWhole == true
      let mayBe = isOwn ? none.quoted == 0 : 2 * none.quoted <= none.records
      let allRows = double.swallowed?.areAllRows ?? true && backslash?.swallowed?.areAllRows ?? true
      if mayBe, allRows { return .none }
    }
    // A record of another length has nothing to do with quotes: it is told by the reader.
    if double.broken == nil, let ragged = double.ragged, !ragged.hasQuotes { return .double }
    throw refusal(double, backslash)
  }

  private func refusal(_ double: DialectSurvey, _ backslash: DialectSurvey?) -> TesseraError {
    let options = "--quotes none, double or backslash, as the file means them"
    if let swallowed = double.swallowed ?? backslash?.swallowed {
      return .input(
        "\(place): line \(swallowed.line)",
        found: "a quote that opens here and closes some lines later, which look like rows of their own",
        wanted: options)
    }
    let broken = [double.broken, backslash?.broken].compactMap { $0 }.max { $0.opened < $1.opened }
    if let broken { return broken.error(place) }
    return .input(
      "\(place): line \(double.ragged?.line ?? line)",
      found: "another number of fields than in the header, by every meaning of quotes", wanted: options)
  }

  private var hasEscapedQuote: Bool {
    for at in bytes.indices.dropLast() where bytes[at] == 92 && bytes[at + 1] == 34 { return true }
    return false
  }

  /// Separators in the order in which they are tried.
  static func candidates(_ name: String) -> [UInt8] {
    if name.hasSuffix(".csv") { return [44, 59, 9, 124] }
    return [9, 44, 59, 124]
  }

  /// The first separator by which the header has the columns that are wanted, else the first by which it
  /// has several; nil for a file of one column.
  func separator(_ candidates: [UInt8], isHeader: ([String]) -> Bool) -> UInt8? {
    let several = candidates.filter { separator in
      (firstRecords(separator, 1).first?.count ?? 0) > 1
    }
    return several.first { isHeader(firstRecords($0, 1).first ?? []) } ?? several.first
  }

  /// For a file without a header: the first separator by which the first records have the same number of
  /// fields, at least so many.
  func separator(_ candidates: [UInt8], columns: Int) -> UInt8? {
    candidates.first { separator in
      let counts = Set(firstRecords(separator, 20).map(\.count))
      return counts.count == 1 && (counts.first ?? 0) >= max(2, columns)
    }
  }

  /// The first records, by the dialect that can read them.
  private func firstRecords(_ separator: UInt8, _ count: Int) -> [[String]] {
    for quotes in [Quotes.double, .backslash, .none] {
      var reader = DelimitedText(bytes, quotes: quotes, separator: separator, start: start, line: line)
      var fields: [DelimitedText.Field] = []
      var records: [[String]] = []
      do {
        while records.count < count, try reader.next(into: &fields) != nil {
          records.append(fields.map { reader.text($0) })
        }
        return records
      } catch {
        continue
      }
    }
    return []
  }
}
