// SPDX-License-Identifier: Apache-2.0
import Foundation

/// A public function, initialiser or subscript of the library, as its sources declare it.
public struct PublicFunction: Hashable, Sendable {
  /// Such as `Tensor.reshaped(_:)`; functions of one name and labels share it.
  public let name: String
  /// The file's name and the line.
  public let place: String
}

/// Reads declarations off Swift sources: so much of the language as tells what is public. Requirements of
/// public protocols and members of public extensions count; what an internal protocol's extension declares
/// does not.
public struct PublicFunctions {
  private var found: [(function: PublicFunction, types: [String])] = []
  private var publicTypes: Set<String> = [], declaredTypes: Set<String> = []

  /// The public functions of all Swift files below some folders.
  ///
  /// - Throws: for a folder that cannot be read, and a file that ends inside a brace: it was read wrongly.
  public static func of(_ folders: [URL]) throws -> [PublicFunction] {
    var reader = PublicFunctions()
    for folder in folders {
      let files = FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil)
      let all = (files?.allObjects ?? []).compactMap { $0 as? URL }.filter { $0.pathExtension == "swift" }
      for file in all.sorted(by: { $0.path < $1.path }) {
        try reader.read(try String(contentsOf: file, encoding: .utf8), file.lastPathComponent)
      }
    }
    return reader.found.filter { entry in
      entry.types.allSatisfy { reader.publicTypes.contains($0) || !reader.declaredTypes.contains($0) }
    }.map(\.function)
  }

  private struct Scope {
    /// The type's full name; nil inside a function's body or a closure.
    var type: String?
    /// Whether members are public without saying so.
    var isPublic: Bool
  }

  private static let kinds: Set = ["struct", "class", "enum", "protocol", "extension", "actor"]
  private static let modifiers: Set = [
    "public", "package", "internal", "private", "fileprivate", "open", "static", "class", "final", "mutating",
    "nonmutating", "override", "required", "convenience", "indirect", "lazy", "weak", "unowned",
    "nonisolated",
    "consuming", "borrowing", "dynamic", "prefix", "postfix",
  ]

  private mutating func read(_ text: String, _ file: String) throws {
    let tokens = SwiftTokens(text).tokens
    var scopes: [Scope] = [], modifiers: Set<String> = []
    var next: Scope?
    var at = 0
    func word(_ offset: Int) -> String { at + offset < tokens.count ? tokens[at + offset].text : "" }
    while at < tokens.count {
      let token = tokens[at].text
      let isDeclaring = scopes.last.map { $0.type != nil } ?? true
      if token == "{" {
        scopes.append(next ?? Scope(type: nil, isPublic: false))
        next = nil
      } else if token == "}" {
        _ = scopes.popLast()
      } else if isDeclaring, Self.modifiers.contains(token), !(token == "class" && word(1) != "func") {
        modifiers.insert(token)
        if word(1) == "(" { at = Self.end(of: tokens, at + 1) }
        at += 1
        continue
      } else if token.hasPrefix("@") {
        if word(1) == "(" { at = Self.end(of: tokens, at + 1) }
        at += 1
        continue
      } else if isDeclaring, Self.kinds.contains(token) || token == "typealias" {
        let name = Self.name(tokens, at + 1)
        let full = ((scopes.last?.type).map { $0 + "." } ?? "") + name
        let isPublic = modifiers.contains("public") || modifiers.contains("open")
        if token != "extension" {
          declaredTypes.insert(full)
          if isPublic || scopes.last?.isPublic == true { publicTypes.insert(full) }
        }
        if token != "typealias" {
          next = Scope(type: full, isPublic: isPublic && (token == "protocol" || token == "extension"))
        }
      } else if isDeclaring, ["func", "init", "subscript"].contains(token),
        at == 0 || tokens[at - 1].text != ".",
        modifiers.contains("public") || modifiers.contains("open")
          || scopes.last?.isPublic == true
            && modifiers.isDisjoint(with: ["private", "fileprivate", "internal"])
      {
        let type = scopes.last?.type
        let name = (token == "func" ? word(1) : token) + Self.labels(tokens, at + 1)
        found.append(
          (
            PublicFunction(name: (type.map { $0 + "." } ?? "") + name, place: "\(file):\(tokens[at].line)"),
            type.map(Self.enclosing) ?? []
          ))
      }
      modifiers = []
      at += 1
    }
    struct Unbalanced: Error { let file: String }
    guard scopes.isEmpty else { throw Unbalanced(file: file) }
  }

  /// A type with those around it: `A.B.C` is A, A.B and A.B.C.
  private static func enclosing(_ type: String) -> [String] {
    let parts = type.split(separator: ".")
    return parts.indices.map { parts[...$0].joined(separator: ".") }
  }

  /// The name that begins at a token, dots in it; generic arguments are left out.
  private static func name(_ tokens: [SwiftTokens.Token], _ first: Int) -> String {
    var at = first
    var name = ""
    while at < tokens.count {
      let token = tokens[at].text
      guard token == "." || token.first.map({ $0.isLetter || $0 == "_" }) == true,
        name.isEmpty || token == "." || name.hasSuffix(".")
      else { break }
      name += token
      at += 1
    }
    return name
  }

  /// The index of the bracket that closes the one at an index.
  private static func end(of tokens: [SwiftTokens.Token], _ first: Int) -> Int {
    var depth = 0
    for at in first..<tokens.count {
      if ["(", "["].contains(tokens[at].text) { depth += 1 }
      if [")", "]"].contains(tokens[at].text) { depth -= 1 }
      if depth == 0 { return at }
    }
    return tokens.count - 1
  }

  /// The labels of the first parameters from a token on, such as `(_:at:)`.
  private static func labels(_ tokens: [SwiftTokens.Token], _ first: Int) -> String {
    guard let begin = tokens[first...].firstIndex(where: { $0.text == "(" }) else { return "" }
    let end = end(of: tokens, begin)
    var (labels, depth, isFirst) = ("", 0, true)
    for at in begin + 1..<max(begin + 1, end) {
      let token = tokens[at].text
      if ["(", "[", "<", "{"].contains(token) { depth += 1 }
      if [")", "]", "}"].contains(token) || token == ">" && tokens[at - 1].text != "-" { depth -= 1 }
      if depth == 0, token == "," { isFirst = true }
      guard isFirst, depth == 0, token != ",", !token.hasPrefix("@") else { continue }
      labels += token + ":"
      isFirst = false
    }
    return "(\(labels))"
  }
}
