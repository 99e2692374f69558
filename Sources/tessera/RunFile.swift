// SPDX-License-Identifier: Apache-2.0
import Foundation
import TesseraCompute
import TesseraData
import TesseraPipeline

/// `run --config FILE` and `run --resume DIR`: options that a file tells, put in front of those of the command line.
enum RunFile {
  /// The words of a command line with the options of its file.
  ///
  /// - Parameter words: the words without the program's name.
  /// - Throws: `TesseraError` for a file that cannot be read, a key that there is not, and an option that would
  ///   change a run that is to be resumed.
  static func expanded(_ words: [String]) throws -> [String] {
    guard words.first == "run", !words.contains("--help"), !words.contains("-h") else { return words }
    let given = options(in: words)
    switch (given["config"], given["resume"]) {
    case (nil, nil): return words
    case (_?, _?):
      throw TesseraError.input("config", found: "--config with --resume", wanted: "one of them")
    case (let file?, nil): return try configured(file, words, given)
    case (nil, let folder?): return try resumed(folder, words, given)
    }
  }

  /// Options with their values, of those that are given more than once the last.
  private static func options(in words: [String]) -> [String: String] {
    var found: [String: String] = [:]
    for (at, word) in words.enumerated() where word.hasPrefix("--") && word.count > 2 {
      let parts = word.dropFirst(2).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      let next = at + 1 < words.count && !words[at + 1].hasPrefix("--") ? words[at + 1] : ""
      found[String(parts[0])] = parts.count > 1 ? String(parts[1]) : next
    }
    return found
  }

  private static func configured(
    _ file: String, _ words: [String], _ given: [String: String]
  ) throws -> [String] {
    if let recipe = given["recipe"] {
      throw TesseraError.input(
        "recipe", found: "\(recipe) with --config",
        wanted: "none: the file's options hold (\"paperStates\" for the paper's)")
    }
    var (options, _) = try RunConfiguration.options(of: file) { try check($0, file) }
    var idle = Set(given.keys)
    // A source of the other kind takes the place of the file's with all that belongs to it.
    if given["features"] != nil {
      idle.formUnion(["data", "encoder", "text-column", "layers", "pooling", "products"])
    }
    if given["data"] != nil { idle.formUnion(["features", "ignore", "array", "missing", "scaling"]) }
    // The encoder's sums are the network's, unless both are said.
    if given["products"] != nil { idle.insert("network-products") }
    if given["folds"] != nil { idle.formUnion(["test-share", "repeats"]) }
    if given["test"] != nil { idle.insert("test-share") }
    options.removeAll { idle.contains($0.name) }
    return ["run"] + options.flatMap(\.words) + words.dropFirst()
  }

  private static func resumed(
    _ folder: String, _ words: [String], _ given: [String: String]
  ) throws -> [String] {
    if let out = given["out"] {
      throw TesseraError.input(
        "out", found: "\(out) with --resume", wanted: "none: \(folder) is where the run goes on")
    }
    let root = URL(fileURLWithPath: folder)
    let names = ["run.json", "fold-1/run.json"]
    let files = names.map { root.appendingPathComponent($0).path }
    guard let file = files.first(where: { FileManager.default.fileExists(atPath: $0) }) else {
      throw TesseraError.input(folder, found: "no run (run.json is not there)", wanted: "the folder of a run")
    }
    let (options, configuration) = try RunConfiguration.options(of: file) { try check($0, file) }
    if file == files[0], let fold = configuration.split.fold {
      throw TesseraError.input(
        folder, found: "fold \(fold) of a cross-validation", wanted: "the folder that holds all folds")
    }
    for name in given.keys.ordered() where RunConfiguration.optionNames.contains(name) {
      let own = options.first { $0.name == name }
      let value = given[name] ?? ""
      if let own, own.text == value || (Double(value).map { $0 == Double(own.text) } ?? false) { continue }
      throw TesseraError.input(
        name,
        found: "\(value.isEmpty ? "given" : value) with --resume, where the run has \(own?.text ?? "none")",
        wanted: "the run's own value; --config \(file) --out NEW makes another run")
    }
    let rest = words.dropFirst().filter { word in
      !RunConfiguration.optionNames.contains { word.hasPrefix("--\($0)=") }
    }
    return ["run"] + options.flatMap(\.words) + ["--out=\(folder)"] + without(given, rest)
  }

  /// The words without options that decide a run's result, and without their values: they are the run's own.
  private static func without(_ given: [String: String], _ words: [String]) -> [String] {
    var (rest, skips) = ([String](), false)
    for word in words {
      if skips {
        skips = false
        continue
      }
      let name = String(word.dropFirst(2))
      if word.hasPrefix("--"), RunConfiguration.optionNames.contains(name) {
        skips = name != "no-header"
      } else {
        rest.append(word)
      }
    }
    return rest
  }

  private static func check(_ keys: [String], _ file: String) throws {
    let known = RunConfiguration.optionOfKey
    for key in keys where known[key] == nil {
      // Someone may have written an option as it is called.
      let meant =
        known.first { !$0.value.isEmpty && $0.value == key }?.key
        ?? Suggestion.nearest(to: key, of: known.keys.ordered())
        ?? known.keys.first { $0.lowercased() == key.lowercased() }
      throw TesseraError.input(
        "\(file): \(key.prefix(60))", found: "a key that no run has",
        wanted: meant.map { "\($0)?" } ?? "the keys of a run.json")
    }
  }
}
