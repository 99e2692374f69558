// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

/// A `tokenizer.json` of the WordPiece or the byte-level BPE kind (Hugging Face's tokenizers library, version
/// 1.0).
struct TokenizerJSON {
  let place: String
  let vocabulary: [(bytes: [UInt8], id: Int32)]
  let model: SubwordModel.Settings
  let added: [(id: Int, token: AddedToken)]
  /// `truncation`'s side.
  let keepsEnd: Bool
  private let fields: JSONFields

  private static let known: Set<String> = [
    "version", "truncation", "padding", "added_tokens", "normalizer", "pre_tokenizer", "post_processor",
    "decoder",
    "model",
  ]
  private static let knownOfModel: Set<String> = [
    "type", "unk_token", "continuing_subword_prefix", "max_input_chars_per_word", "vocab",
  ]

  /// Reads a file.
  ///
  /// - Throws: `TesseraError` naming the section that is malformed, of another kind than these, or not known.
  init(file path: String) throws {
    fields = try JSONFields(file: path, wanted: "a tokenizer", atMost: InputFile.Limit.text)
    place = path
    let fields = fields
    try fields.requireKnown(Self.known, wanted: "no section that is not known")
    if let version = try fields.text("version"), version != "1.0" {
      throw fields.refusal("version", wanted: "1.0")
    }
    guard let model = try fields.object("model") else {
      throw fields.refusal("model", wanted: "a WordPiece or a byte-level BPE model")
    }
    self.model = try Self.settings(model)
    guard let vocab = try model.object("vocab"), !vocab.members.isEmpty else {
      throw model.refusal("vocab", wanted: "tokens with their ids")
    }
    vocabulary = try Self.vocabulary(vocab)
    added = try (fields.list("added_tokens") ?? []).map { value in
      let entry = try JSONFields(value, place: "\(path): added_tokens")
      guard let id = try entry.integer("id", 0...Int(Int32.max) - 1) else {
        throw entry.refusal("id", wanted: "an id")
      }
      return (id, try AddedToken(value, place: "\(path): added_tokens: \(id)"))
    }
    let truncation = try fields.object("truncation")
    let direction = try truncation?.text("direction") ?? "Right"
    guard ["Right", "Left"].contains(direction) else {
      throw TesseraError.input("\(path): truncation: direction", found: direction, wanted: "Right or Left")
    }
    keepsEnd = direction == "Left"
  }

  private static func settings(_ model: JSONFields) throws -> SubwordModel.Settings {
    // Older files do not say the type.
    let type = try model.text("type") ?? (model["merges"] == nil ? "WordPiece" : "BPE")
    switch type {
    case "WordPiece": return .wordPiece(try wordPiece(model))
    case "BPE": return .bytePairs(try bytePairs(model))
    default:
      throw TesseraError.input(
        model.place, found: type, wanted: "WordPiece, as BERT and MPNet have it, or BPE, as RoBERTa has it")
    }
  }

  private static func wordPiece(_ model: JSONFields) throws -> WordPieceModel.Settings {
    try model.requireKnown(knownOfModel, wanted: "what a WordPiece model has")
    var settings = WordPieceModel.Settings()
    settings.unknown = try model.text("unk_token") ?? settings.unknown
    settings.continuation = try model.text("continuing_subword_prefix") ?? settings.continuation
    settings.longestWord =
      try model.integer("max_input_chars_per_word", 1...1_000_000) ?? settings.longestWord
    return settings
  }

  /// Tokens with their ids, in the order of these.
  static func vocabulary(_ vocab: JSONFields) throws -> [(bytes: [UInt8], id: Int32)] {
    var tokens: [(bytes: [UInt8], id: Int32)] = []
    tokens.reserveCapacity(vocab.members.count)
    var seen: [Int32: String] = [:]
    for member in vocab.members {
      guard case .integer(let value) = member.value, value >= 0, let id = Int32(exactly: value), id < .max
      else {
        throw TesseraError.input(
          "\(vocab.place): \(member.key)", found: "the id \(member.value.summary)", wanted: "0 or more")
      }
      if let other = seen.updateValue(member.key, forKey: id) {
        throw TesseraError.input(
          vocab.place, found: "\(other) and \(member.key) with the one id \(id)",
          wanted: "an id for each token")
      }
      tokens.append((Array(member.key.utf8), id))
    }
    return tokens.ordered { $0.id < $1.id }
  }
}

// MARK: - What the file says of texts, where it alone counts

extension TokenizerJSON {
  /// What is done to a text first.
  func normalizer() throws -> Normalizer {
    guard let section = try fields.object("normalizer") else { return Normalizer(steps: []) }
    return Normalizer(steps: try Self.steps(section, depth: 0))
  }

  private static func steps(_ section: JSONFields, depth: Int) throws -> [Normalizer.Step] {
    let type = try section.text("type") ?? "nothing"
    switch type {
    case "BertNormalizer": return [.bert(BertNormalizer(try bert(section)))]
    case "Lowercase": return [.lowercase]
    case "StripAccents": return [.stripAccents]
    case "NFD": return [.nfd]
    case "NFC": return [.nfc]
    case "NFKD": return [.nfkd]
    case "NFKC": return [.nfkc]
    case "Strip":
      return [
        .strip(left: try section.bool("strip_left") ?? true, right: try section.bool("strip_right") ?? true)
      ]
    case "Sequence" where depth < 8:
      return try (section.list("normalizers") ?? []).flatMap {
        try steps(JSONFields($0, place: section.place), depth: depth + 1)
      }
    default:
      throw TesseraError.input(
        section.place, found: type,
        wanted: "BertNormalizer, Lowercase, StripAccents, NFD, NFC, NFKD, NFKC, Strip or a Sequence of them")
    }
  }

  private static func bert(_ section: JSONFields) throws -> BertNormalization {
    try section.requireKnown(
      ["type", "clean_text", "handle_chinese_chars", "strip_accents", "lowercase"],
      wanted: "what a BertNormalizer has")
    return BertNormalization(
      cleans: try section.bool("clean_text") ?? true,
      separatesIdeographs: try section.bool("handle_chinese_chars") ?? true,
      stripsAccents: try section.bool("strip_accents"), lowercases: try section.bool("lowercase") ?? true)
  }

  /// The model with what the way to find words says of it. Another way than BERT's, or with BPE than GPT-2's,
  /// is refused.
  func modelWithPreTokenizer() throws -> SubwordModel.Settings {
    let wanted = if case .wordPiece = model { "BertPreTokenizer" } else { "ByteLevel" }
    guard var section = try fields.object("pre_tokenizer") else {
      throw fields.refusal("pre_tokenizer", wanted: wanted)
    }
    if try section.text("type") == "Sequence", let list = try section.list("pretokenizers"), list.count == 1 {
      section = try JSONFields(list[0], place: section.place)
    }
    let type = try section.text("type") ?? "nothing"
    guard type == wanted else { throw TesseraError.input(section.place, found: type, wanted: wanted) }
    guard case .bytePairs(var settings) = model else { return model }
    settings.addsPrefixSpace = try byteLevel(section)
    return .bytePairs(settings)
  }

  /// The tokens before and after every text.
  func template() throws -> (before: [String], after: [String]) {
    guard var section = try fields.object("post_processor") else {
      throw fields.refusal("post_processor", wanted: "one that puts a token before every text")
    }
    if try section.text("type") == "Sequence", let list = try section.list("processors") {
      let place = section.place
      // ByteLevel changes offsets alone.
      let parts = try list.map { try JSONFields($0, place: place) }.filter {
        try $0.text("type") != "ByteLevel"
      }
      if parts.count == 1 { section = parts[0] }
    }
    let type = try section.text("type") ?? "nothing"
    let result: (before: [String], after: [String])
    switch type {
    case "BertProcessing", "RobertaProcessing":
      result = ([try token(section, "cls")], [try token(section, "sep")])
    case "TemplateProcessing": result = try single(section)
    default:
      throw TesseraError.input(
        section.place, found: type, wanted: "BertProcessing, RobertaProcessing or TemplateProcessing")
    }
    guard !result.before.isEmpty else {
      throw TesseraError.input(section.place, found: "no token before a text", wanted: "one, such as [CLS]")
    }
    return result
  }

  /// A token that a section gives as a pair of text and id.
  private func token(_ section: JSONFields, _ key: String) throws -> String {
    guard let pair = try section.list(key), pair.count == 2, case .string(let text) = pair[0],
      case .integer(let id) = pair[1]
    else { throw section.refusal(key, wanted: "a token and its id") }
    try require(text, hasID: id, section)
    return text
  }

  private func require(_ text: String, hasID id: Int, _ section: JSONFields) throws {
    let found =
      added.first { $0.token.content.hasBytes(of: text) }?.id
      ?? vocabulary.first { $0.bytes == Array(text.utf8) }.map { Int($0.id) }
    guard found == id else {
      throw TesseraError.input(
        section.place, found: "\(text) with the id \(id)",
        wanted: found.map { "\($0), its id among the tokens" } ?? "one of the tokens")
    }
  }

  private func single(_ section: JSONFields) throws -> (before: [String], after: [String]) {
    let place = "\(section.place): single"
    func malformed() -> TesseraError {
      .input(place, found: "another template", wanted: "special tokens around one sequence, all of type_id 0")
    }
    var parts: [[String]] = [[]]
    for piece in try section.list("single") ?? [] {
      let piece = try JSONFields(piece, place: place)
      guard let part = try piece.object("SpecialToken") ?? piece.object("Sequence"),
        try part.integer("type_id", 0...0) == 0, let id = try part.text("id")
      else { throw malformed() }
      if piece["SpecialToken"] == nil {
        guard id == "A" else { throw malformed() }
        parts.append([])
      } else {
        guard let tokens = try section.object("special_tokens")?.object(id) else { throw malformed() }
        guard let texts = try tokens.list("tokens"), let ids = try tokens.list("ids"),
          texts.count == ids.count
        else {
          throw malformed()
        }
        for case (.string(let text), .integer(let id)) in zip(texts, ids) {
          try require(text, hasID: id, section)
          parts[parts.count - 1].append(text)
        }
      }
    }
    guard parts.count == 2, parts[0].count + parts[1].count <= 16 else { throw malformed() }
    return (parts[0], parts[1])
  }
}
