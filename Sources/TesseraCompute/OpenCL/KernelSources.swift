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

  /// Takes from a folder what has the name of a kernel file (`NAME.cl`) or of a shared header.
  ///
  /// - Throws: `TesseraError` for a folder without such a file, and for a file that cannot be read or is not UTF-8.
  public init(folder: String) throws {
    let root = folder.hasSuffix("/") ? String(folder.dropLast()) : folder
    var (files, replaced) = ([String](), [String: (path: String, text: String)]())
    for name in Self.names where FileManager.default.fileExists(atPath: "\(root)/\(name)") {
      let path = "\(root)/\(name)"
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

  /// A program's text: the shared headers, then the family. Lines are counted by file, for the compiler's messages.
  func program(_ family: String) throws -> String {
    let parts = Self.names.enumerated().filter { $1.hasSuffix(".h") || $1 == family + ".cl" }
    guard parts.contains(where: { $1 == family + ".cl" }) else {
      throw TesseraError.failure("kernels", found: "no family \(family)")
    }
    return parts.map { index, name in
      guard let (path, text) = replaced[name] else {
        return "#line 1 \"\(name)\"\n" + String(cString: tsr_source_text(Int32(index))) + "\n"
      }
      let quoted = path.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
      return "#line 1 \"\(quoted)\"\n" + text + "\n"
    }.joined()
  }

  /// Where a family's kernels are from, for messages.
  func place(_ family: String) -> String { replaced[family + ".cl"]?.path ?? family + ".cl" }

  /// The names of all files, in the order in which a program is put together.
  private static let names = (0..<tsr_source_count()).map { String(cString: tsr_source_name($0)) }
}
