// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import TesseraCompute
import Testing

/// `tessera verify --run`: what it says, what it writes, and how it ends.
@Suite struct RunProofTests {
  private func withRun(_ body: (_ folder: String, _ run: String) throws -> Void) throws {
    try withTemporaryFolder { folder in
      try TinyEncoder.write(to: folder + "/encoder")
      try Data(TinyEncoder.reviews(32).utf8).write(to: URL(fileURLWithPath: folder + "/reviews.csv"))
      let made = try Command.run(arguments(folder))
      try #require(made.code == 0, "\(made.errors)")
      try body(folder, folder + "/run")
    }
  }

  private func arguments(_ folder: String) -> [String] {
    [
      "run", "--data", folder + "/reviews.csv", "--encoder", folder + "/encoder", "--out", folder + "/run",
      "--model", "alexnet", "--pixels", "12", "--perplexity", "5", "--iterations", "10", "--epochs", "1",
      "--batch", "8", "--device", "cpu",
    ]
  }

  private func verify(_ run: String, _ more: String...) throws -> Command.Result {
    try Command.run(["verify", "--run", run, "--quiet"] + more)
  }

  @Test(.tags(.slow)) func aRunIsProvedAndTheCertificateComparedWith() throws {
    try withRun { folder, run in
      let file = folder + "/certificate.json"
      let whole = try verify(run, "--full", "--certificate", file)
      #expect(whole.code == 0 && whole.errors.isEmpty, "\(whole)")
      for line in ["embeddings: recomputed, equal", "model: recomputed, equal", "recomputed on cpu"] {
        #expect(whole.output.contains(line), "\(whole.output)")
      }
      let some = try verify(run, "--sample", "25%", "--expect", file)
      #expect(some.code == 0 && some.output.contains("embeddings: 8 of 32 rows recomputed, equal"), "\(some)")
      #expect(some.output.contains("model: 1 of 2 stretches recomputed, equal"), "\(some)")
      let none = try verify(run, "--sample", "1", "--stretches", "0")
      #expect(none.code == 0 && none.output.contains("model: not recomputed"), "\(none)")
      let all = try verify(run, "--sample", "1", "--stretches", "100%")
      #expect(all.code == 0 && all.output.contains("model: 2 of 2 stretches recomputed"), "\(all)")
      let json = try verify(run, "--sample", "3", "--seed", "5", "--json")
      let fields = try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any]
      #expect(json.code == 0 && fields?["seed"] as? Int == 5 && fields?["version"] as? Int == 1)
      #expect(fields?["difference"] == nil && (fields?["verifier"] as? [String: Any])?["build"] != nil)
      let makers = try #require(fields?["makers"] as? [String: [String: Any]])
      for stage in ["encoder", "embeddings", "model"] {
        let maker = try #require(makers[stage])
        #expect((maker["device"] as? String)?.hasPrefix("cpu") == true)
        #expect(maker["version"] as? String == tesseraVersion)
        #expect(maker["build"] as? String == (try Fingerprint.ofFile(Command.path)))
        #expect(maker["kernelSources"] as? String == KernelSources.embedded.fingerprint)
      }
      // Another run's certificate is a finding.
      let text = try String(contentsOfFile: file, encoding: .utf8)
      let record = run + "/layout.json"
      struct Part: Decodable { let fingerprint: String }
      let layout = try JSONDecoder().decode(Part.self, from: Data(contentsOf: URL(fileURLWithPath: record)))
      let zeros = String(repeating: "0", count: 64)
      try Data(text.replacing(layout.fingerprint, with: zeros).utf8).write(to: URL(fileURLWithPath: file))
      let other = try verify(run, "--sample", "1", "--expect", file)
      #expect(other.code == 1 && other.errors.contains("layout: found fingerprint \(zeros)"), "\(other)")
    }
  }

  @Test(.tags(.slow)) func aMovedRunAsksForItsReviewsAndItsEncoder() throws {
    try withRun { folder, run in
      let manager = FileManager.default
      try manager.moveItem(atPath: folder + "/reviews.csv", toPath: folder + "/elsewhere.csv")
      let asked = try verify(run, "--sample", "1")
      #expect(asked.code == 2 && asked.errors.contains("--data says where it is now"), "\(asked)")
      let told = try verify(run, "--sample", "1", "--data", folder + "/elsewhere.csv")
      #expect(told.code == 0, "\(told)")
      let twice = try verify(run, "--sample", "1", "--encoder", folder + "/encoder")
      #expect(twice.code == 2 && twice.errors.contains("a run that holds its encoder"), "\(twice)")
      try manager.removeItem(atPath: run + "/encoder")
      try manager.moveItem(atPath: folder + "/encoder", toPath: folder + "/moved")
      let lost = try verify(run, "--sample", "1", "--data", folder + "/elsewhere.csv")
      #expect(lost.code == 2 && lost.errors.contains("--encoder says where it is now"), "\(lost)")
      let found = try verify(
        run, "--sample", "1", "--data", folder + "/elsewhere.csv", "--encoder", folder + "/moved")
      #expect(found.code == 0, "\(found)")
      try Data("{}".utf8).write(to: URL(fileURLWithPath: folder + "/moved/config.json"))
      let wrong = try verify(
        run, "--sample", "1", "--data", folder + "/elsewhere.csv", "--encoder", folder + "/moved")
      #expect(wrong.code == 1 && wrong.errors.contains("config.json: found other bytes"), "\(wrong)")
    }
  }

  @Test(.tags(.slow)) func aChangedFileIsAFinding() throws {
    try withRun { folder, run in
      let manager = FileManager.default
      try manager.moveItem(atPath: folder + "/reviews.csv", toPath: folder + "/elsewhere.csv")
      try TensorEdit.flip("images", element: 9, in: run + "/images.safetensors")
      let changed = try verify(run, "--sample", "1", "--data", folder + "/elsewhere.csv")
      #expect(
        changed.code == 1 && changed.errors.contains("images.safetensors: found other bytes"), "\(changed)")
    }
  }

  @Test func aFinishedRunSaysHowItIsVerified() throws {
    try withRun { folder, run in
      let again = try Command.run(arguments(folder))
      #expect(
        again.code == 0 && again.errors.contains("tessera verify --run \(run) --full"), "\(again.errors)")
    }
  }

  @Test func optionsThatDoNotGoTogetherAreRefused() throws {
    func refused(_ arguments: [String], _ text: String) throws {
      let result = try Command.run(["verify"] + arguments)
      #expect(result.code == 2 && result.errors.contains(text), "\(arguments): \(result)")
    }
    try refused(["--run", "r"], "wanted --full, or --sample 1%")
    try refused(["--run", "r", "--full", "--sample", "1%"], "found --full and --sample")
    try refused(["--run", "r", "--sample", "0%"], "sample: found 0%")
    try refused(["--run", "r", "--full", "--seed", "3"], "seed: found 3 with --full")
    try refused(["--run", "r", "--full", "--stretches", "3"], "stretches: found 3 with --full")
    try refused(["--run", "r", "--sample", "1", "--stretches", "x%"], "stretches: found x%")
    try refused(["--run", "r", "--full", "--random", "3"], "run: found options of the comparison")
    try refused(["--run", "r", "--full", "--stride", "3"], "run: found options of the comparison")
    try refused(["--run", "r", "--full", "--only", "matmul"], "run: found options of the comparison")
    try refused(["--run", "r", "--full"], "r/run.json: found no readable file")
    try refused(["--run", "r", "--full", "--expect", "c"], "c: found no readable file")
    for (name, value) in [
      ("sample", "1%"), ("stretches", "2"), ("data", "d"), ("test", "t"), ("weights", "w"),
      ("certificate", "c"),
      ("expect", "e"),
    ] {
      try refused(["--\(name)", value], "\(name): found \(value) alone, wanted --run")
    }
    try refused(["--full"], "full: found --full alone, wanted --run")
  }
}
