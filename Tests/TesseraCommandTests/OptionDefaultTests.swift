// SPDX-License-Identifier: Apache-2.0
import Foundation
import TesseraText
import TestSupport
import TesseraCompute
import TesseraData
import TesseraImages
import TesseraPipeline
import TesseraVision
import Testing

/// The command line's defaults are the libraries', its named values are the libraries' cases, and a name that
/// is none is refused with all of them.
@Suite struct OptionDefaultTests {
  private struct Tool: Decodable {
    struct Argument: Decodable {
      struct Name: Decodable { let kind: String, name: String }
      let kind: String, names: [Name]?, defaultValue: String?, allValues: [String]?, abstract: String?
      var name: String { names?.first { $0.kind == "long" }?.name ?? "" }
    }
    struct Command: Decodable { let arguments: [Argument]? }
    let command: Command
  }

  private func options(of command: String) throws -> [String: Tool.Argument] {
    let result = try Command.run([command, "--experimental-dump-help"])
    let tool = try JSONDecoder().decode(Tool.self, from: Data(result.output.utf8))
    let options = (tool.command.arguments ?? []).filter { $0.kind == "option" }
    return Dictionary(options.map { ($0.name, $0) }) { first, _ in first }
  }

  /// What stands in the library for each option that decides a run's result; nil: nothing is chosen.
  private static var defaults: [String: Any?] {
    let (run, recipe) = (RunConfiguration(data: "", encoder: ""), Recipe.standard)
    let (layout, model, table) = (recipe.layout, recipe.model(), TableOptions())
    return [
      "ignore": nil, "array": table.columns.array, "missing": table.missing.rawValue,
      "scaling": table.scaling.rawValue,
      "text-column": run.format.text, "label-column": run.format.label, "separator": "auto",
      "quotes": run.format.quotes.rawValue, "encoding": run.format.encoding.rawValue,
      "labels": nil, "test": run.test, "layers": nil,
      "products": run.embedding.products.rawValue, "network-products": Optional<String>.none,
      "layout": layout.layout.rawValue, "metric": layout.metric.rawValue, "init": layout.tsneStart.rawValue,
      "tsne-learning-rate": layout.tsneLearningRate.text, "tsne-exact-limit": layout.tsneExactLimit,
      "channels": layout.channels.rawValue, "representations": layout.representations?.text,
      "perplexity": layout.perplexity, "iterations": layout.iterations, "seed": run.seed,
      "weights": model.weights,
      "slice-lr": model.training.sliceRate, "schedule": model.training.schedule.rawValue,
      "label-smoothing": model.training.labelSmoothing, "patience": model.training.patience,
      "batch": model.training.batch,
      "conv-lr": model.training.convolutionRate, "classifier-lr": model.training.classifierRate,
      "weight-decay": model.training.weightDecay, "noise": model.training.noise, "repeats": run.repeats,
      "folds": run.split.folds,
      "validation-share": run.split.validationShare, "test-share": run.split.testShare,
      "training-rows": run.split.trainingRows, "split": SplitMethod.random.rawValue, "class-weights": "none",
      "recipe": recipe.rawValue,
      "embedding-batch": EmbeddingOptions.usualBatch, "split-batches": DataParallelMode.measured.rawValue,
    ]
  }

  /// Options whose default the recipe decides: nothing is chosen, and the help says the values.
  private static let ofRecipe = [
    "pixels", "discretization", "normalization", "slice", "head", "bypass", "fit", "pooling",
    "model", "epochs", "upsampling", "start",
  ]

  /// Options that name files or machines, and change no bit.
  private static let others: Set = [
    "data", "features", "encoder", "out", "feature-memory", "feature-host-memory", "feature-disk", "device",
    "threads",
    "kernels", "tiles", "trace", "keep-states", "embeddings-of", "tensorboard", "config", "resume",
  ]

  @Test func everyOptionOfARunHasTheLibrarysDefault() throws {
    let found = try options(of: "run")
    for (name, wanted) in Self.defaults {
      let option = try #require(found[name], "\(name)")
      #expect(option.defaultValue == wanted.map { "\($0)" }, "\(name)")
    }
    for name in Self.ofRecipe {
      let option = try #require(found[name], "\(name)")
      #expect(
        option.defaultValue == nil && option.abstract?.contains("(default: ") == true
          && option.abstract?.contains("recipe's)") == false, "\(name)")
    }
    // An option that is in no list is new: its default belongs here.
    let known = Set(Self.defaults.keys).union(Self.ofRecipe).union(Self.others)
    #expect(Set(found.keys) == known, "\(known.symmetricDifference(found.keys))")
  }

  @Test(arguments: ["layout", "train", "embed"]) func stagesHaveTheRunsDefaults(_ command: String) throws {
    let (run, stage) = (try options(of: "run"), try options(of: command))
    let shared = Set(run.keys).intersection(stage.keys).subtracting(Self.others)
    #expect(shared.count >= 6)
    for name in shared {
      #expect(run[name]?.defaultValue == stage[name]?.defaultValue, "\(name)")
      #expect(run[name]?.allValues == stage[name]?.allValues, "\(name)")
    }
  }

  @Test func namesAreListedAndOthersRefused() throws {
    func names<T: NamedOption>(_ type: T.Type) -> [String] { T.allCases.map(\.rawValue) }
    let found = try options(of: "run")
    for (option, values) in [
      ("model", names(Architecture.self)), ("slice", names(BackboneMode.self)), ("head", names(Head.self)),
      ("schedule", names(Schedule.self)), ("normalization", names(ImageNormalization.self)),
      ("split-batches", names(DataParallelMode.self)), ("layout", names(LayoutMethod.self)),
      ("metric", names(FeatureMetric.self)), ("init", names(TSNE.Start.self)),
      ("discretization", names(Discretization.self)), ("channels", names(ImageChannels.self)),
      ("quotes", names(Quotes.self)), ("encoding", TextEncoding.allCases.map(\.rawValue)),
      ("recipe", names(Recipe.self)), ("fit", names(FittedRows.self)), ("bypass", ["none", "linear"]),
      ("start", names(NetworkStart.self)), ("split", names(SplitMethod.self)),
      ("pooling", names(SentencePooling.self)), ("products", names(Products.self)),
      ("network-products", names(Products.self)),
      ("missing", names(MissingValues.self)),
      ("scaling", names(ColumnScaling.self)),
    ] {
      #expect(found[option]?.allValues == values, "\(option)")
      for wrong in ["no such 'name'", ""] {
        let result = try Command.run([
          "run", "--data", "d", "--encoder", "e", "--out", "/nowhere/r", "--\(option)", wrong,
        ])
        let list = values.dropLast().joined(separator: ", ") + " or \(values.last ?? "")"
        #expect(result.code == 2)
        #expect(result.errors == "tessera: \(option): found \(wrong), wanted \(list)\n")
      }
    }
  }

  @Test func anotherRefusalOfTheParserStaysAsItIs() throws {
    let result = try Command.run([
      "run", "--data", "d", "--encoder", "e", "--out", "/nowhere/r", "--epochs", "x",
    ])
    #expect(result.code == 2)
    #expect(
      result.errors == "tessera: The value 'x' is invalid for '--epochs <epochs>'\n", "\(result.errors)")
  }
}
