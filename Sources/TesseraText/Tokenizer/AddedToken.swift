// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

/// A token beside the vocabulary's own or with a meaning of its own: it is found in a text before words
/// are.
struct AddedToken: Sendable {
  let content: String
  /// Whether it counts only where no letter, digit or mark is next to it.
  var singleWord = false
  /// Whether the white space before it, or after it, belongs to it.
  var stripsLeft = false, stripsRight = false
  /// Whether it is looked for in the normalised text; where nothing says so, special tokens are not.
  var normalized: Bool?
  var special = false

  /// Whether it is looked for in the normalised text.
  var isNormalized: Bool { normalized ?? !special }
}

extension AddedToken {
  /// Bytes of a token at most.
  private static let longest = 4096
  private static let known: Set<String> = [
    "__type", "id", "content", "single_word", "lstrip", "rstrip", "normalized", "special",
  ]

  /// A token as files describe it: a text, or an object.
  ///
  /// - Throws: `TesseraError` for anything else, and for keys that no token has.
  init(_ value: JSONValue, place: String) throws {
    func checked(_ text: String) throws -> String {
      guard text.utf8.count <= Self.longest else {
        throw TesseraError.input(
          place, found: "a token of \(text.utf8.count) bytes", wanted: "at most \(Self.longest)")
      }
      return text
    }
    if case .string(let text) = value {
      self.init(content: try checked(text))
      return
    }
    let fields = try JSONFields(value, place: place, wanted: "a token or its description")
    try fields.requireKnown(Self.known, wanted: "no other key than those of a token")
    guard let content = try fields.text("content") else { throw fields.refusal("content", wanted: "a token") }
    self.init(
      content: try checked(content), singleWord: try fields.bool("single_word") ?? false,
      stripsLeft: try fields.bool("lstrip") ?? false, stripsRight: try fields.bool("rstrip") ?? false,
      normalized: try fields.bool("normalized"), special: try fields.bool("special") ?? false)
  }
}

/// The tokens that are added to a vocabulary, with their ids as Hugging Face's tokenizers give them: that
/// of the vocabulary if it has the token, else the next one.
struct AddedVocabulary {
  /// By id.
  private(set) var tokens: [Int32: AddedToken] = [:]
  private var ids: [[UInt8]: Int32] = [:]

  /// The id of an added token.
  func id(of content: String) -> Int32? { ids[Array(content.utf8)] }

  /// Adds tokens in their order; of equal ones the last one's properties count.
  ///
  /// - Parameters:
  ///   - size: entries of the vocabulary.
  ///   - vocabulary: a token's id in it.
  mutating func add(_ added: [AddedToken], size: Int, vocabulary: (String) -> Int32?) {
    let last = tokens.keys.max().map { Int($0) + 1 } ?? 0
    var next = Int32(clamping: max(last, size))
    for token in added where !token.content.isEmpty {
      let known = id(of: token.content) ?? vocabulary(token.content)
      let id = known ?? next
      if known == nil { next += 1 }
      ids[Array(token.content.utf8)] = id
      tokens[id] = token
    }
  }
}
