// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Foundation
import TesseraCompute
import TesseraPipeline

/// What a run did, as one self-contained HTML page and as text.
struct Report: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Writes what a run did as one HTML page (RUN/report.html), and tells figures and fingerprints.")

  @Option(name: .customLong("run"), help: "Run directory.")
  var folder: String
  @Option(help: "File to write (default: report.html in the run directory).")
  var out: String?
  @Flag(help: "Text alone.")
  var text = false
  @Flag(help: "JSON instead of text; with --text no page is written.")
  var json = false
  @Option(help: "Write what was said of each test row to this file: .csv or .jsonl.")
  var predictions: String?
  @Option(help: "Write each figure of the page as SVG, and its numbers as CSV, into this folder.")
  var figures: String?
  @OptionGroup(title: "Device") var device: DeviceOptions

  /// Writes the page and prints the text.
  func run() throws {
    let path = out ?? URL(fileURLWithPath: folder).appendingPathComponent("report.html").path
    if text, let figures {
      throw TesseraError.input(
        "figures", found: "\(figures) with --text", wanted: "no --text: figures are the page's")
    }
    let form = try predictions.map { try PredictionTable.Form(of: $0) }
    let report = try RunReport(folder: folder)
    if let predictions, let form {
      try AtomicFile.requireWritable(predictions)
      try PredictionTable(folder: folder).write(to: predictions, as: form)
    }
    if !text { try AtomicFile.requireWritable(path) }
    if !json { print(report.text) }
    guard !text else {
      if json { try tell(report, nil, try ComputedBy(threads: device.threads)) }
      return
    }
    let (page, computed) = try device.use(for: "report") {
      let computed = json ? try ComputedBy(DeviceGroup($0), threads: device.threads) : nil
      let page = try ReportPage(folder: folder, device: $0)
      let html = try page.html()
      if let figures { try page.writeFigures(to: figures) }
      return (html, computed)
    }
    try AtomicFile.write(Data(page.utf8), to: path)
    if let computed { try tell(report, path, computed) } else { print("report         \(path)") }
  }

  private func tell(_ report: RunReport, _ page: String?, _ computed: ComputedBy) throws {
    try printJSON(RunResult(run: report.summary, page: page, computed: computed))
  }
}
