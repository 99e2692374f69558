// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import TesseraData
import TesseraPipeline

/// Which rows are for what, on the command line. The defaults are those of `SplitOptions`.
struct SplitArguments: ParsableArguments {
  @Option(help: "Share of the rows for validation.")
  var validationShare = SplitOptions().validationShare
  @Option(help: "Share of the rows for the test (of a run: where there is no --test).")
  var testShare = SplitOptions().testShare
  @Option(help: "Use so many of the training rows alone, to see what more data would bring (default: all).")
  var trainingRows: Int?

  @Option(
    name: .customLong("split"),
    help: "How rows are divided: by chance (random), or every class in the same shares (stratified).")
  var method = SplitMethod.random

  /// The options.
  func options() -> SplitOptions {
    var options = SplitOptions()
    options.validationShare = validationShare
    options.testShare = testShare
    options.trainingRows = trainingRows
    options.splitMethod = method == .random ? nil : method
    return options
  }
}
