// SPDX-License-Identifier: Apache-2.0
import Foundation

/// A byte-level vocabulary as RoBERTa's files have it, from its merges: four special tokens, the 256 bytes in
/// the order of their letters, what the merges make, and the mask.
public struct ByteLevelVocabulary: Sendable {
  /// The tokens in the order of their ids.
  public let tokens: [String]
  /// Pairs of tokens.
  public let merges: [[String]]

  /// The vocabulary of merges, by `tools/golden/byte_pairs.py` too.
  public init(merges: [[String]]) {
    self.merges = merges
    tokens =
      ["<s>", "<pad>", "</s>", "<unk>"] + Self.letters.sorted { $0.value < $1.value }.map { String($0) }
      + merges.map { $0.joined() } + ["<mask>"]
  }

  /// The vocabulary of a `merges.txt`.
  public init(mergesFile path: String) throws {
    let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
    self.init(
      merges: lines.filter { !$0.hasPrefix("#version") }.map {
        $0.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
      })
  }

  /// The vocabulary with tokens of its own, for files that number them otherwise.
  public init(tokens: [String], merges: [[String]]) { (self.tokens, self.merges) = (tokens, merges) }

  /// Merges that make each of the words, a blank before it, a token.
  public init(words: [String]) {
    var merges: [[String]] = []
    for word in words {
      var token = "\u{120}"
      for letter in word {
        let pair = [token, String(letter)]
        if !merges.contains(pair) { merges.append(pair) }
        token += String(letter)
      }
    }
    self.init(merges: merges)
  }

  /// What `vocab.json` says.
  public var vocabularyJSON: String {
    Self.object(tokens.enumerated().map { (key: $1, id: $0) })
  }

  /// What `merges.txt` says.
  public var mergesText: String {
    "#version: 0.2\n" + merges.map { $0.joined(separator: " ") + "\n" }.joined()
  }

  /// The merges as a `tokenizer.json` lists them, in pairs.
  public var mergesJSON: String {
    "[" + merges.map { "[" + $0.map(Self.quoted).joined(separator: ",") + "]" }.joined(separator: ",") + "]"
  }

  /// The letters of the 256 bytes, written out by the rule of GPT-2's `bytes_to_unicode`.
  public static let letters: [Unicode.Scalar] = {
    let shown = Array(UInt32(0x21)...0x7e) + Array(0xa1...0xac) + Array(0xae...0xff)
    var extra: UInt32 = 0x100
    return (0..<UInt32(256)).compactMap { byte in
      if shown.contains(byte) { return Unicode.Scalar(byte) }
      defer { extra += 1 }
      return Unicode.Scalar(extra)
    }
  }()

  private static func object(_ members: [(key: String, id: Int)]) -> String {
    "{" + members.map { "\(quoted($0.key)):\($0.id)" }.joined(separator: ",") + "}"
  }

  private static func quoted(_ text: String) -> String {
    let escaped = text.replacingOccurrences(of: "\\", with: "\\\\").replacingOccurrences(
      of: "\"", with: "\\\"")
    return "\"\(escaped)\""
  }
}
