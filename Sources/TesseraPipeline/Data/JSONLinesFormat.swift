import Foundation
import TesseraCompute

/// One JSON object a line with a text and a label.
enum JSONLinesFormat {
  static func read(
    _ bytes: [UInt8], _ path: String, _ columns: DataSet.Columns, labelled: Bool
  ) throws -> [DataSet.Row] {
    var rows: [DataSet.Row] = []
    for (index, line) in bytes.split(separator: 10, omittingEmptySubsequences: false).enumerated() {
      guard line.contains(where: { $0 > 32 }) else { continue }
      let place = "\(path): line \(index + 1)"
      guard String(validating: line, as: UTF8.self) != nil else {
        throw TesseraError.input(place, found: "bytes that are not UTF-8", wanted: "UTF-8 text")
      }
      guard let object = (try? JSONSerialization.jsonObject(with: Data(line))) as? [String: Any] else {
        throw TesseraError.input(place, found: "no JSON object", wanted: "one object a line")
      }
      func value(_ wanted: String?, _ usual: [String]) -> Any? {
        (wanted.map { [$0] } ?? usual).compactMap { object[$0] }.first
      }
      guard let text = value(columns.text, DataSet.usualTexts) as? String else {
        throw TesseraError.input(
          place, found: "no text",
          wanted: "a field \((columns.text.map { [$0] } ?? DataSet.usualTexts).joined(separator: " or "))")
      }
      let label: String? =
        switch value(columns.label, DataSet.usualLabels) {
        case let text as String: text
        case let number as NSNumber: number.stringValue
        default: nil
        }
      if labelled, label == nil {
        throw TesseraError.input(
          place, found: "no label",
          wanted: "a field \((columns.label.map { [$0] } ?? DataSet.usualLabels).joined(separator: " or "))")
      }
      rows.append(DataSet.Row(text: text, label: label, place: place))
    }
    return rows
  }
}

/// A folder per class with a text file per review, as `aclImdb/train`; `unsup` holds none of a class.
enum FolderFormat {
  static func read(_ path: String) throws -> [DataSet.Row] {
    let manager = FileManager.default
    var root = URL(fileURLWithPath: path)
    func folders(_ url: URL) -> [String] {
      ((try? manager.contentsOfDirectory(atPath: url.path)) ?? []).sorted().filter {
        var isFolder: ObjCBool = false
        return manager.fileExists(atPath: url.appendingPathComponent($0).path, isDirectory: &isFolder)
          && isFolder.boolValue
      }
    }
    // The whole of aclImdb means its training part.
    if folders(root).contains("train"), folders(root).contains("test") { root.appendPathComponent("train") }
    let classes = folders(root).filter { $0 != "unsup" }
    guard !classes.isEmpty else {
      throw TesseraError.input(path, found: "no folders", wanted: "a folder of .txt files per class")
    }
    return try classes.flatMap { name -> [DataSet.Row] in
      let folder = root.appendingPathComponent(name)
      return try ((try? manager.contentsOfDirectory(atPath: folder.path)) ?? []).filter {
        $0.hasSuffix(".txt")
      }
      .sorted().map { file in
        let place = folder.appendingPathComponent(file).path
        let data = try InputFile.readAny(place, wanted: "a review", atMost: InputFile.Limit.text)
        guard let text = String(data: data, encoding: .utf8) else {
          throw TesseraError.input(place, found: "bytes that are not UTF-8", wanted: "UTF-8 text")
        }
        return DataSet.Row(text: text, label: name, place: place)
      }
    }
  }
}
