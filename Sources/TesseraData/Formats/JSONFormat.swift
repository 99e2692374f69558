// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

/// Objects with a text and a label: one a line (JSON lines), or the elements of one array.
struct JSONFormat: DataSetFormat {
  static let kind = DataKind.json
  static let options: DataFormatEffects = .columns

  let bytes: [UInt8]
  let path: String
  let format: DataFormat
  let labelled: Bool

  /// Whether a file begins as these do.
  static func isJSON(_ bytes: [UInt8]) -> Bool {
    var scanner = JSONScanner(Array(bytes.prefix(4096)))
    if scanner.take(0x5b) { return scanner.peek() == 0x7b }
    return scanner.take(0x7b) && (scanner.peek() == 0x22 || scanner.peek() == 0x7d)
  }

  /// By first bytes, or by the name where these say nothing.
  static func recognises(_ source: DataSource) -> Bool {
    !source.isFolder
      && (isJSON(source.bytes) || [".json", ".jsonl", ".ndjson"].contains { source.name.hasSuffix($0) })
  }

  static func looksLikeStart(_ line: String) -> Bool { isJSON(Array(line.utf8)) }

  static func read(_ source: DataSource, _ request: DataRequest) throws -> DataRows {
    try JSONFormat(
      bytes: source.bytes, path: source.path, format: request.format, labelled: request.labelled
    ).read()
  }

  /// Reads the rows.
  func read() throws -> DataRows {
    do {
      return try objects()
    } catch {
      throw TesseraError.input(
        "\(path): line \(error.line)", found: error.found,
        wanted: "one JSON object a line, or one array of objects")
    }
  }

  private func objects() throws(JSONScanner.Problem) -> DataRows {
    var (scanner, result, unlabelled) = (JSONScanner(bytes), DataRows(Self.kind), 0)
    var isArray = scanner.take(0x5b)
    if isArray { result.reading.append("an array of JSON objects") }
    if isArray, scanner.take(0x5d) {
      guard scanner.peek() == nil else { throw scanner.problem("\(scanner.here) after the array") }
      return result
    }
    while scanner.peek() != nil {
      let line = scanner.line
      if let row = try row(try scanner.object(), line) {
        result.rows.append(row)
      } else {
        unlabelled += 1
      }
      guard isArray else { continue }
      if scanner.take(0x2c) || scanner.peek() == nil { continue }
      guard scanner.take(0x5d) else {
        throw scanner.problem("\(scanner.here) for a comma or the array's end")
      }
      guard scanner.peek() == nil else { throw scanner.problem("\(scanner.here) after the array") }
      isArray = false
    }
    if isArray { throw scanner.problem("the end of the file within the array") }
    result.leaveOut(unlabelled, "rows without a label")
    return result
  }

  private func row(_ fields: [(name: String, value: JSONScanner.Value)], _ line: Int)
    throws(JSONScanner.Problem) -> DataRows.Row?
  {
    func refuse(_ found: String) -> JSONScanner.Problem { .init(line: line, found: found) }
    func value(_ names: [String]) throws(JSONScanner.Problem) -> (String, JSONScanner.Value)? {
      for name in names {
        let found = fields.filter { $0.name == name }
        guard found.count < 2 else { throw refuse("the field \(name) twice") }
        if let first = found.first { return (name, first.value) }
      }
      return nil
    }
    let there = "fields \(fields.isEmpty ? "none" : fields.map(\.name).joined(separator: ", "))"
    guard let (name, found) = try value(format.textNames) else {
      throw refuse(
        "no text: \(there), none of them \(format.textNames.joined(separator: " or ")) (--text-column)")
    }
    guard case .string(let text) = found else {
      throw refuse("no text: the field \(name) is \(Self.kind(found)), not a string")
    }
    let (labelName, labelValue) = try value(format.labelNames) ?? ("", .null)
    var label: String?
    switch labelValue {
    case .string(let text): label = text
    case .number(let text): label = text
    case .bool(let value): label = "\(value)"
    case .null: label = nil
    // Where no label is wanted, nothing hangs on what stands for one.
    case .nested where !labelled: label = nil
    case .nested: throw refuse("no label: the field \(labelName) is nested")
    }
    if labelled, label?.isEmpty ?? true {
      if format.labels.leavesOutUnlabelled { return nil }
      let why =
        labelName.isEmpty
        ? "\(there), none of them \(format.labelNames.joined(separator: " or ")) (--label-column)"
        : "the field \(labelName) is empty (--labels '=' leaves such rows out)"
      throw refuse("no label: \(why)")
    }
    return .init(text: text, label: label, place: .line(line))
  }

  private static func kind(_ value: JSONScanner.Value) -> String {
    switch value {
    case .string: "a string"
    case .number: "a number"
    case .bool: "true or false"
    case .null: "null"
    case .nested: "nested"
    }
  }
}
