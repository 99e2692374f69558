import Foundation
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

  /// Names of the columns; well-known ones are looked for if nil.
  public struct Columns: Sendable {
    /// Column of the text and of the class.
    public var text: String?, label: String?

    /// Columns by name.
    public init(text: String? = nil, label: String? = nil) {
      self.text = text
      self.label = label
    }
  }

  /// Reads CSV, TSV or JSON lines (each also packed by gzip), or a folder with one folder of `.txt` files per class
  /// (such as `aclImdb/train`).
  ///
  /// - Parameters:
  ///   - path: file or folder.
  ///   - classes: the classes of a model; others are refused. All that occur, at least two, if nil.
  ///   - labelled: whether every text must have a class.
  /// - Throws: `TesseraError` naming file and line.
  public static func read(
    _ path: String, columns: Columns = Columns(), classes: [String]? = nil, labelled: Bool = true
  ) throws -> DataSet {
    var isFolder: ObjCBool = false
    _ = FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
    let rows =
      isFolder.boolValue ? try FolderFormat.read(path) : try file(path, columns, labelled: labelled)
    guard !rows.isEmpty else { throw TesseraError.input(path, found: "no reviews", wanted: "at least one") }
    return try DataSet(rows, path: path, classes: classes, labelled: labelled)
  }

  /// One text, its class if known, and where it stands.
  struct Row {
    let text: String
    let label: String?
    let place: String
  }

  private init(_ rows: [Row], path: String, classes known: [String]?, labelled: Bool) throws {
    let classes = known ?? Set(rows.compactMap(\.label)).sorted()
    if known == nil, labelled, classes.count < 2 {
      throw TesseraError.input(
        path, found: "only the class \(classes.first ?? "none")", wanted: "at least two classes")
    }
    var numbers: [String: Int32] = [:]
    for (number, name) in classes.enumerated() { numbers[name] = Int32(number) }
    var print = Fingerprint()
    labels = try rows.map { row in
      guard let label = row.label else { return -1 }
      guard let number = numbers[label] else {
        throw TesseraError.input(
          row.place, found: "the label \(label)", wanted: classes.joined(separator: " or "))
      }
      return number
    }
    for row in rows {
      print.add(row.text)
      print.add(row.label ?? "")
    }
    texts = rows.map(\.text)
    self.classes = classes
    fingerprint = print.digits()
  }

  private static func file(_ path: String, _ columns: Columns, labelled: Bool) throws -> [Row] {
    let data = try InputFile.readAny(
      path, wanted: "CSV, TSV, JSON lines or a folder of classes", atMost: InputFile.Limit.data, pipes: true)
    var bytes = [UInt8](data)
    var name = path.lowercased()
    if Gzip.isPacked(bytes) {
      bytes = try Gzip.unpack(bytes, place: path)
      if name.hasSuffix(".gz") { name.removeLast(3) }
    }
    guard bytes.contains(where: { $0 > 32 }) else {
      throw TesseraError.input(path, found: "an empty file", wanted: "reviews")
    }
    if name.hasSuffix(".jsonl") || name.hasSuffix(".json") || name.hasSuffix(".ndjson") {
      return try JSONLinesFormat.read(bytes, path, columns, labelled: labelled)
    }
    return try delimited(
      bytes, path, separator: name.hasSuffix(".tsv") ? "\t" : ",", columns, labelled: labelled)
  }

  private static func delimited(
    _ bytes: [UInt8], _ path: String, separator: Character, _ columns: Columns, labelled: Bool
  ) throws -> [Row] {
    var reader = DelimitedText(bytes, separator: separator, place: path)
    guard let header = try reader.next() else {
      throw TesseraError.input(path, found: "an empty file", wanted: "a header and reviews")
    }
    let names = header.fields.map { $0.trimmingCharacters(in: .whitespaces) }
    func column(_ wanted: String?, _ usual: [String], needed: Bool) throws -> Int? {
      let candidates = wanted.map { [$0] } ?? usual
      if let found = candidates.compactMap({ names.firstIndex(of: $0) }).first { return found }
      guard needed || wanted != nil else { return nil }
      throw TesseraError.input(
        "\(path): header", found: "columns \(names.joined(separator: ", "))",
        wanted: "a column \(candidates.joined(separator: " or "))")
    }
    guard let text = try column(columns.text, usualTexts, needed: true) else { return [] }
    let label = try column(columns.label, usualLabels, needed: labelled)
    var rows: [Row] = []
    while let record = try reader.next() {
      let place = "\(path): line \(record.line)"
      guard record.fields.count == names.count else {
        throw TesseraError.input(place, found: "\(record.fields.count) fields", wanted: "\(names.count)")
      }
      let value = label.map { record.fields[$0].trimmingCharacters(in: .whitespaces) }
      if labelled, value?.isEmpty ?? true {
        throw TesseraError.input(place, found: "no label", wanted: "a label")
      }
      rows.append(
        Row(text: record.fields[text], label: value.flatMap { $0.isEmpty ? nil : $0 }, place: place))
    }
    return rows
  }

  static let usualTexts = ["review", "text", "sentence"]
  static let usualLabels = ["sentiment", "label", "class"]
}
