// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Foundation
import TesseraBenchmark
import TesseraCompute

/// Compares two reports of `tessera bench --json`.
struct BenchCompare: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "compare",
    abstract:
      "Compares two reports of bench --json; ends with 1 if an item became slower than --limit allows.")

  @Argument(help: "The earlier report.")
  var before: String
  @Argument(help: "The later report.")
  var after: String
  @Option(help: "The largest ratio of the later median to the earlier one that is no regression.")
  var limit = 1.1

  /// Checks the limit.
  func validate() throws {
    guard limit >= 1, limit.isFinite else {
      throw TesseraError.input("limit", found: "\(limit)", wanted: "1 or more")
    }
  }

  /// Prints a line an item.
  @_optimize(none)
  func run() throws {
    let (old, new) = (try Benchmark.Report.read(before), try Benchmark.Report.read(after))
    if old.device != new.device { print("devices differ: \(old.device); \(new.device)") }
    let changes = Benchmark.changes(from: old, to: new)
    var ratios: [Double] = []
    var slower: [String] = []
    for change in changes {
      let name = "\(change.kernel) \(change.label)"
      guard let ratio = change.ratio else {
        let place = change.before == nil ? "not measured in \(before)" : "not measured in \(after)"
        print(Bench.pad(name, 52) + place)
        continue
      }
      ratios.append(ratio)
      if ratio > limit { slower.append(name) }
      print(
        Bench.pad(name, 52) + "\(Bench.fixed((change.before ?? 0) * 1e3)) -> "
          + "\(Bench.fixed((change.after ?? 0) * 1e3)) ms  x\(Bench.fixed(ratio))"
          + (ratio > limit ? "  SLOWER" : ratio * limit < 1 ? "  faster" : ""))
    }
    guard !ratios.isEmpty else {
      throw TesseraError.input(
        "compare", found: "no item in both reports", wanted: "reports of the same kernels")
    }
    let mean = exp(ratios.reduce(0) { $0 + log($1) } / Double(ratios.count))
    print("\(ratios.count) items, geometric mean x\(Bench.fixed(mean)), \(slower.count) slower")
    if let first = slower.first {
      throw TesseraError.failure(
        "compare", found: "\(slower.count) item(s) slower than x\(limit), \(first) among them",
        wanted: "none")
    }
  }
}
