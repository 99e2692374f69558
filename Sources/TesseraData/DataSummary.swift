// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

/// What a data set holds, for one line before work starts.
public struct DataSummary: Codable, Sendable, Equatable {
  /// A class and its rows.
  public struct ClassSize: Codable, Sendable, Equatable {
    /// Its name.
    public let name: String
    /// How many rows it has.
    public let rows: Int
  }

  /// Something in the data that is no row.
  public struct LeftOut: Codable, Sendable, Equatable {
    /// What it is.
    public let what: String
    /// How often it is there.
    public let count: Int
  }

  /// How many rows there are.
  public let rows: Int
  /// The classes in the order of their names; none of data without labels.
  public let classes: [ClassSize]
  /// Columns, dialect, folder, where they were found and not given.
  public let reading: [String]
  /// What was left out.
  public let leftOut: [LeftOut]
  /// Texts without a character that is no white space.
  public let emptyTexts: Int

  /// Such as `24 rows; neg 12, pos 12; 3 hidden files left out; columns review and sentiment`.
  public var line: String {
    var parts = ["\(rows) \(rows == 1 ? "row" : "rows")"]
    if !classes.isEmpty {
      let shown = classes.count > 12 ? 10 : classes.count
      let sizes = classes.prefix(shown).map { "\($0.name) \($0.rows)" }
      let more = classes.count > shown ? ["\(classes.count - shown) more"] : []
      parts.append("\(classes.count) classes: " + (sizes + more).joined(separator: ", "))
    }
    if emptyTexts > 0 { parts.append("\(emptyTexts) \(emptyTexts == 1 ? "text is" : "texts are") empty") }
    if !leftOut.isEmpty {
      parts.append("left out " + leftOut.map { "\($0.count) \($0.what)" }.joined(separator: ", "))
    }
    return (parts + reading).joined(separator: "; ")
  }
}

extension DataSummary {
  /// Throws where a class has a single row.
  ///
  /// - Parameter areAsIs: whether labels were asked to be taken whatever they look like.
  func requireRowsOfEachClass(areAsIs: Bool) throws {
    guard !areAsIs, let single = classes.first(where: { $0.rows < 2 }) else { return }
    throw TesseraError.input(
      "data", found: "\(single.rows) row of the class \(single.name): \(line)",
      wanted: "at least two rows of each class (--labels '\(single.name)=OTHER' joins it to another, "
        + "'\(single.name)=' leaves it out, as-is takes it as it is)")
  }
}
