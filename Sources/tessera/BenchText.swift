// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Foundation
import TesseraAssets
import TesseraCompute
import TesseraData
import TesseraPipeline
import TesseraText

/// Times what comes before the kernels: reading a data set and making tokens of it, on one thread.
struct BenchText: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "text", abstract: "Times reading a data set and tokenizing it (one thread).")

  @OptionGroup var data: DataOptions

  @Option(
    help: """
      Folder of the encoder, or the name of a fetched one, for its vocabulary; nothing is tokenized without.
      """)
  var encoder: String?

  @Option(help: "Rows to tokenize, from the first (default: all).")
  var rows: Int?

  @Option(help: "Tokens a text at most.")
  var limit: Int = 512

  @Option(help: "Times that each is done; the median counts.")
  var repeats: Int = 3

  @Flag(help: "JSON instead of lines.")
  var json = false

  /// What was measured; seconds are medians.
  private struct Report: Encodable {
    var texts = 0, readSeconds = 0.0
    var tokens: Int?, tokenizedTexts: Int?, loadSeconds: Double?, tokenizeSeconds: Double?
    /// SHA-256 of all ids, 32 bits each, little endian.
    var ids: String?
    /// The program and the machine.
    var provenance: Provenance?
  }

  /// Runs the benchmark.
  func run() throws {
    guard repeats > 0, rows ?? 1 > 0 else { throw ValidationError("--repeats and --rows: wanted 1 or more") }
    var report = Report()
    let (set, seconds) = try timed { try DataSet.read(data.source(), format: data.format(), labelled: false) }
    try data.format().requireEffect(on: [set])
    (report.texts, report.readSeconds) = (set.texts.count, seconds)
    if let encoder {
      let (tokenizer, load) = try timed {
        let folder = try EncoderFolder(AssetStore.standard.path(of: encoder, option: "encoder"))
        return try SubwordTokenizer(folder: folder, configuration: try folder.configuration())
      }
      let texts = set.texts.prefix(rows ?? set.texts.count)
      let (ids, tokenize) = try timed { texts.map { tokenizer.encode($0, limit: limit) } }
      var digest = Fingerprint()
      for text in ids { text.withUnsafeBytes { digest.add($0) } }
      (report.loadSeconds, report.tokenizeSeconds, report.tokenizedTexts) = (load, tokenize, texts.count)
      report.tokens = ids.reduce(0) { $0 + $1.count }
      report.ids = digest.digits()
    }
    try show(report)
  }

  private func timed<Value>(_ work: () throws -> Value) throws -> (Value, Double) {
    let clock = ContinuousClock()
    var times: [Duration] = []
    var value: Value?
    for _ in 0..<repeats {
      value = nil
      times.append(try clock.measure { value = try work() })
    }
    guard let value else { throw ValidationError("--repeats: wanted 1 or more") }
    return (value, times.sorted()[times.count / 2] / .seconds(1))
  }

  private func show(_ report: Report) throws {
    if json {
      var report = report
      report.provenance = Provenance(try CPUBackend())
      return try printJSON(report)
    }
    print("read        \(report.texts) texts in \(Bench.fixed(report.readSeconds * 1e3)) ms")
    guard let tokens = report.tokens, let load = report.loadSeconds, let seconds = report.tokenizeSeconds,
      let texts = report.tokenizedTexts, let ids = report.ids
    else { return }
    print("vocabulary  \(Bench.fixed(load * 1e3)) ms")
    print("tokenize    \(texts) texts, \(tokens) tokens in \(Bench.fixed(seconds * 1e3)) ms")
    print("ids         \(ids)")
  }
}
