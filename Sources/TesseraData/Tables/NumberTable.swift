// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

/// A table of numbers with a class a row: its columns are features.
public struct NumberTable: LabelledRows {
  /// The features' names, in the order of the columns.
  public let names: [String]
  /// The class of each row, -1 where it has none.
  public let labels: [Int32]
  /// Names of the classes, sorted.
  public let classes: [String]
  /// Of a table that was read without asking for classes each row's label as it stands there, nil where it has none.
  package let toldLabels: [String?]
  /// SHA-256 of names, numbers and labels.
  public let fingerprint: String
  /// What there is, and what was left out.
  public let summary: DataSummary
  /// The first missing value, if any, and how many there are.
  public let missing: (place: String, count: Int)?
  /// The numbers; those that are missing are none (NaN).
  let values: NumberMatrix
  private let path: String
  private let areLabelsAsIs: Bool

  /// The largest number that is taken: the sizes of what is made of two of them fit binary32.
  static let largest = 1e30

  /// How many rows there are.
  public var count: Int { labels.count }

  /// Reads CSV or TSV (also packed by gzip), NumPy's `.npy` or `.npz`, or safetensors; `-` is delimited text on
  /// standard input.
  ///
  /// - Parameters:
  ///   - path: the file.
  ///   - request: what is asked of it.
  /// - Throws: `TesseraError` naming file, line and column; a column that is no numbers, columns that a model lacks or
  ///   does not know, labels that look like what a regression predicts.
  public static func read(_ path: String, _ request: TableRequest) throws -> NumberTable {
    if request.format.text != nil {
      throw TesseraError.input("text-column", found: "a table of numbers", wanted: "none (leave it out)")
    }
    let content = try TableFormats.read(path, request)
    return try NumberTable(content, path, request)
  }

  private init(_ content: TableContent, _ path: String, _ request: TableRequest) throws {
    (self.path, areLabelsAsIs, names) = (path, request.format.labels.areAsIs, content.names)
    let (rows, kept) = try Self.labels(content, path, request)
    let isWhole = kept.count == content.values.count
    values = isWhole ? content.values : content.values.choosing(rows: kept)
    let found = try request.classes ?? Self.classes(of: rows, path, request)
    if request.classes == nil, request.labelled, found.count < 2 {
      throw TesseraError.input(
        path, found: "only the class \(found.first ?? "none")", wanted: "at least two classes")
    }
    classes = found
    toldLabels = request.labelled ? [] : rows.rows.map(\.label)
    labels = try Self.numbers(rows, found, path, request)
    var print = Fingerprint()
    for name in names { print.add(name) }
    var (counts, first) = ([Int](repeating: 0, count: names.count), String?.none)
    let (count, columns, matrix) = (labels.count, names.count, values)
    try matrix.forEachBlock(of: Array(0..<count)) { begin, block in
      for (at, value) in block.enumerated() {
        let (row, column) = (begin + at / columns, at % columns)
        func place() -> String { "\(path): \(content.place(kept[row])), column \(content.names[column])" }
        guard !value.isNaN else {
          counts[column] += 1
          if first == nil { first = place() }
          continue
        }
        guard abs(value) <= Self.largest else {
          throw TesseraError.input(place(), found: "\(value)", wanted: "numbers up to \(Self.largest)")
        }
      }
      block.withUnsafeBytes { print.add($0) }
    }
    for row in rows.rows { print.add(row.label ?? "") }
    fingerprint = print.digits()
    missing = first.map { ($0, counts.reduce(0, +)) }
    summary = Self.summary(
      content, rows, labels, request.labelled ? found : [], missing: counts)
  }

  /// The numbers of a row; those that are missing are none (NaN).
  ///
  /// - Precondition: the row is there.
  package func values(row: Int) -> [Double] { values.gather([row]) }

  /// Throws where values are missing and no rule says what stands for them.
  public func requireComplete() throws {
    guard let missing else { return }
    throw TesseraError.input(
      missing.place, found: "no number (\(missing.count) of the table are missing)",
      wanted: "a number, or a rule for what stands for missing ones: --missing mean, median or zero")
  }

  /// Throws where a class has a single row: what is learnt of it could not be judged, or what is judged not learnt.
  public func requireRowsOfEachClass() throws {
    try summary.requireRowsOfEachClass(areAsIs: areLabelsAsIs)
  }

  /// 64 bits of the SHA-256 of each row's numbers.
  package var rowDigests: [UInt64] {
    var digests: [UInt64] = []
    let columns = names.count
    values.forEachBlock(of: Array(0..<count)) { _, block in
      for begin in stride(from: 0, to: block.count, by: columns) {
        var print = Fingerprint()
        block[begin..<begin + columns].withUnsafeBytes { print.add($0) }
        digests.append(print.word)
      }
    }
    return digests
  }
}
