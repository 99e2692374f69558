// SPDX-License-Identifier: Apache-2.0
import Foundation
internal import Kernels

/// The text of the OpenCL kernels: the binary's own, or in part that of files, to try an edit without a
/// build.
public struct KernelSources: Sendable {
  /// The files that take the place of the binary's text.
  public let files: [String]
  private let replaced: [String: (path: String, text: String)]

  /// The binary's own text.
  public static let embedded = KernelSources()

  private init() { (files, replaced) = ([], [:]) }

  /// Takes from a folder what has the path of a kernel file or of a shared header in the package's folder
  /// `Kernels` (`gemm/gemm_gpu.h`), or its last part alone (`gemm_gpu.h`).
  ///
  /// - Throws: `TesseraError` for a folder without such a file, and for a file that cannot be read or is
  ///   not UTF-8.
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

  /// A program's text: the family with the headers that it includes, each of them once, where it is first
  /// included. A header whose name ends in `_body.h` is taken at every include: its includer says by macros
  /// what the text is about. OpenCL's run-time compilers see no files, so includes are resolved here. Lines
  /// are counted by file, for the compiler's messages.
  ///
  /// - Throws: `TesseraError` for an unknown family or header, for a `_body.h` that includes itself, and
  ///   for an include of another header between `#if` and `#endif`: its text could be left out there
  ///   although a later include of the same header finds it taken already.
  func program(_ family: String) throws -> String {
    guard let file = Self.file(of: family) else {
      throw TesseraError.failure("kernels", found: "no family \(family)")
    }
    var included: Set<String> = []
    return try resolved(file, within: [], conditionals: 0, &included)
  }

  /// The text of a program that is no family's, with its includes.
  ///
  /// - Parameters:
  ///   - source: its text.
  ///   - name: what it is called in messages.
  /// - Throws: as `program`.
  func program(of source: String, name: String) throws -> String {
    var included: Set<String> = []
    return try resolved(text: source, path: name, name: name, within: [], conditionals: 0, &included)
  }

  /// A file's text with its includes. `within`: the files whose includes led here; `conditionals`: how many
  /// `#if` are open around its include.
  private func resolved(
    _ name: String, within: [String], conditionals outer: Int, _ included: inout Set<String>
  ) throws -> String {
    guard let (path, text) = text(of: name) else { return "" }
    guard included.insert(name).inserted || Self.isBody(name) else { return "" }
    return try resolved(
      text: text, path: path, name: name, within: within, conditionals: outer, &included)
  }

  private func resolved(
    text: String, path: String, name: String, within: [String], conditionals outer: Int,
    _ included: inout Set<String>
  ) throws -> String {
    let quoted = path.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
    var program = "#line 1 \"\(quoted)\"\n"
    var conditionals = outer
    for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
      let words = line.drop { $0 == " " }
      if words.hasPrefix("#if") { conditionals += 1 }
      if words.hasPrefix("#endif") { conditionals -= 1 }
      guard let header = Self.header(words) else {
        // Each file is taken once; in a program's one text the line would only be warned of.
        program += words.hasPrefix("#pragma once") ? "\n" : line + "\n"
        continue
      }
      try check(header, at: "\(path), line \(index + 1)", within: within + [name], conditionals: conditionals)
      program += try resolved(header, within: within + [name], conditionals: conditionals, &included)
      program += "#line \(index + 2) \"\(quoted)\"\n"
    }
    return program
  }

  /// Throws for an include that cannot be resolved.
  private func check(_ header: String, at place: String, within: [String], conditionals: Int) throws {
    let wanted: String
    if text(of: header) == nil {
      wanted = "one of " + Self.names.filter { $0.hasSuffix(".h") }.joined(separator: ", ")
    } else if conditionals > 0 && !Self.isBody(header) {
      wanted = "includes outside of #if (the header can ask itself)"
    } else if Self.isBody(header) && within.contains(header) {
      wanted = "no body that includes itself"
    } else {
      return
    }
    throw TesseraError.input(place, found: "an include of \(header)", wanted: wanted)
  }

  /// Whether a header is text for several includes in one program.
  private static func isBody(_ name: String) -> Bool { name.hasSuffix("_body.h") }

  /// The name in `#include "NAME"`; nil for another line.
  private static func header(_ line: Substring) -> String? {
    guard line.hasPrefix("#include \""), let end = line.dropFirst(10).firstIndex(of: "\"") else { return nil }
    return String(line.dropFirst(10)[..<end])
  }

  func text(of name: String) -> (path: String, text: String)? {
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
  static let names = (0..<tsr_source_count()).map { String(cString: tsr_source_name($0)) }
}
