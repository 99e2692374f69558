// SPDX-License-Identifier: Apache-2.0
import Foundation
import TesseraCompute

/// The files of an encoder as Hugging Face and sentence-transformers lay them out.
///
/// Of a sentence-transformers folder, old or new, the part that `modules.json` calls the transformer is the
/// encoder.
public struct EncoderFolder: Sendable {
  /// The folder that holds `config.json`.
  public let path: String

  /// Files that an encoder need not have and that decide, where they are, how texts become ids.
  public static let optionalFiles = [
    "tokenizer_config.json", "tokenizer.json", "special_tokens_map.json", "added_tokens.json",
    "sentence_bert_config.json", "config_sentence_transformers.json", "vocab.json", "merges.txt",
  ]

  /// Finds the encoder in a folder.
  ///
  /// - Throws: `TesseraError` for a `modules.json` whose first module is none that can be read, and, where
  ///   there is no encoder's `config.json`, naming the folders below that hold one.
  public init(_ folder: String) throws {
    let manager = FileManager.default
    let root = URL(fileURLWithPath: folder)
    func inside(_ name: String) -> String {
      name.isEmpty ? root.path : root.appendingPathComponent(name).path
    }
    let modules = inside("modules.json")
    if manager.fileExists(atPath: modules) {
      path = inside(try Self.transformer(modules))
    } else if !manager.fileExists(atPath: inside("config.json")) {
      let below = ((try? manager.contentsOfDirectory(atPath: root.path)) ?? []).ordered().filter {
        manager.fileExists(atPath: inside($0 + "/config.json"))
      }
      // What sentence-transformers called it before there was a modules.json.
      if let old = ["0_Transformer", "0_BERT"].first(where: below.contains) {
        path = inside(old)
      } else if below.isEmpty {
        path = root.path
      } else {
        throw TesseraError.input(
          inside("config.json"), found: "no such file",
          wanted:
            "the folder of an encoder itself, such as \(below.prefix(5).map(inside).joined(separator: " or "))"
        )
      }
    } else {
      path = root.path
    }
  }

  /// The text of `config.json`.
  func settings() throws -> String {
    let data = try InputFile.read(
      file("config.json"), wanted: "an encoder's config.json", atMost: InputFile.Limit.configuration)
    return String(decoding: data, as: UTF8.self)
  }

  /// The fingerprint of the files that decide a text's vectors.
  ///
  /// - Throws: `TesseraError` for a folder that is no encoder's.
  package func fingerprint() throws -> String {
    _ = try configuration()
    var print = Fingerprint()
    for name in try files {
      // Files that an encoder need not have enter with their names: one of them is not another one.
      if Self.optionalFiles.contains(name) { print.add(name) }
      print.add(try Fingerprint.ofFile(file(name)))
    }
    return print.digits()
  }

  /// The path of the first module of a sentence-transformers folder, inside it.
  private static func transformer(_ file: String) throws -> String {
    let data = try InputFile.read(
      file, wanted: "a list of modules", atMost: InputFile.Limit.configuration)
    guard case .array(let modules) = try JSONReader.value(of: data, place: file), let first = modules.first
    else {
      throw TesseraError.input(file, found: "no list of modules", wanted: "a transformer first")
    }
    let fields = try JSONFields(first, place: file)
    let type = try fields.text("type") ?? "nothing"
    guard type.hasSuffix(".Transformer") || type == "Transformer" else {
      throw TesseraError.input("\(file): type", found: type, wanted: "a transformer as the first module")
    }
    let path = try fields.text("path") ?? ""
    guard !path.hasPrefix("/"), !path.split(separator: "/").contains("..") else {
      throw TesseraError.input("\(file): path", found: path, wanted: "a folder inside this one")
    }
    return path
  }

  /// Where a file of the encoder is, or would be.
  public func file(_ name: String) -> String { URL(fileURLWithPath: path).appendingPathComponent(name).path }

  /// Whether there is a file of that name.
  public func contains(_ name: String) -> Bool { FileManager.default.fileExists(atPath: file(name)) }

  /// The files, those that there are, that decide what becomes of a text, in the order in which a
  /// fingerprint takes them in. With an index of weights in several files, these are the index and the
  /// files that it names.
  ///
  /// - Throws: `TesseraError` for a broken index.
  public var files: [String] {
    get throws {
      let weights = try weightFiles()
      return ["config.json", "vocab.txt"].filter(contains) + weights + Self.optionalFiles.filter(contains)
    }
  }

  /// The extents, from `config.json`.
  public func configuration() throws -> EncoderConfiguration {
    try EncoderConfiguration(file: file("config.json"))
  }

  /// The fields of a file that may be missing.
  func fields(_ name: String) throws -> JSONFields {
    let path = file(name)
    return contains(name)
      ? try JSONFields(file: path, wanted: "what a tokenizer does") : JSONFields(none: path)
  }
}
