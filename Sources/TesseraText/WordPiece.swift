import Foundation
import TesseraCompute

/// The uncased WordPiece tokenizer of BERT and MPNet: the token ids of Hugging Face's `BertTokenizer` and
/// `MPNetTokenizer`.
public struct WordPieceTokenizer: Sendable {
  private let vocabulary: [String: Int32]
  private let unknown: Int32, start: Int32, separator: Int32
  private let special: [(text: [Unicode.Scalar], id: Int32)]
  private static let longestWord = 100

  /// The number of entries of the vocabulary.
  public let count: Int

  /// Reads `vocab.txt`: one token a line, the line number being its id.
  ///
  /// - Parameter family: whose special tokens it has.
  /// - Throws: `TesseraError` if the file is missing or lacks the special tokens.
  public init(vocabularyFile path: String, family: EncoderFamily = .bert) throws {
    guard let data = try? Data(contentsOf: URL(fileURLWithPath: path)) else {
      throw TesseraError.input(path, found: "no readable file", wanted: "a WordPiece vocabulary")
    }
    guard let text = String(data: data, encoding: .utf8) else {
      throw TesseraError.input(path, found: "bytes that are not UTF-8", wanted: "a WordPiece vocabulary")
    }
    var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
      line.hasSuffix("\r") ? String(line.dropLast()) : String(line)
    }
    if lines.last == "" { lines.removeLast() }
    try self.init(tokens: lines, family: family, place: path)
  }

  /// A tokenizer over tokens in the order of their ids.
  public init(tokens: [String], family: EncoderFamily = .bert, place: String = "vocabulary") throws {
    var vocabulary = [String: Int32](minimumCapacity: tokens.count)
    for (id, token) in tokens.enumerated() { vocabulary[token] = Int32(id) }
    func id(_ token: String) throws -> Int32 {
      guard let id = vocabulary[token] else {
        throw TesseraError.input(place, found: "no \(token)", wanted: "it among the tokens")
      }
      return id
    }
    let names = family.specialTokens
    unknown = try id(names.unknown)
    start = try id(names.start)
    separator = try id(names.separator)
    special = ([names.unknown, names.start, names.separator] + names.others).compactMap { token in
      vocabulary[token].map { (Array(token.unicodeScalars), $0) }
    }
    self.vocabulary = vocabulary
    count = tokens.count
  }

  /// The start token, the text's tokens, the separator ([CLS] and [SEP] of BERT), at most `limit` ids.
  public func encode(_ text: String, limit: Int = 512) -> [Int32] {
    var ids = [start]
    let most = max(1, limit - 1)
    for piece in splitSpecial(text) {
      guard ids.count < most else { break }
      switch piece {
      case .special(let id): ids.append(id)
      case .text(let scalars): appendWords(scalars, to: &ids, most: most)
      }
    }
    if ids.count > most { ids.removeLast(ids.count - most) }
    ids.append(separator)
    return ids
  }

  private enum Piece {
    case special(Int32)
    case text(ArraySlice<Unicode.Scalar>)
  }

  /// Special tokens are found in the raw text, as Hugging Face does.
  private func splitSpecial(_ text: String) -> [Piece] {
    let scalars = Array(text.unicodeScalars)
    var pieces: [Piece] = []
    var begin = 0
    var at = 0
    while at < scalars.count {
      if scalars[at] == "[" || scalars[at] == "<",
        let found = special.first(where: { scalars[at...].starts(with: $0.text) })
      {
        pieces.append(.text(scalars[begin..<at]))
        pieces.append(.special(found.id))
        at += found.text.count
        begin = at
      } else {
        at += 1
      }
    }
    pieces.append(.text(scalars[begin...]))
    return pieces
  }

  private func appendWords(_ scalars: ArraySlice<Unicode.Scalar>, to ids: inout [Int32], most: Int) {
    var word: [Unicode.Scalar] = []
    for scalar in TextNormalizer.normalize(scalars) {
      if scalar == " " {
        flush(&word, to: &ids)
        if ids.count >= most { return }
      } else if CharacterClass.isPunctuation(scalar) {
        flush(&word, to: &ids)
        ids.append(vocabulary[String(scalar)] ?? unknown)
      } else {
        word.append(scalar)
      }
    }
    flush(&word, to: &ids)
  }

  /// Greedy longest match from the left; a word that cannot be covered is the unknown token.
  private func flush(_ word: inout [Unicode.Scalar], to ids: inout [Int32]) {
    guard !word.isEmpty else { return }
    defer { word.removeAll(keepingCapacity: true) }
    guard word.count <= Self.longestWord else {
      ids.append(unknown)
      return
    }
    let first = ids.count
    var begin = 0
    while begin < word.count {
      var end = word.count
      var found: Int32?
      while end > begin {
        var piece = begin == 0 ? "" : "##"
        piece.unicodeScalars.append(contentsOf: word[begin..<end])
        if let id = vocabulary[piece] {
          found = id
          break
        }
        end -= 1
      }
      guard let found else {
        ids.removeLast(ids.count - first)
        ids.append(unknown)
        return
      }
      ids.append(found)
      begin = end
    }
  }
}
