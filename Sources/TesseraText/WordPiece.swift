import Foundation
import TesseraCompute

/// The uncased WordPiece tokenizer of BERT and MPNet: the token ids of Hugging Face's `BertTokenizer` and
/// `MPNetTokenizer`.
public struct WordPieceTokenizer: Sendable {
  private let vocabulary: VocabularyTrie
  private let unknown: Int32, start: Int32, separator: Int32
  private let special: [(text: [UInt8], id: Int32)]
  private static let longestWord = 100

  /// The number of entries of the vocabulary.
  public let count: Int

  /// Reads `vocab.txt`: one token a line, the line number being its id.
  ///
  /// - Parameter family: whose special tokens it has.
  /// - Throws: `TesseraError` if the file is missing or lacks the special tokens.
  public init(vocabularyFile path: String, family: EncoderFamily = .bert) throws {
    let data = try InputFile.read(path, wanted: "a WordPiece vocabulary", atMost: InputFile.Limit.text)
    guard let text = String(data: data, encoding: .utf8) else {
      throw TesseraError.input(path, found: "bytes that are not UTF-8", wanted: "a WordPiece vocabulary")
    }
    // By bytes: to Swift a carriage return and the line feed after it are one character, which is no line feed.
    var lines = text.utf8.split(separator: 10, omittingEmptySubsequences: false).map { line in
      String(Substring(line.last == 13 ? line.dropLast() : line))
    }
    if lines.last == "" { lines.removeLast() }
    try self.init(tokens: lines, family: family, place: path)
  }

  /// A tokenizer over tokens in the order of their ids.
  public init(tokens: [String], family: EncoderFamily = .bert, place: String = "vocabulary") throws {
    let vocabulary = try VocabularyTrie(tokens, place: place)
    func find(_ token: String) -> Int32? { Array(token.utf8).withUnsafeBufferPointer(vocabulary.exactly) }
    func id(_ token: String) throws -> Int32 {
      guard let id = find(token) else {
        throw TesseraError.input(place, found: "no \(token)", wanted: "it among the tokens")
      }
      return id
    }
    let names = family.specialTokens
    unknown = try id(names.unknown)
    start = try id(names.start)
    separator = try id(names.separator)
    special = ([names.unknown, names.start, names.separator] + names.others).compactMap { token in
      find(token).map { (Array(token.utf8), $0) }
    }
    self.vocabulary = vocabulary
    count = tokens.count
  }

  /// The start token, the text's tokens, the separator ([CLS] and [SEP] of BERT), at most `limit` ids.
  public func encode(_ text: String, limit: Int = 512) -> [Int32] {
    var text = text
    return text.withUTF8 { encode($0, most: max(1, limit - 1)) }
  }

  /// One pass over the bytes: a word is collected, normalised, until a blank, a punctuation mark or a special token ends it.
  private func encode(_ text: UnsafeBufferPointer<UInt8>, most: Int) -> [Int32] {
    var word = Word(ids: [start])
    word.ids.reserveCapacity(min(most + 1, text.count / 3 + 2))
    var at = 0
    while at < text.count, word.ids.count < most {
      let byte = text[at]
      if byte < 128 {
        switch ASCII.classes[Int(byte)] {
        case .letter(let lowercase): word.append(lowercase)
        case .blank: flush(&word)
        case .control: break
        case .punctuation:
          // Special tokens are found in the raw text, as Hugging Face does.
          if let token = special.first(where: { text[at...].starts(with: $0.text) }) {
            flush(&word)
            word.ids.append(token.id)
            at += token.text.count
            continue
          }
          flush(&word)
          word.append(byte)
          flush(&word)
        }
        at += 1
      } else {
        let (scalar, length) = Self.scalar(text, at)
        for part in TextNormalizer.normalized(scalar) { append(part, to: &word) }
        at += length
      }
    }
    flush(&word)
    if word.ids.count > most { word.ids.removeLast(word.ids.count - most) }
    word.ids.append(separator)
    return word.ids
  }

  /// The scalar of two to four bytes at a place of a `String`'s text, which is valid UTF-8.
  private static func scalar(_ text: UnsafeBufferPointer<UInt8>, _ at: Int) -> (Unicode.Scalar, Int) {
    let length = text[at] < 0xe0 ? 2 : text[at] < 0xf0 ? 3 : 4
    var value = UInt32(text[at]) & (0xff >> UInt32(length + 1))
    for next in 1..<length { value = value << 6 | UInt32(text[at + next]) & 0x3f }
    return (Unicode.Scalar(value) ?? "\u{FFFD}", length)
  }

  /// A word that is being collected, and the ids of those before it.
  private struct Word {
    var ids: [Int32]
    var bytes: [UInt8] = []
    var scalars = 0

    mutating func append(_ byte: UInt8) {
      bytes.append(byte)
      scalars += 1
    }
  }

  /// Takes in a normalised scalar that was none of ASCII.
  private func append(_ scalar: Unicode.Scalar, to word: inout Word) {
    if scalar == " " { return flush(&word) }
    let mark = CharacterClass.isPunctuation(scalar)
    if mark { flush(&word) }
    word.bytes.append(contentsOf: String(scalar).utf8)
    word.scalars += 1
    if mark { flush(&word) }
  }

  /// Greedy longest match from the left; a word that cannot be covered is the unknown token.
  private func flush(_ word: inout Word) {
    guard word.scalars > 0 else { return }
    defer {
      word.bytes.removeAll(keepingCapacity: true)
      word.scalars = 0
    }
    let first = word.ids.count
    guard word.scalars <= Self.longestWord, cover(word.bytes, &word.ids) else {
      word.ids.removeLast(word.ids.count - first)
      return word.ids.append(unknown)
    }
  }

  private func cover(_ bytes: [UInt8], _ ids: inout [Int32]) -> Bool {
    bytes.withUnsafeBufferPointer { word in
      var begin = 0
      while begin < word.count {
        let root = begin == 0 ? VocabularyTrie.words : VocabularyTrie.continuations
        guard let (id, end) = vocabulary.longest(word, from: begin, root: root) else { return false }
        ids.append(id)
        begin = end
      }
      return true
    }
  }
}
