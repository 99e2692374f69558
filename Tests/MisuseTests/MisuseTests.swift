// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import Testing

/// Every public function of every product with arguments that are wrong: each call ends in a `TesseraError`
/// of one line, or in what its row says.
///
/// The calls are those of `Tests/Misuse`, whose `Rows` says how to add one: a new public function needs at
/// least a row. They are made in processes of their own, so that a trap is a named failure and the calls
/// behind it are made all the same.
@Suite struct MisuseTests {
  private static let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent()
  private static let products = [
    "TesseraCompute", "TesseraVerification", "TesseraBenchmark", "TesseraNN", "TesseraText", "TesseraImages",
    "TesseraVision", "TesseraData", "TesseraPipeline",
  ]

  /// Backends have the functions of the protocols, whose rows are run on each of them.
  private static let backends: Set = ["CPUBackend", "OpenCLBackend", "ProfiledBackend"]

  private static func functions() throws -> [PublicFunction] {
    let all = try PublicFunctions.of(
      products.map { tests.deletingLastPathComponent().appendingPathComponent("Sources/\($0)") })
    func member(_ name: String) -> (type: String, name: String) {
      let parts = name.split(separator: ".", maxSplits: 1)
      return parts.count == 2 ? (String(parts[0]), String(parts[1])) : ("", name)
    }
    let ofBackends = Set(
      all.map { member($0.name) }.filter { $0.type.hasSuffix("Backend") && !backends.contains($0.type) }.map(
        \.name))
    return all.filter { function in
      let (type, name) = member(function.name)
      return !(backends.contains(type) && ofBackends.contains(name))
    }
  }

  @Test func everyPublicFunctionHasARow() throws {
    let functions = try Self.functions()
    #expect(functions.count > 300)
    let listed = try Command.run("misuse", ["--list"])
    #expect(listed.code == 0, "\(listed.errors)")
    let rows = Set(listed.output.split(separator: "\n").map(String.init))
    for function in functions where !rows.contains(function.name) {
      Issue.record("\(function.name) (\(function.place)) has no row in Tests/Misuse")
    }
    for name in rows.subtracting(functions.map(\.name)).sorted() {
      Issue.record("Tests/Misuse has rows of \(name), which is no public function")
    }
  }

  private static let devices = ["cpu", "profiled"] + (TestDevices.hasOpenCL ? ["opencl"] : [])

  @Test(.tags(.slow, .opencl), arguments: devices) func noCallTrapsOrGivesAWrongNumber(_ device: String)
    throws
  {
    try withTemporaryFolder { folder in
      try Data("no JSON, no CSV\n".utf8).write(to: URL(fileURLWithPath: folder + "/text"))
      try Data().write(to: URL(fileURLWithPath: folder + "/empty"))
      try Data(TinyEncoder.reviews(24).utf8).write(to: URL(fileURLWithPath: folder + "/reviews.csv"))
      var (next, calls, total) = (0, 0, -1)
      while total < 0 {
        let run = try Command.run("misuse", [device, folder, "\(next)"])
        var last = ""
        for line in run.output.split(separator: "\n").map(String.init) {
          if line.hasPrefix("row ") { (last, calls) = (line, calls + 1) }
          if line.hasPrefix("wrong ") { Issue.record("\(last): \(line)") }
          if line.hasPrefix("end ") { total = Int(line.dropFirst(4)) ?? 0 }
        }
        guard total < 0 else { break }
        Issue.record("\(last): the process ended with \(run.code): \(run.errors.suffix(300))")
        guard let number = last.split(separator: " ").dropFirst().first.flatMap({ Int($0) }), number >= next
        else { return }
        next = number + 1
      }
      #expect(calls == total && total > 1500, "\(calls) calls of \(total) rows")
    }
  }
}
