import ArgumentParser
import Foundation
import TesseraCompute
import TesseraPipeline

/// What a run did, as text.
struct Report: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Tells what a run did: figures, fingerprints, layout.")

  @Option(name: .customLong("run"), help: "Run directory.")
  var folder: String

  /// Prints the report.
  func run() throws { print(try RunReport(folder: folder).text) }
}
