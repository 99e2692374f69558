// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

/// How a file of reviews is to be read, where it does not say so itself: columns, dialect, encoding, and
/// what its labels stand for.
public struct DataFormat: Sendable, Equatable {
  /// Column of the text: a name, or without a header a number from 1. Well-known names are looked for if
  /// nil.
  public var text: String?
  /// Column of the class, named likewise.
  public var label: String?
  /// What quotation marks mean in delimited text.
  public var quotes: Quotes
  /// The separator of delimited text; nil finds it.
  public var separator: Separator?
  /// How bytes stand for characters.
  public var encoding: TextEncoding
  /// Whether the first record names the columns.
  public var header: Bool
  /// What labels stand for.
  public var labels: LabelRules

  /// A format; what is not given is found out from the file.
  public init(
    text: String? = nil, label: String? = nil, quotes: Quotes = .auto, separator: Separator? = nil,
    encoding: TextEncoding = .auto, header: Bool = true, labels: LabelRules = LabelRules()
  ) {
    self.text = text
    self.label = label
    self.quotes = quotes
    self.separator = separator
    self.encoding = encoding
    self.header = header
    self.labels = labels
  }

  /// Names that columns of texts and of classes usually have.
  static let usualTexts = ["review", "text", "sentence"]
  static let usualLabels = ["sentiment", "label", "class"]

  /// Names under which the text and the class are looked for.
  var textNames: [String] { text.map { [$0] } ?? Self.usualTexts }
  var labelNames: [String] { label.map { [$0] } ?? Self.usualLabels }
}

/// What quotation marks mean in delimited text.
public enum Quotes: String, NamedOption {
  /// What reads the whole file without contradiction (`DialectSniffer`).
  case auto
  /// Nothing: they are characters like others.
  case none
  /// A field may stand in quotes, a doubled one in it stands for one (RFC 4180).
  case double
  /// A field may stand in quotes; a backslash takes the meaning from a quote, a separator, a line end or a
  /// backslash after it.
  case backslash
}

/// One ASCII character between the fields of a record.
public struct Separator: Sendable, Equatable {
  /// The character.
  public let byte: UInt8
  /// How it was written; files keep the spelling.
  fileprivate let text: String

  /// A separator by its byte.
  init(byte: UInt8) {
    self.byte = byte
    text = Self.name(of: byte)
  }

  /// A separator by its name (tab, comma, semicolon, pipe, space) or as it is; nil for `auto`.
  ///
  /// - Throws: `TesseraError` for what is no single character, or one that has another meaning.
  public init?(named name: String) throws {
    let names: [String: UInt8] = [
      "tab": 9, "\\t": 9, "comma": 44, "semicolon": 59, "pipe": 124, "space": 32,
    ]
    if name == Self.automatic { return nil }
    let bytes = Array(name.utf8)
    guard let byte = names[name] ?? (bytes.count == 1 ? bytes[0] : nil), ![10, 13, 34, 92].contains(byte),
      byte == 9 || byte >= 32
    else {
      throw TesseraError.input(
        "separator", found: name.isEmpty ? "nothing" : name,
        wanted: "auto, tab, comma, semicolon, pipe or one ASCII character that is no quote and no backslash")
    }
    self.byte = byte
    text = name
  }

  /// Its name.
  var name: String { Self.name(of: byte) }

  private static func name(of byte: UInt8) -> String {
    [9: "tab", 44: "comma", 59: "semicolon", 124: "pipe", 32: "space"][byte] ?? String(UnicodeScalar(byte))
  }

  fileprivate static let automatic = "auto"
}

extension Separator? {
  /// As `Separator.init(named:)` takes it: `auto` for none.
  package var text: String { self?.text ?? Separator.automatic }
}
