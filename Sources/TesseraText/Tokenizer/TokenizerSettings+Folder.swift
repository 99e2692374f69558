// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

extension TokenizerSettings {
  /// What an encoder's folder says, as Hugging Face's `AutoTokenizer` (transformers 5) takes it.
  ///
  /// `BertTokenizer` and `MPNetTokenizer` take the vocabulary from `tokenizer.json`, or from `vocab.txt`
  /// where there is none, and everything else from `tokenizer_config.json`; so does `RobertaTokenizer`, whose
  /// other files are `vocab.json` and `merges.txt`. What `tokenizer.json` says otherwise is told, and not
  /// followed. `PreTrainedTokenizerFast` takes all from `tokenizer.json`.
  ///
  /// - Throws: `TesseraError` naming the file and the setting that is malformed or not supported.
  init(_ folder: EncoderFolder, _ configuration: EncoderConfiguration) throws {
    let fields = try folder.fields("tokenizer_config.json")
    let kind = try Self.kind(fields, configuration)
    let whole =
      folder.contains("tokenizer.json") ? try TokenizerJSON(file: folder.file("tokenizer.json")) : nil
    if let whole, let type = kind.type, type != whole.model.type {
      throw TesseraError.input(
        "\(whole.place): model", found: whole.model.type, wanted: "\(type), as the tokenizer's class has it")
    }
    let vocabulary = try whole?.vocabulary ?? Self.vocabulary(folder, kind)
    self.init(vocabulary, place: whole?.place ?? folder.file(kind.vocabularyFiles[0]))
    var tokens = try TokenizerConfiguration(folder, fields: fields, kind: kind)
    if let whole, !tokens.listsTokens { try tokens.take(whole.added) }
    var known: Set<[UInt8]> = []
    if kind == .whole, let whole {
      (model, normalizer) = (try whole.modelWithPreTokenizer(), try whole.normalizer())
      (before, after) = try whole.template()
      added.append(whole.added.ordered { $0.id < $1.id }.map(\.token))
      for (id, token) in whole.added { stated[Array(token.content.utf8)] = id }
      known = Set(whole.added.map { Array($0.token.content.utf8) })
    } else if kind == .roberta {
      let adds = try fields.bool("add_prefix_space") ?? false
      if let whole, case .bytePairs(let settings) = whole.model {
        model = .bytePairs(.init(merges: settings.merges, addsPrefixSpace: adds))
      } else {
        let merges = try BytePairFiles.merges(folder.file("merges.txt"))
        model = .bytePairs(.init(merges: merges, addsPrefixSpace: adds))
      }
      normalizer = Normalizer(steps: [])
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
          "a WordPiece or byte-level BPE tokenizer: BertTokenizer, DistilBertTokenizer, ElectraTokenizer,"
          + " MPNetTokenizer, RobertaTokenizer or PreTrainedTokenizerFast")
    }
    return kind
  }

  /// The vocabulary of a folder without `tokenizer.json`.
  private static func vocabulary(
    _ folder: EncoderFolder, _ kind: TokenizerKind
  ) throws -> [(bytes: [UInt8], id: Int32)] {
    let files = kind.vocabularyFiles
    if let missing = files.first(where: { !folder.contains($0) }) {
      let other = otherVocabularies.first { !files.contains($0) && folder.contains($0) }
      throw TesseraError.input(
        folder.file(missing),
        found: "no such file" + (other.map { ", and \($0), which is of another kind of tokenizer" } ?? ""),
        wanted: kind.wantedVocabulary)
    }
    return kind == .roberta
      ? try BytePairFiles.vocabulary(folder.file(files[0])) : try VocabularyFile.tokens(folder.file(files[0]))
  }

  /// Files that hold the vocabulary of one kind of tokenizer or another.
  private static let otherVocabularies = [
    "spiece.model", "sentencepiece.bpe.model", "tokenizer.model", "merges.txt", "vocab.json", "vocab.txt",
  ]

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
