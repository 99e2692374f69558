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
  @OptionGroup var device: DeviceOptions

  /// Writes the page and prints the text.
  func run() throws {
    let path = out ?? URL(fileURLWithPath: folder).appendingPathComponent("report.html").path
    let summary = try RunReport(folder: folder).text
    if !text { try AtomicFile.requireWritable(path) }
    print(summary)
    guard !text else { return }
    let page = try device.use(for: "report") { try ReportPage(folder: folder, device: $0).html() }
    try AtomicFile.write(Data(page.utf8), to: path)
    print("report         \(path)")
  }
}
