// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

/// What `tokenizer_config.json`, `special_tokens_map.json` and `added_tokens.json` say.
///
/// Hugging Face's order: a `tokenizer_config.json` with `added_tokens_decoder` has all tokens, and the
/// other two files are not read; without it, the special tokens' map goes over the configuration's.
struct TokenizerConfiguration {
  let fields: JSONFields
  var named: NamedTokens
  /// Special tokens without a name.
  private(set) var more: [NamedToken] = []
  private var hasMore = false
  /// Tokens that the files list with their ids, in the order of these.
  var listed: [(id: Int, token: AddedToken)] = []
  /// Whether the configuration lists all added tokens.
  var listsTokens: Bool { fields["added_tokens_decoder"] != nil }

  /// Names beyond the known ones that there may be.
  private static let mostNames = 100

  /// Reads the files of a folder.
  ///
  /// - Parameter kind: what the files leave open.
  /// - Throws: `TesseraError` naming the file and the key that is malformed, unknown or not supported.
  init(_ folder: EncoderFolder, fields: JSONFields, kind: TokenizerKind) throws {
    self.fields = fields
    named = NamedTokens(kind)
    try Self.check(fields)
    try takeNames(fields)
    if listsTokens {
      for (key, value) in try fields.object("added_tokens_decoder")?.members.map({ ($0.key, $0.value) }) ?? []
      {
        let place = "\(fields.place): added_tokens_decoder: \(key)"
        listed.append((try Self.id(key, place), try AddedToken(value, place: place)))
      }
    } else {
      let map = try folder.fields("special_tokens_map.json")
      try Self.checkMap(map)
      try takeNames(map, areSpecial: true)
      try takeAddedTokens(try folder.fields("added_tokens.json"))
    }
    try sortListed()
  }

  /// The id that a key states.
  private static func id(_ key: String, _ place: String) throws -> Int {
    guard let id = Int(key), (0..<Int(Int32.max)).contains(id) else {
      throw TesseraError.input(place, found: "the id \(key)", wanted: "0 or more")
    }
    return id
  }

  /// Puts listed tokens into the order of their ids, which have to be different.
  private mutating func sortListed() throws {
    listed = listed.ordered { $0.id < $1.id }
    for (a, b) in zip(listed, listed.dropFirst()) where a.id == b.id {
      throw TesseraError.input(
        fields.place,
        found: "the added tokens \(a.token.content) and \(b.token.content) with the one id \(a.id)",
        wanted: "an id for each")
    }
  }

  private mutating func takeNames(_ fields: JSONFields, areSpecial: Bool = false) throws {
    var others = 0
    for member in fields.members {
      let place = "\(fields.place): \(member.key)"
      if TokenizerKind.names.contains(member.key) {
        if case .null = member.value {
          named.set(member.key, nil)
        } else {
          named.set(member.key, try token(member.value, place, isSpecial: areSpecial))
        }
      } else if Self.isToken(member) {
        others += 1
        guard others <= Self.mostNames else {
          throw TesseraError.input(
            fields.place, found: "more than \(Self.mostNames) other tokens", wanted: "fewer")
        }
        named.set(member.key, try token(member.value, place, isSpecial: areSpecial))
      }
    }
    try takeMore(fields, areSpecial: areSpecial)
  }

  /// Whether a member with a name of its own is a token.
  private static func isToken(_ member: JSONValue.Member) -> Bool {
    guard member.key.hasSuffix("_token") else { return false }
    switch member.value {
    case .string, .object: return true
    default: return false
    }
  }

  /// Special tokens without a name. The newer key counts where it says something; what the configuration
  /// says under either, the map's older key does not change.
  private mutating func takeMore(_ fields: JSONFields, areSpecial: Bool) throws {
    let (newer, older) = ("extra_special_tokens", "additional_special_tokens")
    let key = fields[newer].map { !$0.isEmpty } ?? false ? newer : older
    guard !(areSpecial && key == older && hasMore) else { return }
    hasMore = hasMore || fields[key] != nil
    switch fields.present(key) {
    case nil: break
    case .array(let values):
      let tokens = try values.map { try token($0, "\(fields.place): \(key)", isSpecial: areSpecial) }
      more = key == newer && areSpecial ? more + tokens : tokens
    case .object(let members):
      guard members.count <= Self.mostNames else {
        throw fields.refusal(key, wanted: "at most \(Self.mostNames) tokens")
      }
      for member in members { named.set(member.key, try token(member.value, "\(fields.place): \(key)")) }
    default: throw fields.refusal(key, wanted: "a list of tokens")
    }
  }

  private func token(_ value: JSONValue, _ place: String, isSpecial: Bool = false) throws -> NamedToken {
    let token = try NamedToken(value, place: place)
    guard isSpecial, !token.isText else { return token }
    var special = token.token
    special.special = true
    return NamedToken(special, isText: false)
  }

  /// `added_tokens.json`: ids by token; those that have a meaning are special.
  private mutating func takeAddedTokens(_ fields: JSONFields) throws {
    let special = Set(named.tokens.map { Array($0.token.token.content.utf8) })
      .union(more.map { Array($0.token.content.utf8) })
    for key in fields.keys {
      guard let id = try fields.integer(key, 0...Int(Int32.max) - 1) else {
        throw fields.refusal(key, wanted: "an id")
      }
      let isSpecial = special.contains(Array(key.utf8))
      var token = try AddedToken(.string(key), place: fields.place)
      (token.normalized, token.special) = (!isSpecial, isSpecial)
      listed.append((id, token))
    }
  }

  /// Adds the tokens that `tokenizer.json` lists, where the configuration lists none.
  mutating func take(_ tokens: [(id: Int, token: AddedToken)]) throws {
    let ids = Set(tokens.map(\.id))
    listed = listed.filter { !ids.contains($0.id) } + tokens
    try sortListed()
  }

  /// The named tokens, with the properties of the listed ones of the same text.
  var resolvedNames: NamedTokens {
    var known: [[UInt8]: AddedToken] = [:]
    for (_, token) in listed { known[Array(token.content.utf8)] = token }
    var result = named
    for (name, token) in named.tokens where TokenizerKind.names.contains(name) {
      if let listed = known[Array(token.token.content.utf8)] {
        result.set(name, NamedToken(listed, isText: false))
      }
    }
    return result
  }
}
