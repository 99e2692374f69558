// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

extension TokenizerSettings {
  /// What an encoder's folder says, as Hugging Face's `AutoTokenizer` (transformers 5) takes it.
  ///
  /// `BertTokenizer` and `MPNetTokenizer` take the vocabulary from `tokenizer.json`, or from `vocab.txt`
  /// where there is none, and everything else from `tokenizer_config.json`; what `tokenizer.json` says
  /// otherwise is told, and not followed. `PreTrainedTokenizerFast` takes all from `tokenizer.json`.
  ///
  /// - Throws: `TesseraError` naming the file and the setting that is malformed or not supported.
  init(_ folder: EncoderFolder, _ configuration: EncoderConfiguration) throws {
    let fields = try folder.fields("tokenizer_config.json")
    let kind = try Self.kind(fields, configuration)
    let whole =
      folder.contains("tokenizer.json") ? try TokenizerJSON(file: folder.file("tokenizer.json")) : nil
    let vocabulary = try whole?.vocabulary ?? Self.vocabulary(folder, kind)
    self.init(vocabulary, place: whole?.place ?? folder.file("vocab.txt"))
    var tokens = try TokenizerConfiguration(folder, fields: fields, kind: kind)
    if let whole, !tokens.listsTokens { try tokens.take(whole.added) }
    var known: Set<[UInt8]> = []
    if kind == .whole, let whole {
      try whole.checkPreTokenizer()
      (model, normalizer) = (whole.model, try whole.normalizer())
      (before, after) = try whole.template()
      added.append(whole.added.ordered { $0.id < $1.id }.map(\.token))
      for (id, token) in whole.added { stated[Array(token.content.utf8)] = id }
      known = Set(whole.added.map { Array($0.token.content.utf8) })
    } else {
      let bert = BertNormalization(
        separatesIdeographs: try fields.bool("tokenize_chinese_chars") ?? true,
        stripsAccents: try fields.bool("strip_accents"), lowercases: try fields.bool("do_lower_case") ?? true)
      normalizer = Normalizer(steps: [.bert(BertNormalizer(bert))])
    }
    try take(
      tokens.resolvedNames, kind: kind, listed: tokens.listed.map(\.token), more: tokens.more, known: known)
    for (id, token) in tokens.listed { stated[Array(token.content.utf8)] = id }
    longestText = try tokens.longestText()
    keepsEnd = try fields.text("truncation_side").map { $0 == "left" } ?? whole?.keepsEnd ?? false
    splitsSpecial = try fields.bool("split_special_tokens") ?? false
    try takeNotes(fields, whole, kind)
    try takeSentenceTransformers(folder)
  }

  private static func kind(_ fields: JSONFields, _ configuration: EncoderConfiguration) throws
    -> TokenizerKind
  {
    guard let name = try fields.text("tokenizer_class") ?? configuration.tokenizerClass else {
      return TokenizerKind(configuration.family)
    }
    guard let kind = TokenizerKind(className: name) else {
      throw TesseraError.input(
        "\(fields.place): tokenizer_class", found: name,
        wanted:
          "a WordPiece tokenizer: BertTokenizer, DistilBertTokenizer, ElectraTokenizer, MPNetTokenizer or"
          + " PreTrainedTokenizerFast")
    }
    return kind
  }

  private static func vocabulary(
    _ folder: EncoderFolder, _ kind: TokenizerKind
  ) throws -> [(bytes: [UInt8], id: Int32)] {
    let others = ["spiece.model", "sentencepiece.bpe.model", "tokenizer.model", "merges.txt", "vocab.json"]
    if kind == .whole || !folder.contains("vocab.txt") {
      let other = others.first(where: folder.contains)
      throw TesseraError.input(
        folder.file(kind == .whole ? "tokenizer.json" : "vocab.txt"),
        found: "no such file" + (other.map { ", and \($0), which is of another kind of tokenizer" } ?? ""),
        wanted: kind == .whole
          ? "tokenizer.json, as tokenizer_class asks for"
          : "a WordPiece vocabulary: tokenizer.json or vocab.txt")
    }
    return try VocabularyFile.tokens(folder.file("vocab.txt"))
  }

  /// Tells what Hugging Face's tokenizer passes over.
  private mutating func takeNotes(_ fields: JSONFields, _ whole: TokenizerJSON?, _ kind: TokenizerKind) throws
  {
    let same = "as with Hugging Face's AutoTokenizer"
    if try fields.bool("do_basic_tokenize") == false {
      notes.append("\(fields.place): do_basic_tokenize false changes nothing, \(same)")
    }
    if let never = try fields.list("never_split"), !never.isEmpty {
      notes.append("\(fields.place): never_split changes nothing, \(same); added tokens are not split")
    }
    if kind != .whole, fields["do_lower_case"] == nil, hasCapitals {
      notes.append(
        "\(place): the vocabulary has capitals, and texts are lower-cased: a cased encoder needs a"
          + " tokenizer_config.json with do_lower_case false")
    }
    guard let whole, kind != .whole else { return }
    var passed: [String] = []
    if let other = try? whole.normalizer(), other.description != normalizer.description {
      passed.append("normalizer \(other.description) (used: \(normalizer.description))")
    }
    if whole.model.unknown != model.unknown { passed.append("unk_token \(whole.model.unknown)") }
    if whole.model.continuation != model.continuation {
      passed.append("continuing_subword_prefix \(whole.model.continuation)")
    }
    if whole.model.longestWord != model.longestWord {
      passed.append("max_input_chars_per_word \(whole.model.longestWord)")
    }
    if let other = try? whole.template(), other != (before, after) {
      passed.append(
        "post_processor \(other.before.joined(separator: " ")) ... \(other.after.joined(separator: " "))")
    }
    if !passed.isEmpty {
      notes.append(
        "\(whole.place): \(passed.joined(separator: ", ")) is passed over for tokenizer_config.json and what it leaves open, "
          + "\(same); tokenizer_class PreTrainedTokenizerFast takes tokenizer.json at its word")
    }
  }

  /// Whether a twentieth of the vocabulary, names in brackets aside, has capitals: tokens that no lower-cased
  /// text reaches.
  private var hasCapitals: Bool {
    let capitals = vocabulary.count { token in
      ![UInt8(ascii: "["), UInt8(ascii: "<")].contains(token.bytes.first)
        && token.bytes.contains { (65...90).contains($0) }
    }
    return 20 * capitals > vocabulary.count
  }

  /// What sentence-transformers adds to the tokenizer.
  private mutating func takeSentenceTransformers(_ folder: EncoderFolder) throws {
    let fields = try folder.fields("sentence_bert_config.json")
    if let longest = try fields.integer("max_seq_length", 3...1_000_000_000) {
      longestText = min(longestText, longest)
    }
    lowercasesFirst = try fields.bool("do_lower_case") ?? false
    let prompts = try folder.fields("config_sentence_transformers.json")
    if let name = try prompts.text("default_prompt_name"),
      let prompt = try prompts.object("prompts")?.text(name), !prompt.isEmpty
    {
      throw TesseraError.input(
        "\(prompts.place): default_prompt_name", found: name,
        wanted: "null: no prompt is put before texts (take the file out to embed texts as they are)")
    }
  }
}
