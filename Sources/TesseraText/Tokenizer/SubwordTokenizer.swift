// SPDX-License-Identifier: Apache-2.0
import Foundation
import TesseraCompute

/// The tokenizer of an encoder, WordPiece (BERT, MPNet, DistilBERT, ELECTRA) or byte-level BPE (RoBERTa): the
/// token ids of Hugging Face's `AutoTokenizer` on the same files.
public struct SubwordTokenizer: Sendable {
  private let model: SubwordModel
  private let normalizer: Normalizer
  /// Added tokens that are looked for in the raw text, and those in the normalised one.
  private let raw: AddedTokenMatcher, normalized: AddedTokenMatcher
  private let settings: TokenizerSettings
  private let before: [Int32], after: [Int32]

  /// The highest id and one: the rows that a table of embeddings needs.
  public let count: Int
  /// What its files say that Hugging Face's `AutoTokenizer` passes over, and so does this; to be told.
  public var notes: [String] { settings.notes }
  /// The most ids of a text that its files allow, special tokens included.
  public var longestText: Int { settings.longestText }

  /// Reads `vocab.txt`: one token a line, the line number being its id. Its text is lower-cased and loses
  /// its accents.
  ///
  /// - Parameters:
  ///   - path: the path of `vocab.txt`.
  ///   - family: the encoders whose special tokens the file has.
  /// - Throws: `TesseraError` if the file is missing or lacks the special tokens, and for a family that has
  ///   no `vocab.txt`.
  public init(vocabularyFile path: String, family: EncoderFamily = .bert) throws {
    try self.init(
      TokenizerSettings(try VocabularyFile.tokens(path), TokenizerKind(family), place: path), rows: nil)
  }

  /// A tokenizer over tokens in the order of their ids.
  public init(tokens: [String], family: EncoderFamily = .bert, place: String = "vocabulary") throws {
    let tokens = tokens.enumerated().map { (bytes: Array($1.utf8), id: Int32($0)) }
    try self.init(TokenizerSettings(tokens, TokenizerKind(family), place: place), rows: nil)
  }

  /// The tokenizer of an encoder's folder, by `tokenizer.json`, or `vocab.txt` (WordPiece), or `vocab.json`
  /// and `merges.txt` (byte-level BPE), and what `tokenizer_config.json`, `special_tokens_map.json` and
  /// `added_tokens.json` say.
  ///
  /// - Parameters:
  ///   - folder: the encoder's files.
  ///   - configuration: what its `config.json` says.
  /// - Throws: `TesseraError` naming the file and the setting that is malformed or not supported, or the
  ///   token that the table of embeddings has no row for.
  public init(folder: EncoderFolder, configuration: EncoderConfiguration) throws {
    try self.init(try TokenizerSettings(folder, configuration), rows: configuration.vocabulary)
  }

  init(_ settings: TokenizerSettings, rows: Int?) throws {
    let place = settings.place
    let model = try SubwordModel(settings.vocabulary, settings.model, place: place)
    let added = try settings.addedTokens(model, rows: rows)
    // A start token that got the next free id, for want of one that is known, would take an untrained row.
    func id(_ token: String) throws -> Int32 {
      let known = settings.stated[Array(token.utf8)] == nil ? nil : added.id(of: token)
      guard let id = known ?? model.id(of: token) else {
        throw TesseraError.input(place, found: "no \(token)", wanted: "it among the tokens")
      }
      return id
    }
    before = try settings.before.map(id)
    after = try settings.after.map(id)
    let (tokens, normalizer) = (added.tokens.ordered { $0.key < $1.key }, settings.normalizer)
    raw = try AddedTokenMatcher(
      tokens.filter { !$1.isNormalized }.map { ($0, $1, Array($1.content.utf8)) }, place: place)
    normalized = try AddedTokenMatcher(
      tokens.filter { $1.isNormalized }.map {
        ($0, $1, Array($1.content.utf8).withUnsafeBufferPointer(normalizer.normalized))
      }, place: place)
    (self.model, self.normalizer) = (model, normalizer)
    self.settings = settings.noting(added)
    count = Int(max(model.highest, tokens.last?.key ?? 0)) + 1
    guard count <= rows ?? count else {
      throw TesseraError.input(
        place, found: "the token id \(count - 1)",
        wanted: "ids below config.json's vocab_size of \(rows ?? count)")
    }
  }

  /// The start token, the text's tokens, the separator ([CLS] and [SEP] of BERT), at most `limit` ids;
  /// fewer if the files allow fewer.
  public func encode(_ text: String, limit: Int = 512) -> [Int32] {
    var text = settings.lowercasesFirst ? PythonText.lowercased(text) : text
    let room = max(0, min(max(0, limit), settings.longestText) - before.count - after.count)
    return text.withUTF8 { before + encode($0, room) + after }
  }

  private func encode(_ text: UnsafeBufferPointer<UInt8>, _ room: Int) -> ArraySlice<Int32> {
    switch model {
    case .wordPiece(let model): ids(of: text, room, WordSplitter(model, ids: []))
    case .bytePairs(let model): ids(of: text, room, ByteLevelSplitter(model))
    }
  }

  private func ids(
    of text: UnsafeBufferPointer<UInt8>, _ room: Int, _ splitter: some SubwordSplitter
  ) -> ArraySlice<Int32> {
    var splitter = splitter
    let most = settings.keepsEnd ? Int.max : room
    visit(text, raw) { part in
      switch part {
      case .token(let id): splitter.append(id)
      case .text(let text): append(text, to: &splitter, most)
      }
      return splitter.ids.count < most
    }
    return settings.keepsEnd ? splitter.ids.suffix(room) : splitter.ids.prefix(room)
  }

  /// Takes in a part of a text between added tokens.
  @inline(never)
  private func append(
    _ text: UnsafeBufferPointer<UInt8>, to splitter: inout some SubwordSplitter, _ most: Int
  ) {
    if normalized.isEmpty, let cleaning = normalizer.cleaning {
      return splitter.append(text, cleanedBy: cleaning, most: most)
    }
    normalizer.normalized(text).withUnsafeBufferPointer { text in
      visit(text, normalized) { part in
        switch part {
        case .token(let id): splitter.append(id)
        case .text(let text): splitter.append(text, most: most)
        }
        return splitter.ids.count < most
      }
    }
  }

  private enum Part {
    case token(Int32)
    case text(UnsafeBufferPointer<UInt8>)
  }

  /// Visits added tokens and what is between them, until there are enough ids.
  private func visit(
    _ text: UnsafeBufferPointer<UInt8>, _ matcher: AddedTokenMatcher, _ body: (Part) -> Bool
  ) {
    var end = 0
    for match in matcher.matches(in: text, splitsSpecial: settings.splitsSpecial) {
      let begin = match.range.lowerBound
      if end < begin, !body(.text(UnsafeBufferPointer(rebasing: text[end..<begin]))) { return }
      guard body(.token(match.id)) else { return }
      end = match.range.upperBound
    }
    if end < text.count { _ = body(.text(UnsafeBufferPointer(rebasing: text[end...]))) }
  }
}
