// SPDX-License-Identifier: Apache-2.0
/// The words and marks of a Swift source, without comments; a string is one token, whatever is in it.
struct SwiftTokens {
  struct Token {
    let text: String, line: Int
  }

  private(set) var tokens: [Token] = []
  private let text: [Character]
  private var at = 0, line = 1

  init(_ source: String) {
    text = Array(source)
    while at < text.count { step() }
  }

  private func peek(_ offset: Int = 0) -> Character? { at + offset < text.count ? text[at + offset] : nil }

  private mutating func advance(_ count: Int = 1) {
    for _ in 0..<count {
      if peek()?.isNewline == true { line += 1 }
      at += 1
    }
  }

  private mutating func step() {
    guard let character = peek() else { return }
    if character == "/", peek(1) == "/" {
      while let next = peek(), !next.isNewline { advance() }
    } else if character == "/", peek(1) == "*" {
      skipBlockComment()
    } else if character == "\"" || character == "#" && (peek(1) == "\"" || peek(1) == "#") {
      let first = line
      skipString()
      tokens.append(Token(text: "\"\"", line: first))
    } else if character.isLetter || character == "_" || character == "@" || character == "#"
      || character == "`"
    {
      var word = ""
      let first = line
      repeat {
        if let next = peek(), next != "`" { word.append(next) }
        advance()
      } while peek().map { $0.isLetter || $0.isNumber || $0 == "_" || $0 == "`" } == true
      tokens.append(Token(text: word, line: first))
    } else {
      if !character.isWhitespace { tokens.append(Token(text: String(character), line: line)) }
      advance()
    }
  }

  private mutating func skipBlockComment() {
    var depth = 0
    repeat {
      if peek() == "/", peek(1) == "*" {
        depth += 1
        advance(2)
      } else if peek() == "*", peek(1) == "/" {
        depth -= 1
        advance(2)
      } else {
        advance()
      }
    } while depth > 0 && at < text.count
  }

  /// A string with its interpolations, in which there may be strings again.
  private mutating func skipString() {
    var hashes = 0
    while peek() == "#" {
      hashes += 1
      advance()
    }
    let isLong = peek(1) == "\"" && peek(2) == "\""
    let end = [Character](repeating: "\"", count: isLong ? 3 : 1) + [Character](repeating: "#", count: hashes)
    let escape = ["\\"] + [Character](repeating: "#", count: hashes)
    advance(isLong ? 3 : 1)
    while at < text.count {
      if starts(with: end) { return advance(end.count) }
      guard starts(with: escape) else {
        advance()
        continue
      }
      advance(escape.count)
      if peek() == "(" { skipInterpolation() } else { advance() }
    }
  }

  private mutating func skipInterpolation() {
    var depth = 0
    repeat {
      if peek() == "\"" {
        skipString()
        continue
      }
      if peek() == "(" { depth += 1 }
      if peek() == ")" { depth -= 1 }
      advance()
    } while depth > 0 && at < text.count
  }

  private func starts(with mark: [Character]) -> Bool {
    at + mark.count <= text.count && zip(mark, text[at...]).allSatisfy(==)
  }
}
