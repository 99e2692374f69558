// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import TesseraData
import TesseraImages
import TesseraPipeline
import TesseraText
import TesseraVision
import Testing

/// Runs by a file of options, and runs that go on in their folder.
@Suite struct RunFileTests {
  private func run(_ words: [String]) throws -> Command.Result { try Command.run(["run"] + words) }

  private func withRun(_ body: (_ folder: String, _ first: Command.Result) throws -> Void) throws {
    try withTemporaryFolder { folder in
      try TinyEncoder.write(to: folder + "/encoder")
      try Data(TinyEncoder.reviews(48).utf8).write(to: URL(fileURLWithPath: folder + "/reviews.csv"))
      let first = try run([
        "--data", folder + "/reviews.csv", "--encoder", folder + "/encoder", "--out", folder + "/a",
        "--model", "alexnet",
        "--pixels", "14", "--perplexity", "5", "--iterations", "20", "--epochs", "2", "--batch", "8",
        "--label-smoothing",
        "0.1", "--layers", "1...2", "--start", "path", "--device", "cpu",
      ])
      try #require(first.code == 0, "\(first.errors)")
      try body(folder, first)
    }
  }

  /// A signal ends a run as it would any program, but the last line tells how the run goes on; and it does.
  @Test func anInterruptedRunTellsHowItGoesOn() throws {
    try withTemporaryFolder { folder in
      try TinyEncoder.write(to: folder + "/encoder")
      try Data(TinyEncoder.reviews(48).utf8).write(to: URL(fileURLWithPath: folder + "/reviews.csv"))
      let options = "--pixels 14 --perplexity 5 --layers 1...2 --start path --epochs 0 --device cpu"
      // A process begins with the signals blocked that the thread blocks which starts it, here one of a pool.
      let unblocked =
        "python3 -c 'import os, signal, sys; signal.pthread_sigmask(signal.SIG_SETMASK, []); "
        + "os.execv(sys.argv[1], sys.argv[1:])' \"$TESSERA\""
      let command = "\(unblocked) run --data \(folder)/reviews.csv --encoder \(folder)/encoder \(options)"
      let cut = try Command.shell(
        """
        \(command) --iterations 1000000 --out \(folder)/a & run=$!
        for turn in $(seq 600); do [ -e \(folder)/a/embeddings.safetensors ] && break; sleep 0.05; done
        kill -TERM $run; wait $run
        """)
      let told = "tessera: interrupted: tessera run --resume \(folder)/a goes on from what is done"
      #expect(cut.code == 143 && cut.errors.contains(told + "\n"), "\(cut.errors)")
      let again = try Command.shell("\(command) --iterations 10 --out \(folder)/a")
      #expect(again.code == 0 && again.errors.contains("embeddings: unchanged"), "\(again.errors)")
    }
  }

  private func write(_ folder: String, _ json: String) throws -> String {
    let path = folder + "/options.json"
    try Data(json.utf8).write(to: URL(fileURLWithPath: path))
    return path
  }

  @Test func aRunsOwnFileMakesItAgain() throws {
    try withRun { folder, first in
      let file = folder + "/a/run.json"
      let again = try run(["--config", file, "--out", folder + "/b", "--device", "cpu"])
      #expect(again.code == 0 && again.fingerprints == first.fingerprints, "\(again.errors)")
      let json = try String(contentsOfFile: file, encoding: .utf8)
      #expect(try String(contentsOfFile: folder + "/b/run.json", encoding: .utf8) == json)
      // The command line wins.
      let other = try run([
        "--config=\(file)", "--epochs", "1", "--seed=5", "--out", folder + "/c", "--device", "cpu",
      ])
      #expect(other.code == 0 && other.fingerprints.last != first.fingerprints.last)
      let made = try RunConfiguration.read(folder + "/c/run.json")
      #expect(made.model.training.epochs == 1 && made.seed == 5 && made.layout.pixels == 14)
    }
  }

  @Test func aFileOfSomeKeysLeavesTheRestToTheRecipe() throws {
    try withRun { folder, _ in
      let file = try write(
        folder,
        """
        {"data": "\(folder)/reviews.csv", "encoder": "\(folder)/encoder", "pixels": 20, "epochs": 1, "bypass": false,
         "model": "alexnet", "perplexity": 5, "iterations": 10, "start": "path"}
        """)
      let result = try run(["--config", file, "--out", folder + "/d", "--device", "cpu"])
      #expect(result.code == 0, "\(result.errors)")
      let made = try RunConfiguration.read(folder + "/d/run.json")
      #expect(made.layout.pixels == 20 && !made.model.network.bypass && made.model.network.head == .linear)
      #expect(made.layout.discretization == .lsa)
    }
  }

  @Test(arguments: [
    ("{\"pixel\": 20}", "options.json: pixel: found a key that no run has, wanted pixels?"),
    ("{\"label-column\": \"x\"}", "wanted labelColumn?"),
    ("{\"zzzzzz\": 1}", "wanted the keys of a run.json"),
    ("{\"pixels\": \"many\"}", "options.json: pixels: found a value of another type"),
    ("[1]", "no object of JSON"),
    ("{\"model\": \"lenet\"}", "lenet"), ("{\"version\": 9}", "a run of version 9"),
  ])
  func whatIsNoOptionIsRefused(_ json: String, _ message: String) throws {
    try withTemporaryFolder { folder in
      let result = try run([
        "--config", try write(folder, json), "--data", "x", "--encoder", "y", "--out", folder + "/o",
      ])
      #expect(
        result.code == 2 && result.errors.contains(message)
          && result.errors.split(separator: "\n").count == 1, "\(result.errors)")
      #expect(!FileManager.default.fileExists(atPath: folder + "/o"))
    }
  }

  @Test func aRunGoesOnWithTheSameBits() throws {
    try withRun { folder, first in
      for name in ["model.json", "manifest.json", "evaluation.json"] {
        try FileManager.default.removeItem(atPath: folder + "/a/" + name)
      }
      let again = try run([
        "--resume", folder + "/a", "--device", "cpu", "--pixels", "14", "--perplexity", "5.0",
      ])
      #expect(again.code == 0 && again.fingerprints == first.fingerprints, "\(again.errors)")
      #expect(again.errors.contains("layout: unchanged") && !again.errors.contains("model: unchanged"))
      for (words, message) in [
        (["--pixels", "20"], "pixels: found 20 with --resume, where the run has 14"),
        (["--seed=3"], "seed: found 3"),
        (["--weights", "x"], "weights: found x with --resume, where the run has none"),
        (["--no-header"], "no-header: found given"), (["--out", "x"], "out: found x with --resume"),
        (["--config", "x"], "config: found --config with --resume"),
      ] {
        let refused = try run(["--resume", folder + "/a"] + words)
        #expect(refused.code == 2 && refused.errors.contains(message), "\(words): \(refused.errors)")
      }
      let none = try run(["--resume", folder + "/none"])
      #expect(none.code == 2 && none.errors.contains("no run (run.json is not there)"))
      #expect(!FileManager.default.fileExists(atPath: folder + "/none"))
    }
  }

  /// Every key that a run's file can have stands for an option, and every option makes the file again.
  @Test func everyKeyIsKnown() throws {
    var c = RunConfiguration(data: "d", encoder: "e")
    (c.test, c.format.text, c.format.label) = ("t", "x", "y")
    (c.embedding.firstState, c.embedding.lastState) = (1, 2)
    (c.split.trainingRows, c.split.splitMethod, c.split.fold, c.split.folds) = (5, .stratified, 1, 3)
    c.layout.representations = try .init("pca,tsne")
    (c.model.weights, c.model.network.start, c.model.network.head) = ("w", .joint, .linear)
    (c.model.training.convolutionRate, c.model.training.classifierRate, c.model.training.sliceRate) = (
      1, 2, 3
    )
    (c.model.training.patience, c.model.training.classWeights) = (4, try .init("balanced"))
    var table = RunConfiguration(table: "f")
    table.table?.columns.array = "X"
    for c in [c, table] {
      let fields = try #require(JSONSerialization.jsonObject(with: JSONEncoder().encode(c)) as? [String: Any])
      for key in fields.keys { #expect(RunConfiguration.optionOfKey[key] != nil, "\(key)") }
    }
    let names = Set(
      (c.options + table.options).map(\.name) + ["ignore", "labels", "no-header", "test-share"])
    #expect(names == RunConfiguration.optionNames)
    let help = try Command.run(["run", "--help"]).output
    for name in names { #expect(help.contains("--\(name)"), "\(name)") }
  }
}
