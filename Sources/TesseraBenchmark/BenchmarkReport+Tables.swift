// SPDX-License-Identifier: Apache-2.0
import Foundation
import TesseraCompute

/// A report as a table, for other programs and for people.
extension Benchmark.Report {
  /// CSV (RFC 4180, with line feeds alone): a line of names, then a line an item. Each line is whole: it has the device
  /// and the program too, so that tables of several machines can be put together. Names are those of the report as JSON.
  package var csv: String {
    let header = [
      "kernel", "label", "samples", "least", "mean", "deviation", "p50", "p95", "gflops", "gigabytes",
      "percentOfPeak", "intensity", "bound", "relativeError", "bitsMatch", "failure",
    ]
    let shared = machine
    let lines = results.map { result in
      let numbers = [
        result.least, result.mean, result.deviation, result.p50, result.p95, result.gflops, result.gigabytes,
        result.percentOfPeak, result.intensity,
      ]
      return [result.kernel, result.label, Self.text(result.samples)] + numbers.map { Self.text($0) }
        + [
          result.bound ?? "", Self.text(result.relativeError), Self.text(result.bitsMatch),
          result.failure ?? "",
        ] + shared.map(\.value)
    }
    return ([header + shared.map(\.name)] + lines).map { CSVRecord.line($0) + "\n" }.joined()
  }

  /// What all lines share.
  private var machine: [(name: String, value: String)] {
    [
      ("device", device), ("driver", driver ?? ""), ("buildOptions", buildOptions ?? ""),
      ("kernels", (kernels ?? []).joined(separator: " ")),
      ("tiles.many", tiles.map { Self.described($0.many) } ?? ""),
      ("tiles.few", tiles.map { Self.described($0.few) } ?? ""), ("peaks.gflops", "\(peaks.gflops)"),
      ("peaks.gigabytes", "\(peaks.gigabytes)"), ("version", provenance?.version ?? ""),
      ("numerics", Self.text(provenance?.numerics)), ("build", provenance?.build ?? ""),
      ("commit", provenance?.commit ?? ""), ("compiler", provenance?.compiler ?? ""),
      ("platform", provenance?.platform ?? ""), ("processor", provenance?.processor ?? ""),
      ("instructionSet", provenance?.instructionSet ?? ""), ("threads", Self.text(provenance?.threads)),
      ("date", provenance?.date ?? ""),
    ]
  }

  private static func text(_ value: (some CustomStringConvertible)?) -> String { value.map { "\($0)" } ?? "" }

  /// Tiles by the names of their properties.
  private static func described(_ tiles: GemmTiles) -> String {
    "rows=\(tiles.rows) columns=\(tiles.columns) rowsOfItem=\(tiles.rowsOfItem) rowBlocks=\(tiles.rowBlocks) "
      + "columnBlocks=\(tiles.columnBlocks) itemRows=\(tiles.itemRows) depth=\(tiles.depth)"
  }

  /// A Markdown table, and below it the device and the program.
  package var markdown: String {
    let names = ["kernel", "shape", "p50", "p95", "GFLOP/s", "GB/s", "% of peak", "bound", "error", "bits"]
    let lines = results.map { result in
      guard let p50 = result.p50, let p95 = result.p95 else {
        return [result.kernel, result.label, "cannot run: \(result.failure ?? "unknown")"]
          + [String](repeating: "", count: names.count - 3)
      }
      func rounded(_ value: Double?) -> String { value.map(Benchmark.rounded) ?? "" }
      return [
        result.kernel, result.label, Benchmark.text(seconds: p50), Benchmark.text(seconds: p95),
        rounded(result.gflops), rounded(result.gigabytes), rounded(result.percentOfPeak), result.bound ?? "",
        result.relativeError.map(Benchmark.text(error:)) ?? "",
        result.bitsMatch.map { $0 ? "equal" : "DIFFER" } ?? "",
      ]
    }
    let rule =
      [String](repeating: "---", count: 2) + [String](repeating: "---:", count: 5) + ["---", "---:", "---"]
    let table = ([names, rule] + lines).map { "| \($0.map(Self.cell).joined(separator: " | ")) |\n" }.joined()
    return table + "\n" + Self.cell(foot) + "\n"
  }

  private var foot: String {
    var parts = [
      "\(device): \(Benchmark.rounded(peaks.gflops)) GFLOP/s and \(Benchmark.rounded(peaks.gigabytes)) GB/s measured"
    ]
    if let driver { parts.append(driver) }
    if let own = provenance {
      let commit = own.commit.map { ", commit \($0.prefix(12))" } ?? ""
      parts.append("Tessera \(own.version)\(commit), \(own.processor ?? own.platform), \(own.date)")
    }
    return parts.joined(separator: "; ")
  }

  /// A text that ends no cell and no line.
  private static func cell(_ text: String) -> String {
    text.replacing("|", with: "\\|").split(whereSeparator: \.isNewline).joined(separator: " ")
  }
}

extension Benchmark {
  /// A time in milliseconds, or in microseconds where it is short.
  package static func text(seconds: Double) -> String {
    seconds < 1e-4 ? "\(rounded(seconds * 1e6)) us" : "\(rounded(seconds * 1e3)) ms"
  }

  /// An error to two digits, such as 8.0e-07.
  package static func text(error: Double) -> String { String(format: "%.1e", error) }

  /// Two digits behind the point.
  package static func rounded(_ value: Double) -> String { String((value * 100).rounded() / 100) }
}
