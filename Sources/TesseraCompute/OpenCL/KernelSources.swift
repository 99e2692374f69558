// SPDX-License-Identifier: Apache-2.0
import Foundation
import Kernels

/// The text of the OpenCL kernels: the binary's own, or in part that of files, to try an edit without a build.
public struct KernelSources: Sendable {
  /// The files that take the place of the binary's text.
  public let files: [String]
  private let replaced: [String: (path: String, text: String)]

  /// The binary's own text.
  public static let embedded = KernelSources()

  private init() { (files, replaced) = ([], [:]) }

  /// Takes from a folder what has the path of a kernel file or of a shared header in the package's folder `Kernels`
  /// (`gemm/gemm_gpu.h`), or its last part alone (`gemm_gpu.h`).
  ///
  /// - Throws: `TesseraError` for a folder without such a file, and for a file that cannot be read or is not UTF-8.
  public init(folder: String) throws {
    let root = folder.hasSuffix("/") ? String(folder.dropLast()) : folder
    var (files, replaced) = ([String](), [String: (path: String, text: String)]())
    for name in Self.names {
      let paths = [name, Self.lastPart(name)].map { "\(root)/\($0)" }
      guard let path = paths.first(where: FileManager.default.fileExists(atPath:)) else { continue }
      let data = try InputFile.read(path, wanted: "a kernel's text", atMost: InputFile.Limit.text)
      guard let text = String(validating: data, as: UTF8.self), !text.utf8.contains(0) else {
        throw TesseraError.input(path, found: "bytes that are not UTF-8 text", wanted: "a kernel's text")
      }
      files.append(path)
      replaced[name] = (path, text)
    }
    guard !files.isEmpty else {
      throw TesseraError.input(
        folder, found: "no kernel file", wanted: "one of " + Self.names.joined(separator: ", "))
    }
    (self.files, self.replaced) = (files, replaced)
  }

  /// A program's text: the family with the headers that it includes, each of them once, where it is first included.
  /// OpenCL's run-time compilers see no files, so includes are resolved here. Lines are counted by file, for the
  /// compiler's messages.
  ///
  /// - Throws: `TesseraError` for an unknown family or header, and for an include between `#if` and `#endif`: its
  ///   text could be left out there although a later include of the same header finds it taken already.
  func program(_ family: String) throws -> String {
    guard let file = Self.file(of: family) else {
      throw TesseraError.failure("kernels", found: "no family \(family)")
    }
    var included: Set<String> = []
    return try resolved(file, &included)
  }

  private func resolved(_ name: String, _ included: inout Set<String>) throws -> String {
    guard included.insert(name).inserted, let (path, text) = text(of: name) else { return "" }
    let quoted = path.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
    var program = "#line 1 \"\(quoted)\"\n"
    var conditionals = 0
    for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
      let words = line.drop { $0 == " " }
      if words.hasPrefix("#if") { conditionals += 1 }
      if words.hasPrefix("#endif") { conditionals -= 1 }
      guard let header = Self.header(words) else {
        // Each file is taken once; in a program's one text the line would only be warned of.
        program += words.hasPrefix("#pragma once") ? "\n" : line + "\n"
        continue
      }
      guard conditionals == 0, self.text(of: header) != nil else {
        throw TesseraError.input(
          "\(path), line \(index + 1)", found: "an include of \(header)",
          wanted: conditionals > 0
            ? "includes outside of #if (the header can ask itself)"
            : "one of " + Self.names.filter { $0.hasSuffix(".h") }.joined(separator: ", "))
      }
      program += try resolved(header, &included) + "#line \(index + 2) \"\(quoted)\"\n"
    }
    return program
  }

  /// The name in `#include "NAME"`; nil for another line.
  private static func header(_ line: Substring) -> String? {
    guard line.hasPrefix("#include \""), let end = line.dropFirst(10).firstIndex(of: "\"") else { return nil }
    return String(line.dropFirst(10)[..<end])
  }

  private func text(of name: String) -> (path: String, text: String)? {
    if let file = replaced[name] { return file }
    return Self.names.firstIndex(of: name).map { (name, String(cString: tsr_source_text(Int32($0)))) }
  }

  /// Where a family's kernels are from, for messages.
  func place(_ family: String) -> String {
    let file = Self.file(of: family) ?? family + ".cl"
    return replaced[file]?.path ?? file
  }

  /// The path of a family's file.
  private static func file(of family: String) -> String? {
    names.first { lastPart($0) == family + ".cl" }
  }

  /// What follows the last slash.
  private static func lastPart(_ path: String) -> String {
    path.lastIndex(of: "/").map { String(path[path.index(after: $0)...]) } ?? path
  }

  /// The paths of all files in `Kernels`.
  private static let names = (0..<tsr_source_count()).map { String(cString: tsr_source_name($0)) }
}
