// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import Testing

/// `tessera bench` on shapes told as text.
@Suite struct BenchTests {
  private struct Report: Decodable {
    struct Result: Decodable {
      let kernel: String, label: String, p50: Double?, p95: Double?, gflops: Double?
    }
    let device: String, results: [Result]
  }

  private func bench(_ kernel: String, _ shapes: String...) throws -> Command.Result {
    try Command.run(["bench", kernel, "--device", "cpu", "--json"] + shapes.flatMap { ["--shape", $0] })
  }

  @Test(
    .tags(.slow),
    arguments: [
      ("matmul", "7x5x3"), ("matmul", "7x5x3t"), ("conv2d", "b2 4->6 3x2 s2 p1 g2 on 9x8"),
      ("conv2dGradData", "3->2 1x1 on 5x5"), ("conv2dGradWeight", "2x2 on 7x7 3->2 d2 b3"),
      ("softmax", "3x65"),
      ("layerNorm", "3x65"), ("gelu", "3x65"), ("copy", "3x65"), ("squaredDistances", "33x7"),
      ("affinities", "97"),
      ("tsneForces", "97"), ("nearestNeighbours", "97x5"), ("nearestNeighbours", "1x1"),
      ("neighbourAffinities", "97"), ("neighbourForces", "97"), ("batchNorm", "3x5x7"),
      ("batchNormStatistics", "3x5x7"),
      ("batchNormGradData", "3x5x7"),
      ("maxPool", "3x5x7"), ("maxPoolGrad", "3x5x7"), ("averagePool", "3x5x7"), ("relu", "65"),
      ("reluGrad", "65"),
      ("add", "65"), ("adam", "65"), ("launch", "1"), ("launch", "7"), ("upload", "65"), ("download", "65"),
    ])
  func aShapeIsMeasured(_ kernel: String, _ shape: String) throws {
    let found = try bench(kernel, shape)
    #expect(found.code == 0, "\(found.errors)")
    let results = try JSONDecoder().decode(Report.self, from: Data(found.output.utf8)).results
    #expect(results.count == 1 && results[0].kernel == kernel)
    let (middle, late) = (try #require(results[0].p50), try #require(results[0].p95))
    #expect(middle > 0 && late >= middle)
  }

  @Test(arguments: [
    ("matmul", "7x5"), ("matmul", "7x5xt"), ("matmul", "0x5x3"), ("matmul", "1048576x1048576x1048576"),
    ("matmul", "9999999999999999999x1x1"), ("conv2d", "3x3 on 9x9"), ("conv2d", "4->6 3x3 g4 on 9x9"),
    ("conv2d", "4->6 3x3"), ("conv2d", "4->6 3x3 on"), ("conv2d", "4->6 11x11 on 9x9"),
    ("conv2d", "4->6 3x3 p3 on 9x9"), ("conv2d", "4->6 3x3 s0 on 9x9"), ("conv2d", "4->6 3x3 q1 on 9x9"),
    ("conv2d", "b65536 1024->1024 1x1 on 9x9"), ("softmax", "3"), ("softmax", "1048576x1048576"),
    ("batchNorm", "3x5"), ("maxPool", "2048x2048x2048"), ("adam", "0"), ("relu", "3x4"),
    ("affinities", "1048576"), ("neighbourForces", "0"), ("nearestNeighbours", "5"), ("copy", "3x-4"),
    ("affinities", "4x4"), ("launch", "0"), ("launch", "65537"), ("launch", "1x1"), ("upload", "0"),
    ("download", "3x4"), ("upload", "9999999999"),
  ])
  func anImpossibleShapeIsRefused(_ kernel: String, _ shape: String) throws {
    let found = try bench(kernel, shape)
    #expect(found.code == 2 && found.errors.hasPrefix("tessera: \(kernel): shape: found "), "\(found.errors)")
    #expect(found.errors.split(separator: "\n").count == 1)
  }

  @Test(.tags(.slow, .opencl)) func coldInputsAndTheBoundAreTold() throws {
    for (kernel, shape, bound) in [("copy", "1024x1024", "memory"), ("matmul", "512x512x512", "compute")] {
      let found = try Command.run(
        ["bench", kernel, "--shape", shape, "--cold", "--device", "opencl", "--json"])
      #expect(found.code == 0, "\(found.errors)")
      let report = try #require(
        try JSONSerialization.jsonObject(with: Data(found.output.utf8)) as? [String: Any])
      let results = try #require(report["results"] as? [[String: Any]])
      #expect(results.map { $0["bitsMatch"] as? Bool } == [true])
      #expect(results.map { $0["bound"] as? String } == [bound])
    }
  }

  /// Launches and transfers on a device: the CPU's bits, rates of what moves bytes alone, and no share of a peak that
  /// bounds neither.
  @Test(.tags(.slow, .opencl)) func launchesAndTransfersAreTimed() throws {
    let found = try Command.run(["bench", "launch", "upload", "download", "--device", "opencl", "--json"])
    #expect(found.code == 0, "\(found.errors)")
    let report = try #require(
      try JSONSerialization.jsonObject(with: Data(found.output.utf8)) as? [String: Any])
    let results = try #require(report["results"] as? [[String: Any]])
    #expect(
      results.map { $0["kernel"] as? String } == ["launch", "launch"]
        + ["upload", "download"].flatMap { [$0, $0, $0] })
    for result in results {
      let (name, label) = (result["kernel"] as? String, result["label"] as? String)
      #expect(result["bitsMatch"] as? Bool == true && result["failure"] == nil, "\(result)")
      for key in ["gflops", "percentOfPeak", "bound", "intensity"] { #expect(result[key] == nil, "\(key)") }
      let middle = try #require(result["p50"] as? Double), least = try #require(result["least"] as? Double)
      let mean = try #require(result["mean"] as? Double), count = try #require(result["samples"] as? Int)
      #expect(least > 0 && least <= middle && least <= mean && count >= 5)
      #expect(result["deviation"] as? Double ?? -1 >= 0)
      guard name != "launch" else {
        #expect(result["gigabytes"] == nil)
        continue
      }
      let rate = try #require(result["gigabytes"] as? Double), floats = try #require(Double(label ?? ""))
      #expect(abs(rate * middle * 1e9 / (4 * floats) - 1) < 1e-9)
    }
    #expect((report["tiles"] as? [String: Any])?["many"] is [String: Any])
  }

  /// Python's reader takes the CSV; every line has device and program; the Markdown has a cell for every name.
  @Test func tablesOfOtherForms() throws {
    let words = [
      "bench", "softmax", "--shape", "3x65", "--shape", "65536x3", "--device", "cpu", "--threads", "1",
    ]
    let script = """
      import csv, sys
      rows = list(csv.DictReader(sys.stdin))
      for row in rows:
          assert None not in row and None not in row.values(), row
          assert 0 < float(row["least"]) <= float(row["p50"]) <= float(row["p95"]), row
          assert int(row["samples"]) >= 5 and float(row["gflops"]) > 0 and row["bitsMatch"] == "", row
          assert row["device"].startswith("cpu") and row["version"] and row["date"].endswith("Z"), row
          assert row["threads"] == "1" and float(row["peaks.gflops"]) > 0, row
      print(*(row["label"] for row in rows))
      """
    try withTemporaryFolder { folder in
      let table = try Command.run(words + ["--csv"])
      #expect(table.code == 0, "\(table.errors)")
      try Data(table.output.utf8).write(to: URL(fileURLWithPath: folder + "/table.csv"))
      try Data(script.utf8).write(to: URL(fileURLWithPath: folder + "/read.py"))
      let read = try Command.shell("python3 '\(folder)/read.py' <'\(folder)/table.csv'")
      #expect(read.output == "3x65 65536x3\n", "\(read.errors)")
    }
    let page = try Command.run(words + ["--markdown"])
    let lines = page.output.split(separator: "\n")
    #expect(page.code == 0 && lines.count == 5, "\(page)")
    #expect(
      lines.prefix(4).allSatisfy {
        $0.hasPrefix("| ") && $0.split(separator: "|", omittingEmptySubsequences: false).count == 12
      })
    #expect(lines[2].hasPrefix("| softmax | 3x65 | ") && lines[4].contains(" GFLOP/s and "))
    let both = try Command.run(words + ["--csv", "--json"])
    #expect(both.code == 2 && both.output.isEmpty && both.errors.contains("--csv"), "\(both)")
  }

  /// Exact products have their error beside their time, in every form; others have none.
  @Test func exactProductsHaveTheirError() throws {
    func report(_ kernel: String, _ shapes: [String], _ form: String) throws -> String {
      let found = try Command.run(
        ["bench", kernel, "--device", "cpu", "--threads", "1", form] + shapes.flatMap { ["--shape", $0] })
      #expect(found.code == 0, "\(found.errors)")
      return found.output
    }
    func errors(_ kernel: String, _ shapes: [String]) throws -> [Double?] {
      let text = try report(kernel, shapes, "--json")
      let json = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
      return try #require(json["results"] as? [[String: Any]]).map { $0["relativeError"] as? Double }
    }
    let products = try errors("matmul", ["40x30x500t", "40x30x500t s3", "40x30x500 s2"])
    #expect(products[0] == nil)
    #expect(
      (1e-8...2e-6).contains(products[1] ?? 0) && (1e-6...3e-4).contains(products[2] ?? 0), "\(products)")
    for kernel in ["conv2d", "conv2dGradData", "conv2dGradWeight"] {
      let base = "b3 9->10 3x2 s2 p1 d2 on 13x11"
      let found = try errors(kernel, [base, base + " products=s3", base + " g1 products=s2"])
      #expect(found[0] == nil)
      #expect(
        (1e-9...2e-6).contains(found[1] ?? 0) && (1e-6...3e-4).contains(found[2] ?? 0), "\(kernel) \(found)")
    }
    let table = try report("matmul", ["8x8x99 s3"], "--markdown")
    let cells = table.split(separator: "\n")[2].split(separator: "|").map {
      $0.trimmingCharacters(in: .whitespaces)
    }
    #expect(cells[8].hasSuffix("e-07") || cells[8].hasSuffix("e-08"), "\(table)")
    let lines = try report("matmul", ["8x8x99 s3"], "--csv").split(separator: "\n").map {
      $0.split(separator: ",", omittingEmptySubsequences: false)
    }
    let column = try #require(lines[0].firstIndex(of: "relativeError"))
    #expect(Double(lines[1][column]) ?? 0 > 0)
  }

  @Test func shapesGoWithOneKernel() throws {
    let found = try Command.run(["bench", "softmax", "gelu", "--shape", "3x3", "--device", "cpu"])
    #expect(found.code == 2 && found.errors.contains("a shape for 2 kernels"))
    let unknown = try bench("nothing", "3x3")
    #expect(unknown.code == 2 && unknown.errors.contains("found nothing"))
  }

  @Test func reportsAreCompared() throws {
    try withTemporaryFolder { folder in
      func write(_ name: String, _ times: [(String, Double?)]) throws -> String {
        let results = times.map {
          ["kernel": $0.0, "label": "1x1"].merging($0.1.map { ["p50": "\($0)"] } ?? [:]) { a, _ in a }
        }
        let items = results.map { item in
          "{"
            + item.sorted { $0.key < $1.key }.map {
              $0.key == "p50" ? "\"p50\": \($0.value)" : "\"\($0.key)\": \"\($0.value)\""
            }
            .joined(separator: ", ") + "}"
        }
        let text =
          "{\"device\": \"d\", \"peaks\": {\"gflops\": 1, \"gigabytes\": 1}, \"results\": [\(items.joined(separator: ", "))]}"
        let path = folder + "/" + name
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        return path
      }
      let old = try write("old", [("matmul", 0.002), ("softmax", 0.001), ("gelu", 0.004), ("copy", nil)])
      let same = try Command.run(["bench", "compare", old, old])
      #expect(
        same.code == 0 && same.output.contains("3 items, geometric mean x1.0, 0 slower"), "\(same.output)")
      let new = try write("new", [("matmul", 0.003), ("softmax", 0.0005), ("copy", 0.001), ("layerNorm", 1)])
      let worse = try Command.run(["bench", "compare", old, new])
      #expect(worse.code == 1 && worse.errors.contains("1 item(s) slower than x1.1, matmul 1x1 among them"))
      for line in [
        "x1.5  SLOWER", "x0.5  faster", "not measured in \(new)", "not measured in \(old)", "2 items",
      ] {
        #expect(worse.output.contains(line), "\(line)")
      }
      #expect(try Command.run(["bench", "compare", old, new, "--limit", "1.6"]).code == 0)
      try Data("{}".utf8).write(to: URL(fileURLWithPath: folder + "/none"))
      for arguments in [
        [old, folder + "/none"], [folder + "/nowhere", old], [old], [old, new, "--limit", "0.5"],
      ] {
        let refused = try Command.run(["bench", "compare"] + arguments)
        #expect(refused.code == 2 && refused.errors.split(separator: "\n").count == 1)
      }
      let own = try bench("copy", "3x65")
      try Data(own.output.utf8).write(to: URL(fileURLWithPath: folder + "/own"))
      #expect(try Command.run(["bench", "compare", folder + "/own", folder + "/own"]).code == 0)
    }
  }
}
