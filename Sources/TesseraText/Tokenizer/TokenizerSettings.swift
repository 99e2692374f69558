// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

/// Everything that decides how a text becomes ids, whichever files it came from.
struct TokenizerSettings: Sendable {
  /// The file that holds the vocabulary, for messages.
  let place: String
  let vocabulary: [(bytes: [UInt8], id: Int32)]
  var model = SubwordModel.Settings.wordPiece(.init())
  var normalizer = Normalizer(steps: [.bert(BertNormalizer(BertNormalization()))])
  /// Added tokens in the order in which they are added, a list after the other.
  var added: [[AddedToken]] = []
  /// Contents of tokens that no file lists: where the table of embeddings has no row for one, there is
  /// none.
  var usual: Set<[UInt8]> = []
  /// The ids that files give added tokens, by content.
  var stated: [[UInt8]: Int] = [:]
  /// The tokens before and after every text.
  var before: [String] = [], after: [String] = []
  /// The most ids of a text.
  var longestText = Int.max
  /// Whether a text that is too long keeps its end (`truncation_side: left`).
  var keepsEnd = false
  /// Whether special tokens within a text are text like any other.
  var splitsSpecial = false
  /// Whether the whole text is lower-cased first, as sentence-transformers does where told to.
  var lowercasesFirst = false
  /// What is told of the files.
  var notes: [String] = []

  /// A vocabulary alone, with what a kind of tokenizer does when nothing else is said.
  init(_ vocabulary: [(bytes: [UInt8], id: Int32)], _ kind: TokenizerKind, place: String) throws {
    guard kind.type == model.type else {
      throw TesseraError.input(
        place, found: "a list of tokens for a byte-level tokenizer",
        wanted: "its folder, with vocab.json and merges.txt or tokenizer.json")
    }
    (self.vocabulary, self.place) = (vocabulary, place)
    try take(NamedTokens(kind), kind: kind, listed: [])
  }

  /// No tokens yet.
  init(_ vocabulary: [(bytes: [UInt8], id: Int32)], place: String) {
    (self.vocabulary, self.place) = (vocabulary, place)
  }

  /// The added tokens with their ids.
  ///
  /// - Parameter rows: how many ids there may be; nil where it is not known.
  /// - Throws: `TesseraError` for a token that files name and that has an id out of range.
  func addedTokens(_ model: SubwordModel, rows: Int?) throws -> AddedVocabularyInUse {
    var added = AddedVocabulary()
    for tokens in self.added { added.add(tokens, size: model.count, vocabulary: model.id) }
    var kept = AddedVocabularyInUse(tokens: [:])
    lazy var taken = Set(vocabulary.lazy.map(\.id))
    for (id, token) in added.tokens {
      let known = model.id(of: token.content) != nil
      if !known, usual.contains(Array(token.content.utf8)), Int(id) >= rows ?? 0 { continue }
      guard Int(id) < rows ?? .max else {
        throw TesseraError.input(
          place, found: "the token \(token.content) with id \(id)",
          wanted: "ids below config.json's vocab_size of \(rows ?? 0)")
      }
      if !known, taken.contains(id) {
        throw TesseraError.input(
          place,
          found: "gaps between the ids, and the added token \(token.content) with an id of the vocabulary",
          wanted: "ids from 0 on without gaps")
      }
      kept.tokens[id] = token
    }
    return kept
  }
}

extension TokenizerSettings {
  /// The same with a note if a token got another id than its file states.
  func noting(_ added: AddedVocabularyInUse) -> TokenizerSettings {
    var result = self
    let moved = added.tokens.ordered { $0.key < $1.key }.first { id, token in
      stated[Array(token.content.utf8)].map { $0 != Int(id) } ?? false
    }
    if let (id, token) = moved, let stated = stated[Array(token.content.utf8)] {
      result.notes.append(
        "\(place): the added token \(token.content) has the id \(id), not \(stated) as stated, as with Hugging Face's"
          + " AutoTokenizer")
    }
    return result
  }
}

/// Added tokens by id.
struct AddedVocabularyInUse {
  var tokens: [Int32: AddedToken]

  /// The id of an added token.
  func id(of content: String) -> Int32? { tokens.first { $1.content.hasBytes(of: content) }?.key }
}

/// The tokens with a meaning of their own, by name.
struct NamedTokens {
  /// In the order in which they are added.
  private(set) var tokens: [(name: String, token: NamedToken)] = []

  /// Those of a kind of tokenizer whose files name none.
  init(_ kind: TokenizerKind) {
    for name in TokenizerKind.names {
      guard let content = kind.usual(name) else { continue }
      tokens.append((name, NamedToken(AddedToken(content: content), isText: true)))
    }
  }

  /// The token of a name.
  subscript(_ name: String) -> NamedToken? { tokens.first { $0.name == name }?.token }

  /// Sets a token, or takes it away.
  mutating func set(_ name: String, _ token: NamedToken?) {
    let at = tokens.firstIndex { $0.name == name }
    switch (at, token) {
    case (let at?, let token?): tokens[at].token = token
    case (let at?, nil): tokens.remove(at: at)
    case (nil, let token?):
      // The known names keep their order; others come after them, in that of the file.
      let order = TokenizerKind.names
      let rank = order.firstIndex(of: name) ?? order.count
      let place = tokens.firstIndex { order.firstIndex(of: $0.name) ?? order.count > rank } ?? tokens.count
      tokens.insert((name, token), at: place)
    case (nil, nil): break
    }
  }
}

extension TokenizerSettings {
  /// Takes the tokens that are added: those that files list, then those with a meaning, then more special
  /// ones, each once.
  ///
  /// - Parameter known: contents of tokens that were added already.
  mutating func take(
    _ named: NamedTokens, kind: TokenizerKind, listed: [AddedToken], more: [NamedToken] = [],
    known: Set<[UInt8]> = []
  ) throws {
    var named = named
    if kind == .mpnet {
      // Given by their text alone, MPNet's tokens get properties: the mask takes in the white space before
      // it.
      for (name, token) in named.tokens where token.isText && TokenizerKind.names.contains(name) {
        let content = token.token.content
        named.set(
          name,
          NamedToken(
            AddedToken(content: content, stripsLeft: name == "mask_token"), isText: false))
      }
    }
    let present = known.union(listed.map { Array($0.content.utf8) })
    var tokens = listed.map { NamedToken($0, isText: false) }
    var seen = Set(tokens.map(\.key))
    for token in named.tokens.map(\.token) + more where !present.contains(Array(token.token.content.utf8)) {
      if seen.insert(token.key).inserted { tokens.append(token) }
    }
    usual.formUnion(named.tokens.map { Array($0.token.token.content.utf8) }.filter { !present.contains($0) })
    let meant = Set(named.tokens.map { Array($0.token.token.content.utf8) })
    added.append(
      tokens.map { token in
        var result = token.token
        if token.isText || meant.contains(Array(result.content.utf8)) { result.special = true }
        return result
      })
    if kind != .whole { try takeMeanings(of: named) }
  }
  /// What stands around every text, and for a word that has no token.
  private mutating func takeMeanings(of named: NamedTokens) throws {
    if case .wordPiece(var settings) = model {
      guard let unknown = named["unk_token"] else {
        throw TesseraError.input(place, found: "no unknown token (unk_token null)", wanted: "it named")
      }
      settings.unknown = unknown.token.content
      model = .wordPiece(settings)
    }
    guard let start = named["cls_token"], let end = named["sep_token"] else {
      throw TesseraError.input(place, found: "no start token or separator (null)", wanted: "both named")
    }
    (before, after) = ([start.token.content], [end.token.content])
  }
}
