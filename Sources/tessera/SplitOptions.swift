// SPDX-License-Identifier: Apache-2.0
import ArgumentParser

/// Which rows are for what.
struct SplitOptions: ParsableArguments {
  @Option(help: "Share of the rows for validation.")
  var validationShare = 0.2
  @Option(help: "Share of the rows for the test (of a run: where there is no --test).")
  var testShare = 0.2
  @Option(help: "Use so many of the training rows alone, to see what more data would bring (default: all).")
  var trainingRows: Int?
}
