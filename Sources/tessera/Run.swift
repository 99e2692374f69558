// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Foundation
import TesseraCompute
import TesseraData
import TesseraPipeline
import TesseraVision

/// The whole pipeline in a run directory.
struct Run: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract:
      "Embeds reviews or takes a table, lays out, renders, trains and evaluates; unchanged stages are not run again.",
    discussion: """
      EXAMPLES:
        tessera fetch minilm-l6 snippets
        tessera run --data snippets --encoder minilm-l6 --out runs/a
        tessera run --data stars.csv --text-column body --label-column stars \\
          --labels '<=4=negative,>=7=positive,*=' --encoder minilm-l6 --out runs/b
        tessera run --data aclImdb/train --test aclImdb/test --encoder mpnet-base \\
          --pooling cls+mean --device opencl:0 --out runs/c
        tessera run --features patients.csv --label-column diagnosis \\
          --ignore id --out runs/d
        tessera run --config runs/a/run.json --pixels 32 --out runs/e
        tessera run --resume runs/c
      """)

  @Option(
    help: """
      A file of options: a run's run.json, or an object of JSON with some of its keys, such as {"pixels": 32}. Options of \
      the command line come before it.
      """)
  var config: String?
  @Option(
    help: """
      Go on with the run in this folder, by its own options: in place of --out. An option that would change its result is \
      refused.
      """)
  var resume: String?
  @OptionGroup(title: "Data") var data: RunDataOptions
  @OptionGroup(title: "Table of numbers") var table: TableArguments
  @Option(help: "Reviews, or a table, to test on (default: a share of --data or --features).")
  var test: String?
  @OptionGroup(title: "Encoder") var encoder: RunEncoderOptions
  @Option(
    help: """
      A run of the same data and encoder whose embeddings are taken where they hold the hidden states and \
      vectors that are wanted. Changes no bit.
      """)
  var embeddingsOf: String?
  @OptionGroup(title: "Layout and images") var layout: LayoutArguments
  @OptionGroup(title: "Network and training") var training: TrainingArguments
  @Option(help: "paper: what the official code does (batch standardisation, moving slice, fit all).")
  var recipe = Recipe.standard
  @Option(
    help:
      "Rows that scaler and layout are fitted on: training, or all but the test's \(RecipeDefaults.text { $0.fit.rawValue })."
  )
  var fit: FittedRows?
  @Option(help: "Trainings by successive seeds, for the mean accuracy and its interval.")
  var repeats = RunConfiguration(data: "", encoder: "").repeats
  @Option(help: "Folder for TensorBoard: loss, accuracy, seconds and rows a second of every epoch.")
  var tensorboard: String?
  @Option(
    help: """
      A run for each of so many parts of the rows, which is tested on: a cross-validation, with mean and interval. The \
      runs are in OUT/fold-N, their summary in OUT/folds.json.
      """)
  var folds: Int?
  @Option(
    help: """
      Which recorded states of the training are kept in RUN/states, for tessera verify to begin at: all, every \
      N-th, or none. Changes no bit.
      """)
  var keepStates = "none"
  @OptionGroup(title: "Device") var device: DeviceOptions
  @Flag(
    help:
      "If the OpenCL device fails at work, go on with the CPU. Finished stages and epochs are kept; changes no bit."
  )
  var fallback = false
  @OptionGroup(title: "Split") var split: SplitArguments
  @Option(
    help:
      "Run directory. A run of the same data and encoder goes on in it from the first stage that the options change; other files, or a run of other data, are refused."
  )
  var out: String
  @Flag(
    help: "Use the run directory although other files are in it, or put this run in the place of another's.")
  var overwrite = false
  @Flag(help: "JSON instead of text.")
  var json = false

  /// Writes the run's model card.
  private func writeCard(_ out: String, _ progress: ProgressLine) throws {
    let words = ["tessera"] + CommandLine.arguments.dropFirst()
    guard try !ModelCard(try RunReport(folder: out).summary, command: words).write() else { return }
    progress.warn("\(out)/\(ModelCard.name) is none of a run's, and stays as it is: no model card is written")
  }

  /// Writes the run's page and its figures, unless they are there and nothing has changed.
  private func writeReport(
    _ out: String, _ summary: Pipeline.Summary, _ devices: DeviceGroup, _ progress: ProgressLine
  ) throws {
    let path = URL(fileURLWithPath: out).appendingPathComponent(ReportPage.name).path
    guard summary.hasRun || !FileManager.default.fileExists(atPath: path) else { return }
    progress.begin("making the report")
    try ReportPage(folder: out, device: devices.main).write(in: out)
    progress.note("report: \(path)")
  }

  /// A cross-validation, once no option is without effect in it.
  private func crossValidation(_ folds: Int, of c: RunConfiguration) throws -> CrossValidation {
    if c.split.testShare != SplitOptions().testShare {
      throw TesseraError.input(
        "test-share", found: "\(c.split.testShare) with --folds",
        wanted: "--folds without it: each fold in turn is tested on")
    }
    if repeats > 1 {
      throw TesseraError.input("repeats", found: "\(repeats) with --folds", wanted: "one of them")
    }
    return try CrossValidation(folds, of: c, out: out, overwrite: overwrite)
  }

  /// Runs the stages and prints fingerprints and accuracy.
  @_optimize(none)
  func run() throws {
    guard (1...RunConfiguration.mostRepeats).contains(repeats) else {
      throw TesseraError.input("repeats", found: "\(repeats)", wanted: "1 to \(RunConfiguration.mostRepeats)")
    }
    var c = try source()
    c.test = test
    c.format = try data.rows.format()
    c.split = split.options()
    c.layout = try layout.options(recipe)
    c.model = try training.options(recipe, seed: layout.seed)
    c.model.network.products = training.networkProducts ?? c.embedding.products
    c.seesValidation = (fit ?? recipe.fit) == .all
    c.repeats = repeats
    let resources = training.resources.resources()
    let kept = try KeptStates(keepStates)
    var embedding = EmbeddingWork()
    (embedding.batch, embedding.run) = (encoder.taken.batch, embeddingsOf)
    let configuration = c
    let validation = try folds.map { try crossValidation($0, of: configuration) }
    try device.useAll(for: "run", fallback: fallback) { devices in
      let progress = device.progress
      progress.note("device: \(devices.name)")
      InterruptNotice.prepare(run: out)
      func run(_ c: RunConfiguration, _ out: String, _ embeddings: String?) throws -> Pipeline.Summary {
        var work = embedding
        // A table's features are fitted on the rows of each fold.
        if c.table == nil { work.run = embeddings ?? work.run }
        var pipeline = try Pipeline(
          c, devices: devices, out: out, embedding: work, limits: resources.limits,
          splitting: resources.splitting, keptStates: kept, overwrite: overwrite, progress: progress
        )
        pipeline.tensorBoard = try tensorboard.map { board in
          try TensorBoardEvents(folder: c.split.fold.map { "\(board)/fold-\($0)" } ?? board)
        }
        pipeline.command = ["tessera"] + CommandLine.arguments.dropFirst()
        let summary = try pipeline.run()
        try writeCard(out, progress)
        try writeReport(out, summary, devices, progress)
        return summary
      }
      // What could fail of this fails before the work.
      let computed = json ? try ComputedBy(devices, threads: device.threads) : nil
      if let validation {
        let found = try validation.run(progress: progress) { _ = try run($0, $1, $2) }
        guard let computed else { return print(found.text) }
        return try printJSON(CrossValidationResult(folds: found, computed: computed))
      }
      let summary = try run(configuration, out, nil)
      guard let computed else { return print(summary.text) }
      try printJSON(RunResult(run: try RunReport(folder: out).summary, computed: computed))
    }
  }
}
