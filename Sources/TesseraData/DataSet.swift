// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

/// Texts with a class each.
public struct DataSet: Sendable {
  /// The texts.
  public let texts: [String]
  /// The class of each text, -1 where it has none.
  public let labels: [Int32]
  /// Names of the classes, sorted.
  public let classes: [String]
  /// SHA-256 of texts and labels.
  public let fingerprint: String
  /// What there is, and what was left out.
  public let summary: DataSummary
  /// What they were read from.
  public let kind: DataKind
  /// Whether labels were asked to be taken whatever they look like.
  private let areLabelsAsIs: Bool

  /// Which part of a folder with `train` and `test` is meant.
  public enum Part: Sendable {
    /// Rows to learn from, and rows to be judged by.
    case training, test
  }

  /// Reads CSV, TSV, JSON lines or a JSON array of objects (each also packed by gzip), or a folder with one
  /// folder of `.txt` files per class (such as `aclImdb/train`); `-` is standard input.
  ///
  /// - Parameters:
  ///   - path: file or folder.
  ///   - format: what the file does not say itself.
  ///   - classes: the classes of a model; others are refused. All that occur, at least two, if nil.
  ///   - labelled: whether every text must have a class.
  ///   - part: which part of a divided folder is meant.
  /// - Throws: `TesseraError` naming file and line, and the option that decides where there is a doubt:
  ///   quotes that may have swallowed rows, bytes in another encoding, labels that look like spellings of
  ///   one class or like ratings.
  public static func read(
    _ path: String, format: DataFormat = DataFormat(), classes: [String]? = nil, labelled: Bool = true,
    part: Part = .training
  ) throws -> DataSet {
    let source = try DataSource(path, encoding: format.encoding)
    let request = DataRequest(format: format, labelled: labelled, part: part)
    var data = try DataSetFormats.format(of: source).read(source, request)
    let list = ClassList(path: path, rules: format.labels)
    if labelled { try list.apply(to: &data, isFirst: classes == nil) }
    guard !data.rows.isEmpty else {
      throw TesseraError.input(path, found: "no reviews", wanted: "at least one")
    }
    let found =
      try classes ?? (labelled ? list.classes(of: data) : Set(data.rows.compactMap(\.label)).ordered())
    if classes == nil, labelled, found.count < 2 {
      throw TesseraError.input(
        path, found: "only the class \(found.first ?? "none")", wanted: "at least two classes")
    }
    let set = try DataSet(data, path: path, classes: found, areAsIs: format.labels.areAsIs)
    guard !labelled || set.summary.emptyTexts < set.texts.count else {
      throw TesseraError.input(path, found: "\(set.texts.count) texts, all of them empty", wanted: "reviews")
    }
    return set
  }

  private init(_ data: DataRows, path: String, classes: [String], areAsIs: Bool) throws {
    (areLabelsAsIs, kind) = (areAsIs, data.kind)
    var numbers: [String: Int32] = [:]
    for (number, name) in classes.enumerated() { numbers[name] = Int32(number) }
    var print = Fingerprint()
    labels = try data.rows.map { row in
      guard let label = row.label else { return -1 }
      guard let number = numbers[label] else {
        throw TesseraError.input(
          row.place.description(in: path), found: "the label \(label)",
          wanted: "\(classes.joined(separator: " or ")) (--labels says what others stand for)")
      }
      return number
    }
    for row in data.rows {
      print.add(row.text)
      print.add(row.label ?? "")
    }
    texts = data.rows.map(\.text)
    self.classes = classes
    fingerprint = print.digits()
    var counts = [Int](repeating: 0, count: classes.count)
    for label in labels where label >= 0 { counts[Int(label)] += 1 }
    summary = DataSummary(
      rows: texts.count, classes: zip(classes, counts).map { .init(name: $0, rows: $1) },
      reading: data.reading, leftOut: data.leftOut, emptyTexts: texts.count { $0.allSatisfy(\.isWhitespace) })
  }

  /// Throws where a class has a single row: what is learnt of it could not be judged, or what is judged not
  /// learnt.
  public func requireRowsOfEachClass() throws {
    try summary.requireRowsOfEachClass(areAsIs: areLabelsAsIs)
  }
}

extension DataSet {
  /// Whether a line looks like the first of a table with a usual column of texts, or of JSON.
  package static func looksLikeTable(_ line: String) -> Bool {
    DataSetFormats.all.contains { $0.looksLikeStart(line) }
  }
}
