// SPDX-License-Identifier: Apache-2.0

/// Takes pieces from a text as GPT-2 does and covers them by byte-level BPE. The pieces are those of its
/// regular expression
///
///     's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
///
/// taken by hand: each scalar is looked at a bounded number of times.
struct ByteLevelSplitter: SubwordSplitter {
  private(set) var ids: [Int32] = []
  private let addsPrefixSpace: Bool
  private var merger: BytePairMerger

  init(_ model: BytePairModel) {
    addsPrefixSpace = model.addsPrefixSpace
    merger = BytePairMerger(model)
  }

  mutating func append(_ id: Int32) { ids.append(id) }

  mutating func append(_ text: UnsafeBufferPointer<UInt8>, most: Int) {
    guard let first = text.first else { return }
    guard addsPrefixSpace, first != Self.blank else { return appendPieces(text, most) }
    ([Self.blank] + text).withUnsafeBufferPointer { appendPieces($0, most) }
  }

  private mutating func appendPieces(_ text: UnsafeBufferPointer<UInt8>, _ most: Int) {
    var at = 0
    while at < text.count, ids.count < most {
      let end = Self.endOfPiece(text, at)
      merger.append(UnsafeBufferPointer(rebasing: text[at..<end]), to: &ids)
      at = end
    }
  }

  private static let blank = UInt8(ascii: " ")

  /// Where the piece ends that begins at a place before the end.
  static func endOfPiece(_ text: UnsafeBufferPointer<UInt8>, _ begin: Int) -> Int {
    if let end = endOfContraction(text, begin) { return end }
    // One blank belongs to what follows it, unless that is white space.
    let start = text[begin] == blank ? begin + 1 : begin
    if start < text.count {
      let kind = ByteLevelClass(text, start)
      if kind.class != .space { return endOfRun(text, start, of: kind.class) }
    }
    // White space up to the end; or without its last character, which the next piece gets, if it has others.
    let (end, last) = endOfSpace(text, begin)
    return end == text.count || last == begin ? end : last
  }

  /// 's, 't, 're, 've, 'm, 'll or 'd.
  private static func endOfContraction(_ text: UnsafeBufferPointer<UInt8>, _ begin: Int) -> Int? {
    guard text[begin] == UInt8(ascii: "'"), begin + 1 < text.count else { return nil }
    switch text[begin + 1] {
    case UInt8(ascii: "s"), UInt8(ascii: "t"), UInt8(ascii: "m"), UInt8(ascii: "d"): return begin + 2
    case UInt8(ascii: "r"), UInt8(ascii: "v"):
      return begin + 2 < text.count && text[begin + 2] == UInt8(ascii: "e") ? begin + 3 : nil
    case UInt8(ascii: "l"):
      return begin + 2 < text.count && text[begin + 2] == UInt8(ascii: "l") ? begin + 3 : nil
    default: return nil
    }
  }

  private static func endOfRun(
    _ text: UnsafeBufferPointer<UInt8>, _ begin: Int, of wanted: ByteLevelClass.Class
  ) -> Int {
    var at = begin
    while at < text.count {
      let kind = ByteLevelClass(text, at)
      guard kind.class == wanted else { break }
      at += kind.length
    }
    return at
  }

  /// Where white space ends, and where its last character begins.
  private static func endOfSpace(
    _ text: UnsafeBufferPointer<UInt8>, _ begin: Int
  ) -> (end: Int, last: Int) {
    var (at, last) = (begin, begin)
    while at < text.count {
      let kind = ByteLevelClass(text, at)
      guard kind.class == .space else { break }
      (last, at) = (at, at + kind.length)
    }
    return (at, last)
  }
}

/// What a scalar of a text is to GPT-2's regular expression.
struct ByteLevelClass {
  enum Class: Sendable {
    /// `\p{L}`, `\p{N}`, `\s`, and everything else, marks and unassigned code points among it.
    case letter, number, space, other
  }

  let `class`: Class
  /// The scalar's bytes.
  let length: Int

  /// The class of the scalar that begins at a place.
  init(_ text: UnsafeBufferPointer<UInt8>, _ at: Int) {
    let first = text[at]
    if first < 0x80 {
      (self.class, length) = (Self.table[Int(first)], 1)
    } else {
      let (scalar, length) = UTF8Text.scalar(text, at)
      self.length = length
      self.class = scalar.value < Self.table.count ? Self.table[Int(scalar.value)] : Self.of(scalar)
    }
  }

  /// Latin letters: looking one up in Unicode's data takes a microsecond.
  private static let table = (0..<UInt32(0x250)).map { Unicode.Scalar($0).map(of) ?? .other }

  /// The class of a scalar by Unicode 16, where the tables of Hugging Face's tokenizers end.
  static func of(_ scalar: Unicode.Scalar) -> Class {
    let properties = scalar.properties
    if properties.isWhitespace { return .space }
    let found: Class
    switch properties.generalCategory {
    case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter: found = .letter
    case .decimalNumber, .letterNumber, .otherNumber: found = .number
    default: return .other
    }
    if let age = properties.age, age.major > 16 { return .other }
    return found
  }
}
