// SPDX-License-Identifier: Apache-2.0
import Foundation
import TesseraCompute

/// The keys of a run's file, and options from a file that may have some of them alone.
extension RunConfiguration {
  /// The option that each key stands for; a key without one decides nothing, or is told by others.
  package static let optionOfKey: [String: String] = [
    "version": "", "source": "", "fold": "", "data": "data", "test": "test", "encoder": "encoder",
    "ignore": "ignore", "array": "array", "missing": "missing", "scaling": "scaling",
    "textColumn": "text-column", "labelColumn": "label-column", "labels": "labels", "quotes": "quotes",
    "separator": "separator", "encoding": "encoding", "header": "no-header", "firstState": "layers",
    "lastState": "layers", "pooling": "pooling", "products": "products", "paperStates": "recipe",
    "validationShare": "validation-share", "testShare": "test-share", "trainingRows": "training-rows",
    "splitMethod": "split", "folds": "folds", "pixels": "pixels", "discretization": "discretization",
    "layout": "layout", "metric": "metric", "perplexity": "perplexity", "iterations": "iterations",
    "tsneStart": "init", "tsneLearningRate": "tsne-learning-rate", "tsneExactLimit": "tsne-exact-limit",
    "channels": "channels", "representations": "representations", "seesValidation": "fit",
    "model": "model", "weights": "weights", "normalization": "normalization",
    "upsampling": "upsampling", "head": "head", "bypass": "bypass", "start": "start",
    "networkProducts": "network-products", "slice": "slice",
    "sliceRate": "slice-lr", "convolutionRate": "conv-lr", "classifierRate": "classifier-lr",
    "schedule": "schedule", "labelSmoothing": "label-smoothing", "patience": "patience",
    "epochs": "epochs", "batch": "batch", "weightDecay": "weight-decay", "noise": "noise",
    "classWeights": "class-weights", "repeats": "repeats", "seed": "seed",
  ]

  /// The options that decide a run's result.
  package static var optionNames: Set<String> {
    Set(optionOfKey.values).subtracting([""]).union(["features"])
  }

  /// The options that a file tells: all of a run's own `run.json`; of another file, which has no version, those of
  /// its keys, so that the recipe decides the rest.
  ///
  /// - Parameters:
  ///   - path: the file.
  ///   - checkKeys: called with its keys in order, to refuse those that there are not.
  /// - Throws: `TesseraError` for what is no such file, naming the key whose value cannot be read.
  package static func options(
    of path: String, checkKeys: ([String]) throws -> Void
  ) throws -> (options: [RunOption], configuration: RunConfiguration) {
    let data = try InputFile.read(
      path, wanted: "a run's options (run.json)", atMost: InputFile.Limit.configuration)
    guard let object = try? JSONSerialization.jsonObject(with: data), let found = object as? [String: Any]
    else {
      throw TesseraError.input(path, found: "no object of JSON", wanted: "options by name, as in run.json")
    }
    try checkVersion(path)
    try checkKeys(found.keys.ordered())
    guard (found["firstState"] == nil) == (found["lastState"] == nil) else {
      throw TesseraError.input(path, found: "firstState or lastState alone", wanted: "both or none")
    }
    // Some of a table's keys tell as well as its source that the rows are a table's.
    let isTable = ["source", "ignore", "array", "missing", "scaling"].contains { found[$0] != nil }
    let configuration: RunConfiguration
    do {
      let defaults = try JSONEncoder().encode(RunConfiguration(data: "", encoder: ""))
      var fields = try JSONSerialization.jsonObject(with: defaults) as? [String: Any] ?? [:]
      if isTable {
        fields.merge(
          ["source": "table", "ignore": [String](), "missing": "refuse", "scaling": "standard"]
        ) { $1 }
      }
      fields.merge(found) { $1 }
      configuration = try JSONDecoder().decode(
        RunConfiguration.self, from: try JSONSerialization.data(withJSONObject: fields))
    } catch let error as TesseraError {
      throw TesseraError.input("\(path): \(error.place)", found: error.found, wanted: error.wanted)
    } catch let error as DecodingError {
      throw TesseraError.input(
        path + (Self.key(of: error).map { ": \($0)" } ?? ""), found: "a value of another type",
        wanted: "one as in run.json")
    }
    guard found["version"] == nil else { return (configuration.options, configuration) }
    var names = Set(found.keys.compactMap { optionOfKey[$0] })
    if isTable, found["data"] != nil { names.insert("features") }
    return (configuration.options.filter { names.contains($0.name) }, configuration)
  }

  private static func key(of error: DecodingError) -> String? {
    switch error {
    case .typeMismatch(_, let context), .valueNotFound(_, let context), .dataCorrupted(let context):
      context.codingPath.first?.stringValue
    case .keyNotFound(let key, _): key.stringValue
    @unknown default: nil
    }
  }
}
