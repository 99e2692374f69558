// SPDX-License-Identifier: Apache-2.0
import Foundation
import TesseraCompute

/// Reads a byte-level vocabulary: `vocab.json` and `merges.txt`, or the same in a `tokenizer.json`.
enum BytePairFiles {
  /// `vocab.json`: ids by token.
  static func vocabulary(_ path: String) throws -> [(bytes: [UInt8], id: Int32)] {
    let wanted = "tokens with their ids"
    let fields = try JSONFields(file: path, wanted: wanted, atMost: InputFile.Limit.text)
    return try TokenizerJSON.vocabulary(fields)
  }

  /// `merges.txt`: two tokens a line with a blank between them, the first the earliest merge; lines that
  /// begin with `#version` are none.
  static func merges(_ path: String) throws -> [BytePairModel.Merge] {
    let wanted = "the merges of a byte-level vocabulary"
    let data = try InputFile.read(path, wanted: wanted, atMost: InputFile.Limit.text)
    guard String(validating: data, as: UTF8.self) != nil else {
      throw TesseraError.input(path, found: "bytes that are not UTF-8", wanted: wanted)
    }
    var lines = [UInt8](data).split(separator: 10, omittingEmptySubsequences: false)
    if lines.last?.isEmpty == true { lines.removeLast() }
    return try lines.enumerated().compactMap { number, line in
      let line = line.last == 13 ? line.dropLast() : line
      if line.starts(with: "#version".utf8) { return nil }
      return try merge(line, place: "\(path): line \(number + 1)")
    }
  }

  /// The merges of a `tokenizer.json`, each a text or a list of two.
  static func merges(_ model: JSONFields) throws -> [BytePairModel.Merge] {
    guard let values = try model.list("merges") else { throw model.refusal("merges", wanted: "a list") }
    return try values.enumerated().map { number, value in
      let place = "\(model.place): merges: \(number)"
      switch value {
      case .string(let text): return try merge(Array(text.utf8)[...], place: place)
      case .array(let pair):
        guard pair.count == 2, case .string(let left) = pair[0], case .string(let right) = pair[1] else {
          throw TesseraError.input(place, found: value.summary, wanted: "two tokens")
        }
        return BytePairModel.Merge(left: Array(left.utf8), right: Array(right.utf8))
      default: throw TesseraError.input(place, found: value.summary, wanted: "two tokens")
      }
    }
  }

  private static func merge(_ text: ArraySlice<UInt8>, place: String) throws -> BytePairModel.Merge {
    let parts = text.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
    guard parts.count == 2 else {
      throw TesseraError.input(
        place, found: text.isEmpty ? "nothing" : String(decoding: text, as: UTF8.self),
        wanted: "two tokens and a blank between them")
    }
    return BytePairModel.Merge(left: Array(parts[0]), right: Array(parts[1]))
  }
}

extension TokenizerJSON {
  private static let knownOfBytePairs: Set<String> = [
    "type", "dropout", "unk_token", "continuing_subword_prefix", "end_of_word_suffix", "fuse_unk",
    "byte_fallback", "ignore_merges", "vocab", "merges",
  ]

  /// The merges of a BPE model, and nothing that would change what they do. The unknown token is none's: each
  /// byte has a token.
  static func bytePairs(_ model: JSONFields) throws -> BytePairModel.Settings {
    try model.requireKnown(knownOfBytePairs, wanted: "what a BPE model has")
    switch model.present("dropout") {
    case nil, .integer(0), .number(0): break
    default: throw model.refusal("dropout", wanted: "null: the same tokens each time")
    }
    for key in ["continuing_subword_prefix", "end_of_word_suffix"] {
      guard try model.text(key) ?? "" == "" else { throw model.refusal(key, wanted: "an empty text") }
    }
    for key in ["byte_fallback", "ignore_merges"] {
      guard try model.bool(key) != true else { throw model.refusal(key, wanted: "false") }
    }
    return BytePairModel.Settings(merges: try BytePairFiles.merges(model))
  }

  /// What GPT-2's way to find words says of a text's beginning; another way is refused.
  func byteLevel(_ section: JSONFields) throws -> Bool {
    try section.requireKnown(
      ["type", "add_prefix_space", "trim_offsets", "use_regex"], wanted: "what a ByteLevel has")
    guard try section.bool("use_regex") ?? true else {
      throw section.refusal("use_regex", wanted: "true: GPT-2's regular expression")
    }
    guard let adds = try section.bool("add_prefix_space") else {
      throw section.refusal("add_prefix_space", wanted: "true or false")
    }
    return adds
  }
}
