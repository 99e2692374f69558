// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

/// The article on environment variables names every one of the project's own.
@Suite struct EnvironmentArticleTests {
  private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()

  /// The variables that a text names; the guards of headers, which end with _H, are none.
  private func variables(_ text: String) -> Set<String> {
    let words = text.split { !($0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_")) }
    return Set(words.map(String.init).filter(isVariable))
  }

  private func isVariable(_ word: String) -> Bool {
    let prefix = "TESSERA_"
    guard word.hasPrefix(prefix), word.count > prefix.count, !word.hasSuffix("_H") else { return false }
    return word.allSatisfy { $0.isUppercase || $0.isNumber || $0 == "_" }
  }

  /// The text of a file; nil for a folder and for what is no text.
  private func text(_ file: URL) -> String? {
    guard let data = FileManager.default.contents(atPath: file.path) else { return nil }
    return String(data: data, encoding: .utf8)
  }

  /// Swift and C files under `Sources`, and the files under `tools` but for fuzzers' seeds and builds.
  private func files() throws -> [URL] {
    let sources = Self.root.appendingPathComponent("Sources")
    let tools = Self.root.appendingPathComponent("tools")
    let code = try FileManager.default.subpathsOfDirectory(atPath: sources.path)
      .filter { $0.hasSuffix(".swift") || $0.hasSuffix(".c") || $0.hasSuffix(".h") }
      .map { sources.appendingPathComponent($0) }
    let scripts = try FileManager.default.subpathsOfDirectory(atPath: tools.path)
      .filter { !$0.contains("/seeds/") && !$0.contains("/.build/") && !$0.contains("/__pycache__/") }
      .map { tools.appendingPathComponent($0) }
    return code + scripts
  }

  @Test func theArticleNamesEveryVariable() throws {
    let path = "Sources/tessera/Documentation.docc/EnvironmentVariables.md"
    let article = try #require(text(Self.root.appendingPathComponent(path)))
    let told = variables(article)
    var used: Set<String> = []
    for file in try files() {
      if let content = text(file) { used.formUnion(variables(content)) }
    }
    #expect(used.isSuperset(of: ["TESSERA_ISA", "TESSERA_OPENCL_LIBRARY", "TESSERA_FAULT"]), "\(used)")
    for name in used.subtracting(told).sorted() {
      Issue.record("\(path) lacks \(name)")
    }
  }
}
