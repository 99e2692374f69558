// SPDX-License-Identifier: Apache-2.0
/// Takes words from a text as BERT does, divided by white space and with every punctuation mark a word of
/// its own, and covers them by tokens.
struct WordSplitter: SubwordSplitter {
  /// The ids so far.
  private(set) var ids: [Int32]
  private let model: WordPieceModel
  private var word: [UInt8] = []
  private var scalars = 0

  init(_ model: WordPieceModel, ids: [Int32]) { (self.model, self.ids) = (model, ids) }

  /// Takes an added token.
  mutating func append(_ id: Int32) { ids.append(id) }

  /// Takes in a text that `normalizer` cleans scalar by scalar, until there are enough ids.
  mutating func append(_ text: UnsafeBufferPointer<UInt8>, cleanedBy normalizer: BertNormalizer, most: Int) {
    normalizer.ascii.withUnsafeBufferPointer { ascii in
      var at = 0
      while at < text.count, ids.count < most {
        let byte = text[at]
        if byte < 128 {
          switch ascii[Int(byte)] {
          case .letter(let letter): add(letter)
          case .blank: flush()
          case .control: break
          case .punctuation:
            flush()
            add(byte)
            flush()
          }
          at += 1
        } else {
          let (scalar, length) = UTF8Text.scalar(text, at)
          for part in normalizer.normalized(scalar) { add(part) }
          at += length
        }
      }
    }
    flush()
  }

  /// Takes in a text that is normalised already, until there are enough ids.
  mutating func append(_ text: UnsafeBufferPointer<UInt8>, most: Int) {
    var at = 0
    while at < text.count, ids.count < most {
      let (scalar, length) = UTF8Text.scalar(text, at)
      if scalar.properties.isWhitespace { flush() } else { add(scalar) }
      at += length
    }
    flush()
  }

  private mutating func add(_ byte: UInt8) {
    word.append(byte)
    scalars += 1
  }

  private mutating func add(_ scalar: Unicode.Scalar) {
    if scalar == " " { return flush() }
    let mark = CharacterClass.isPunctuation(scalar)
    if mark { flush() }
    if let bytes = UTF8.encode(scalar) { word.append(contentsOf: bytes) }
    scalars += 1
    if mark { flush() }
  }

  private mutating func flush() {
    guard scalars > 0 else { return }
    word.withUnsafeBufferPointer { model.append($0, scalars: scalars, to: &ids) }
    word.removeAll(keepingCapacity: true)
    scalars = 0
  }
}
