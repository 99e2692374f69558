// SPDX-License-Identifier: Apache-2.0
import Foundation
import TesseraCompute
import TesseraData
import TesseraImages
import TesseraText
import TesseraVision

/// Everything that decides the result of a run, in the groups that the stages take. What is not set is as the
/// official code has it, and as older versions of Tessera had it, whose files do not name everything; a
/// ``Recipe`` sets more.
///
/// Device, threads and batch of the embedding are left out: they change no bit.
public struct RunConfiguration: Sendable, Equatable {
  /// The layout of a run's folder that this program writes, and the latest that it reads.
  public static let currentVersion = 2
  /// The layout of the run's folder: 2 of a run of a table, which older versions of Tessera cannot read, else 1.
  public var version: Int { table == nil ? 1 : 2 }
  /// The file or folder of reviews, or the file of a table.
  public var data: String
  /// Reviews or a table to test on; nil: a share of the others.
  public var test: String?
  /// The folder of the encoder; empty of a run of a table.
  public var encoder: String
  /// How a table's columns become features; nil of a run of texts.
  public var table: TableOptions?
  /// How the files of reviews are read.
  public var format = DataFormat()
  /// What is taken from the encoder.
  public var embedding = EmbeddingOptions()
  /// Which rows are for what.
  public var split = SplitOptions()
  /// How features are laid out.
  public var layout = LayoutOptions()
  /// Whether scaler and layout see the validation rows.
  public var seesValidation = false
  /// The network and how it is trained.
  public var model = TrainedModel.Options()
  /// How often the network is trained, by seeds that follow each other, for the mean accuracy and its
  /// interval.
  public var repeats = 1
  /// The most repeats that make sense, and that are looked for.
  public static let mostRepeats = 1000

  /// The seed of everything random: of the split, the layout and the training, which keeps it.
  public var seed: UInt64 {
    get { model.training.seed }
    set { model.training.seed = newValue }
  }

  /// A configuration without a recipe.
  public init(data: String, encoder: String) {
    self.data = data
    self.encoder = encoder
  }

  /// A configuration of a run of a table, without a recipe.
  public init(table data: String, _ options: TableOptions = TableOptions()) {
    self.init(data: data, encoder: "")
    table = options
  }

  /// The plan of the layout.
  ///
  /// - Throws: `TesseraError` for options out of range, that do not go together, or that would be without
  ///   effect.
  public func layoutPlan() throws -> LayoutPlan {
    var plan = try layout.plan(seed: seed, seesValidation: seesValidation)
    plan.lowersPerplexity = table != nil && layout.perplexity == LayoutOptions().perplexity
    return plan
  }

  /// What decides the layout of so many features, by the names of its stage's record.
  func layoutParameters(features: Int = 0) -> [String: String] {
    var parameters = layout.parameters(features: features)
    parameters["seed"] = "\(seed)"
    parameters["shares"] = "\(split.validationShare) \(test == nil ? split.testShare : 0)"
    parameters["sees validation"] = "\(seesValidation)"
    if let rows = split.trainingRows { parameters["training rows"] = "\(rows)" }
    // Older records have no such keys, and stand for the usual split.
    if let method = split.splitMethod, method != .random { parameters["split"] = method.rawValue }
    if let fold = split.fold, let folds = split.folds { parameters["fold"] = "\(fold) of \(folds)" }
    if table != nil, features > 0, let plan = try? layoutPlan() {
      parameters["perplexity"] = "\(plan.perplexity(points: features))"
    }
    return parameters
  }

  /// What decides the evaluation besides model and features, by the names of its stage's record: nothing where all
  /// classes count alike, as in older records.
  var evaluationParameters: [String: String] {
    model.training.classWeights.map { ["class weights": $0.text] } ?? [:]
  }

  /// The weight of each class; nil where all count alike.
  func classWeights(_ embeddings: Embeddings, training: [Int]) throws -> [Float]? {
    try model.training.classWeights?.weights(
      of: embeddings.classes, labels: training.map { embeddings.labels[$0] })
  }

  /// Writes the configuration as JSON.
  public func write(to path: String) throws { try AtomicFile.write(try encoded(), to: path) }

  /// The configuration as JSON with sorted keys.
  func encoded() throws -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return try encoder.encode(self) + Data("\n".utf8)
  }

  /// Reads a run's configuration. What an older version of Tessera did not know has its default.
  ///
  /// - Throws: `TesseraError` for what is no configuration, or one of a later Tessera.
  public static func read(_ path: String) throws -> RunConfiguration {
    let data = try InputFile.read(
      path, wanted: "a run's configuration (made by tessera run)", atMost: InputFile.Limit.configuration)
    try checkVersion(path)
    do {
      let defaults = try JSONEncoder().encode(RunConfiguration(data: "", encoder: ""))
      var fields = try JSONSerialization.jsonObject(with: defaults) as? [String: Any] ?? [:]
      let found = try JSONSerialization.jsonObject(with: data) as? [String: Any] ?? [:]
      // What every version has written has no default.
      for name in ["data", "encoder"] { fields[name] = nil }
      fields.merge(found) { $1 }
      return try JSONDecoder().decode(
        RunConfiguration.self, from: try JSONSerialization.data(withJSONObject: fields))
    } catch let error as TesseraError {
      throw TesseraError.input("\(path): \(error.place)", found: error.found, wanted: error.wanted)
    } catch {
      throw TesseraError.input(
        path, found: "a configuration that cannot be read", wanted: "what tessera run writes")
    }
  }

  /// Throws if a folder holds a run of a later Tessera, which this one would misread or spoil; what cannot be
  /// read at all is left to the caller.
  static func checkVersion(_ path: String) throws {
    let data = InputFile.readIfThere(path) ?? Data()
    let fields = try? JSONSerialization.jsonObject(with: data) as? [String: Any]
    guard let found = fields?["version"] else { return }
    let version = (found as? NSNumber).flatMap { Int(exactly: $0.doubleValue) }
    guard let version, (1...currentVersion).contains(version) else {
      throw TesseraError.input(
        path, found: "a run of version \(version.map { "\($0)" } ?? "unknown")",
        wanted: "1 to \(currentVersion), this program's")
    }
  }
}
