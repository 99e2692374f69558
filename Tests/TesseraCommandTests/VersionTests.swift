// SPDX-License-Identifier: Apache-2.0
import Foundation
import TesseraCompute
import TestSupport
import Testing

/// `tessera --version`, and what JSON outputs tell of the program and the machine.
@Suite struct VersionTests {
  /// The lines after the first, by their names.
  private func lines(_ text: String) -> [String: String] {
    let pairs = text.split(separator: "\n").dropFirst().map { line in
      (
        line.dropFirst(2).prefix(16).trimmingCharacters(in: .whitespaces),
        line.dropFirst(18).trimmingCharacters(in: .whitespaces)
      )
    }
    return Dictionary(pairs) { first, _ in first }
  }

  private func version(_ environment: [String: String] = [:]) throws -> Command.Result {
    let result = try Command.run(["--version"], environment: environment)
    #expect(result.code == 0 && result.errors.isEmpty, "\(result)")
    return result
  }

  @Test func theVersionTellsAllVersions() throws {
    let result = try version()
    #expect(result.output.hasPrefix("tessera \(tesseraVersion)\n"), "\(result.output)")
    let lines = lines(result.output)
    #expect(lines["numerics"] == "\(numericsVersion)")
    #expect(lines["run folder"] == "2, its manifest 1")
    #expect(lines["stages"] == "evaluation 5, images 2, layout 2, model 4, others 1")
    #expect(lines["product tiles"] == "1" && lines["kept programs"] == "1" && lines["operation"] == "1")
    let cpu = try CPUBackend()
    #expect(lines["CPU kernels"] == "\(cpu.instructionSet), \(cpu.threads) threads")
    #expect(lines["compiler"]?.hasPrefix("Swift 6.") == true)
    #expect(lines["build"] == "sha256 \(try Fingerprint.ofFile(Command.path))")
    #expect(lines["kernel sources"] == "sha256 \(KernelSources.embedded.fingerprint)")
    let commit = try #require(lines["commit"])
    #expect(commit == "unknown" || commit.wholeMatch(of: /[0-9A-Fa-f]{40}/) != nil)
    #expect(lines.count == 13 && lines.values.allSatisfy { !$0.isEmpty }, "\(lines)")
    // Of a subcommand it is the same.
    #expect(try Command.run(["run", "--version"]).output == result.output)
  }

  @Test func anEnvironmentThatAsksForTooMuchIsNoHindrance() throws {
    let found = lines(try version(["TESSERA_ISA": "none"]).output)["CPU kernels"]
    #expect(found?.hasPrefix("none: instruction set: found none, wanted ") == true, "\(found ?? "")")
    let baseline = lines(try version(["TESSERA_ISA": "baseline", "TESSERA_THREADS": "3"]).output)
    #expect(baseline["CPU kernels"] == "baseline, 3 threads")
  }

  @Test(.tags(.opencl)) func jsonTellsProgramAndMachine() throws {
    let build = try Fingerprint.ofFile(Command.path)
    func object(_ arguments: [String]) throws -> Any {
      let result = try Command.run(arguments, environment: ["TESSERA_THREADS": "2"])
      try #require(result.code == 0, "\(result.errors)")
      return try JSONSerialization.jsonObject(with: Data(result.output.utf8))
    }
    func check(_ report: Any?) throws {
      let fields = try #require(
        (report as? [String: Any])?["provenance"] as? [String: Any], "\(report ?? "")")
      #expect(fields["version"] as? String == tesseraVersion)
      #expect(fields["numerics"] as? Int == Int(numericsVersion))
      #expect(fields["build"] as? String == build)
      #expect(fields["kernelSources"] as? String == KernelSources.embedded.fingerprint)
      #expect(fields["commit"] as? String == Provenance.commit)
      #expect(fields["threads"] as? Int == 2)
      #expect(try CPUBackend().instructionSet == fields["instructionSet"] as? String)
      let date = try Date(try #require(fields["date"] as? String), strategy: .iso8601)
      #expect(abs(date.timeIntervalSinceNow) < 600)
      #expect(fields["compiler"] is String && fields["platform"] is String)
      // Nothing of whose machine it is.
      let all = "\(fields)"
      #expect(!all.contains(ProcessInfo.processInfo.hostName) && !all.contains("/"), "\(all)")
    }
    try check(try object(["bench", "copy", "--shape", "3x65", "--device", "cpu", "--json"]))
    try check(try object(["verify", "--device", "cpu", "--only", "rowSum", "--json", "--quiet"]))
    let sums = try object(["verify", "--sums", "--only", "rowSum", "--device", "cpu", "--json", "--quiet"])
    try check(sums)
    let results = try #require((sums as? [String: Any])?["sums"] as? [[String: Any]])
    #expect(!results.isEmpty && results.allSatisfy { $0["primitive"] as? String == "rowSum" })
    let devices = try #require(try object(["devices", "--quick", "--json"]) as? [Any])
    for device in devices { try check(device) }
    try withTemporaryFolder { folder in
      let path = folder + "/texts.csv"
      try Data("text\na film\n".utf8).write(to: URL(fileURLWithPath: path))
      try check(try object(["bench", "text", "--data", path, "--json"]))
    }
  }

  /// What `verify` of primitives says of itself, so that its report can be filed as a proof.
  @Test(.tags(.opencl), .enabled(if: TestDevices.hasOpenCL)) func verifyTellsAllThatAProofNeeds() throws {
    let result = try Command.run([
      "verify", "--device", "opencl", "--only", "rowSum", "--small", "--json", "--quiet",
    ])
    let object = try #require(
      JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any], "\(result)")
    #expect((object["driver"] as? String)?.contains("; driver ") == true, "\(result)")
    let found = try #require(object["verification"] as? [String: Any])
    #expect((found["device"] as? String)?.isEmpty == false && found["reference"] is String)
    let cases = try #require(found["casesByPrimitive"] as? [String: Int])
    #expect(Array(cases.keys) == ["rowSum"] && cases["rowSum"] == found["cases"] as? Int)
    let provenance = try #require(object["provenance"] as? [String: Any])
    for key in ["version", "numerics", "date", "build", "kernelSources"] {
      #expect(provenance[key] != nil, "\(key)")
    }
  }

  @Test(.tags(.opencl), .enabled(if: TestDevices.hasOpenCL)) func kernelsFromAFolderHaveOtherDigits() throws {
    try withTemporaryFolder { folder in
      let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()
      let own = try String(
        contentsOf: root.appendingPathComponent("Kernels/elementwise/maps.cl"), encoding: .utf8)
      func digits(_ text: String) throws -> String? {
        try Data(text.utf8).write(to: URL(fileURLWithPath: folder + "/maps.cl"))
        let result = try Command.run([
          "verify", "--device", "opencl", "--only", "rowSum", "--small", "--json", "--quiet", "--kernels",
          folder,
        ])
        let object = try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any]
        return (object?["provenance"] as? [String: Any])?["kernelSources"] as? String
      }
      #expect(try digits(own) == KernelSources.embedded.fingerprint)
      let other = try digits(own + "// another\n")
      #expect(other?.count == 64 && other != KernelSources.embedded.fingerprint)
    }
  }
}
