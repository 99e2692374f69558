// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import TesseraCompute
import Testing

/// Processes that an MPI's launcher starts: the run of one, in one folder, and one line where something is wrong.
@Suite(.tags(.slow)) struct RankCommandTests {
  private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().path

  /// A cache folder with the library between Tessera and the MPI, which `tools/install test` has installed.
  private func withShim(_ body: (String) throws -> Void) throws {
    try withTemporaryFolder { folder in
      let made = try Command.shell(
        "'\(Self.root)/tools/mpi-shim' mpicc.openmpi '\(folder)/cache/mpi/openmpi.so'")
      try #require(made.code == 0, "\(made.errors)")
      try TinyEncoder.write(to: folder + "/encoder")
      try Data(TinyEncoder.reviews(64).utf8).write(to: URL(fileURLWithPath: folder + "/reviews.csv"))
      try body(folder)
    }
  }

  private func launch(_ ranks: Int, _ folder: String, _ arguments: [String]) throws -> Command.Result {
    let quoted = arguments.map { "'\($0)'" }.joined(separator: " ")
    return try Command.shell(
      "timeout 300 mpirun.openmpi --oversubscribe --bind-to none -n \(ranks) \"$TESSERA\" \(quoted)",
      environment: [
        "TESSERA_CACHE": folder + "/cache", "OMPI_ALLOW_RUN_AS_ROOT": "1",
        "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
      ])
  }

  private func run(_ folder: String, _ out: String, _ more: [String] = []) -> [String] {
    [
      "run", "--data", folder + "/reviews.csv", "--encoder", folder + "/encoder", "--out", folder + "/" + out,
      "--model", "alexnet", "--bypass", "none", "--slice", "trainable", "--pixels", "12", "--perplexity", "5",
      "--iterations", "60", "--epochs", "2", "--batch", "24", "--split-batches", "always", "--device", "cpu",
      "--threads", "1",
    ] + more
  }

  /// The lines of the program itself: launchers have much to say.
  private func own(_ errors: String) -> [Substring] {
    errors.split(separator: "\n").filter { $0.hasPrefix("tessera: ") }
  }

  @Test func severalRanksGiveTheBitsOfOne() throws {
    try withShim { folder in
      let alone = try Command.run(run(folder, "alone"))
      try #require(alone.code == 0, "\(alone.errors)")
      #expect(alone.fingerprints.count == 5)
      let three = try launch(3, folder, run(folder, "three"))
      #expect(three.code == 0 && three.fingerprints == alone.fingerprints, "\(three.errors)")
      #expect(three.errors.contains("2 ranks of cpu"))
      func history(_ run: String) throws -> Data {
        try Data(contentsOf: URL(fileURLWithPath: "\(folder)/\(run)/history.json"))
      }
      #expect(try history("three") == history("alone"))
      let again = try launch(2, folder, run(folder, "three"))
      #expect(again.code == 0 && again.errors.contains("predictions: unchanged"), "\(again.errors)")
      func train(_ out: String) -> [String] {
        [
          "train", "--images", folder + "/three/images.safetensors", "--model", "alexnet", "--epochs", "1",
          "--slice", "trainable", "--split-batches", "always", "--device", "cpu", "--out", folder + "/" + out,
        ]
      }
      let (trained, shared) = (try Command.run(train("t1")), try launch(2, folder, train("t2")))
      #expect(shared.code == 0 && shared.output == trained.output, "\(shared.errors)")
      #expect(trained.fingerprints.count == 1)
      let proof = try launch(2, folder, ["verify", "--run", folder + "/three", "--full", "--threads", "1"])
      #expect(proof.code == 0 && proof.output.contains(" + a rank of cpu"), "\(proof.errors)\(proof.output)")
      try FileManager.default.removeItem(atPath: folder + "/three/predictions.safetensors")
      let broken = try launch(2, folder, ["verify", "--run", folder + "/three", "--full", "--threads", "1"])
      #expect(broken.code == 1 && own(broken.errors).count == 1, "\(broken.errors)")
      let mended = try launch(2, folder, run(folder, "three"))
      #expect(mended.code == 0 && mended.fingerprints == alone.fingerprints, "\(mended.errors)")
      let traced = try launch(2, folder, train("t3") + ["--trace", folder + "/trace.json"])
      #expect(traced.code == 0 && traced.output.contains(trained.output), "\(traced.errors)")
      let trace = try String(contentsOfFile: folder + "/trace.json", encoding: .utf8)
      #expect(trace.contains("\"name\":\"rank 1 on ") && trace.contains("\"cat\":\"exchange\""))
      let question = ["predict", "--run", folder + "/three", "--text", "a fine film", "--device", "cpu"]
      let (one, two) = (try Command.run(question), try launch(2, folder, question))
      #expect(two.code == 0 && two.output == one.output, "\(two.errors)")
    }
  }

  @Test func errorsAreOneLine() throws {
    try withShim { folder in
      let missing = try launch(3, folder, run(folder, "none", ["--data", folder + "/no.csv"]))
      #expect(missing.code == 2 && own(missing.errors).count == 1, "\(missing.errors)")
      #expect(missing.errors.contains("no.csv: found no readable file"))
      let option = try launch(3, folder, run(folder, "none", ["--repeats", "0"]))
      #expect(option.code == 2 && own(option.errors).count == 1, "\(option.errors)")
      let bench = try launch(2, folder, ["bench", "--device", "cpu"])
      #expect(bench.code == 2 && own(bench.errors).count == 1, "\(bench.errors)")
      #expect(bench.errors.contains("bench: found 2 ranks, wanted one process"), "\(bench.errors)")
      let primitives = try launch(2, folder, ["verify", "--small", "--device", "cpu"])
      #expect(primitives.code == 2 && own(primitives.errors).count == 1, "\(primitives.errors)")
      try FileManager.default.removeItem(atPath: folder + "/cache")
      let shim = try launch(2, folder, run(folder, "none"))
      #expect(shim.code == 2 && shim.errors.contains("tools/mpi-shim"), "\(shim.errors)")
      #expect(!FileManager.default.fileExists(atPath: folder + "/none"))
    }
  }
}
