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
      ("add", "65"), ("adam", "65"),
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
    ("affinities", "4x4"),
  ])
  func anImpossibleShapeIsRefused(_ kernel: String, _ shape: String) throws {
    let found = try bench(kernel, shape)
    #expect(found.code == 2 && found.errors.hasPrefix("tessera: \(kernel): shape: found "), "\(found.errors)")
    #expect(found.errors.split(separator: "\n").count == 1)
  }

  @Test(.tags(.slow, .opencl)) func coldInputsAndTheBoundAreTold() throws {
    let found = try Command.run(
      ["bench", "copy", "matmul", "--cold", "--device", "opencl", "--json"])
    #expect(found.code == 0, "\(found.errors)")
    let report = try #require(
      try JSONSerialization.jsonObject(with: Data(found.output.utf8)) as? [String: Any])
    let results = try #require(report["results"] as? [[String: Any]])
    for result in results {
      #expect(result["bitsMatch"] as? Bool == true)
      #expect(result["bound"] as? String == (result["kernel"] as? String == "copy" ? "memory" : "compute"))
    }
    #expect(results.count > 1)
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
