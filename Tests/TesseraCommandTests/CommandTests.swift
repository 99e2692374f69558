// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import Testing

/// The command line from reviews to predictions, as a user calls it.
@Suite struct CommandTests {
  /// A folder with an encoder and 60 reviews.
  private func withData(_ body: (String) throws -> Void) throws {
    try withTemporaryFolder { folder in
      try TinyEncoder.write(to: folder + "/encoder")
      try Data(TinyEncoder.reviews(60).utf8).write(to: URL(fileURLWithPath: folder + "/reviews.csv"))
      try Data(TinyEncoder.reviews(20, seed: 2).utf8).write(to: URL(fileURLWithPath: folder + "/test.csv"))
      try body(folder)
    }
  }

  private func arguments(_ folder: String, _ out: String, _ more: [String] = []) -> [String] {
    [
      "run", "--data", folder + "/reviews.csv", "--encoder", folder + "/encoder", "--out", folder + "/" + out,
      "--model", "alexnet", "--pixels", "20", "--perplexity", "5", "--iterations", "300", "--epochs", "3",
      "--batch", "8",
    ] + (more.contains("--device") ? [] : ["--device", "cpu"]) + more
  }

  @Test func theWholePipelineAndWhatComesAfterIt() throws {
    try withData { folder in
      let first = try Command.run(arguments(folder, "a"))
      #expect(first.code == 0, "\(first.errors)")
      #expect(first.fingerprints.count == 5)
      #expect(first.values("test accuracy").count == 1 && first.values("linear probe").count == 1)

      // Again: nothing is run, the same is said.
      let second = try Command.run(arguments(folder, "a"))
      #expect(second.output == first.output)
      for stage in ["embeddings", "layout", "images", "model", "predictions"] {
        #expect(second.errors.contains("\(stage): unchanged"))
      }
      // Another number of epochs: the stages before the training stay.
      let third = try Command.run(arguments(folder, "a", ["--epochs", "4"]))
      #expect(third.errors.contains("images: unchanged") && !third.errors.contains("model: unchanged"))
      #expect(third.fingerprints[2] == first.fingerprints[2])

      let pictures = try FileManager.default.contentsOfDirectory(atPath: folder + "/a/pictures")
      #expect(pictures.contains("mean.png") && pictures.contains("positive.png"))
      #expect(
        try FileManager.default.contentsOfDirectory(atPath: folder + "/a").allSatisfy {
          !$0.hasSuffix(".tmp")
        })

      let run = ["--run", folder + "/a", "--device", "cpu"]
      let one = try Command.run(["predict", "--text", "a superb film\tand great cast"] + run)
      #expect(one.code == 0 && one.output.hasSuffix("\ta superb film and great cast\n"), "\(one.errors)")
      let lines = try Command.run(["predict"] + run, input: "good film\n\nthe plot was awful\n")
      // Every line has an answer, a blank one too.
      #expect(lines.output.split(separator: "\n").count == 3)
      let alone = try Command.run(["predict", "--text", "the plot was awful"] + run)
      #expect(lines.output.hasSuffix(alone.output))
      let evaluation = try Command.run(["evaluate", "--data", folder + "/test.csv"] + run)
      #expect(evaluation.code == 0 && evaluation.fingerprints.count == 1)
      #expect(evaluation.values("accuracy").first?.hasSuffix("of 20)") == true)
      // The run has made its page; text alone makes none.
      try FileManager.default.removeItem(atPath: folder + "/a/report.html")
      let report = try Command.run(["report", "--text", "--run", folder + "/a"])
      #expect(report.code == 0 && report.fingerprints == third.fingerprints)
      #expect(!FileManager.default.fileExists(atPath: folder + "/a/report.html"))
    }
  }

  @Test func seedsAreAveragedAndACopiedRunPredictsWithoutItsEncoder() throws {
    try withData { folder in
      let run = try Command.run(arguments(folder, "a", ["--repeats", "3"]))
      #expect(run.code == 0, "\(run.errors)")
      #expect(run.values("by seeds").first?.hasSuffix("over 3 seeds") == true, "\(run.output)")
      let again = try Command.run(arguments(folder, "a", ["--repeats", "3"]))
      #expect(again.output == run.output && again.errors.contains("model: unchanged"))
      let report = try Command.run(["report", "--text", "--run", folder + "/a"])
      #expect(report.values("by seeds") == run.values("by seeds"))

      let predict = ["predict", "--text", "a superb film", "--device", "cpu", "--run"]
      let there = try Command.run(predict + [folder + "/a"])
      try FileManager.default.copyItem(atPath: folder + "/a", toPath: folder + "/elsewhere")
      try FileManager.default.removeItem(atPath: folder + "/encoder")
      let here = try Command.run(predict + [folder + "/elsewhere"])
      #expect(here.code == 0 && here.output == there.output, "\(here.errors)")
      // Run again there, with the encoder that it holds: even without the record of it, nothing is cleared
      // away.
      try FileManager.default.removeItem(atPath: folder + "/elsewhere/encoder.json")
      let own = arguments(folder, "elsewhere", ["--encoder", folder + "/elsewhere/encoder"])
      let rerun = try Command.run(own)
      #expect(rerun.code == 0 && rerun.fingerprints == run.fingerprints, "\(rerun.errors)")
      #expect(try Command.run(predict + [folder + "/elsewhere"]).output == there.output)
    }
  }

  @Test func classesComeFromTheData() throws {
    try withData { folder in
      // A third class, of every fourth review.
      let rows = TinyEncoder.reviews(80).split(separator: "\n")
      let three = rows.enumerated().map { number, row in
        guard number > 0, number % 4 == 0, let comma = row.lastIndex(of: ",") else { return String(row) }
        return row[...comma] + "unsure"
      }
      try Data(three.joined(separator: "\n").utf8).write(to: URL(fileURLWithPath: folder + "/reviews.csv"))
      let run = try Command.run(arguments(folder, "a"))
      #expect(run.code == 0, "\(run.errors)")
      let predict = [
        "predict", "--json", "--evidence", "--text", "a film", "--run", folder + "/a", "--device", "cpu",
      ]
      let answer = try Command.run(predict)
      #expect(answer.output.contains("\"unsure\":"), "\(answer.output) \(answer.errors)")
      #expect(try Command.run(["report", "--run", folder + "/a", "--device", "cpu"]).code == 0)
    }
  }

  @Test(.tags(.opencl)) func threadsBatchesAndOpenCLGiveTheSameFingerprints() throws {
    try withData { folder in
      let test = ["--test", folder + "/test.csv"]
      let reference = try Command.run(arguments(folder, "a", test + ["--threads", "1"]))
      #expect(reference.code == 0 && reference.fingerprints.count == 6, "\(reference.errors)")
      let others =
        [["--threads", "3", "--embedding-batch", "7"]]
        + (TestDevices.hasOpenCL ? [["--device", "opencl"]] : [])
      for (number, more) in others.enumerated() {
        let other = try Command.run(arguments(folder, "b\(number)", test + more))
        #expect(other.fingerprints == reference.fingerprints, "\(more) \(other.errors)")
      }
    }
  }

  @Test(.tags(.opencl), arguments: [["layer"], ["several", "--representations", "tsne:cosine,pca,tsne"]])
  func imagesOfSeveralChannels(_ channels: [String]) throws {
    try withData { folder in
      let more = ["--channels"] + channels
      let run = try Command.run(arguments(folder, "a", more))
      #expect(run.code == 0 && run.fingerprints.count == 5, "\(run.errors)")
      // A line a channel, and the fingerprint's.
      #expect(run.values("layout").count == (channels == ["layer"] ? 3 : 4))
      let again = try Command.run(arguments(folder, "a", more))
      #expect(again.output == run.output && again.errors.contains("model: unchanged"))
      if TestDevices.hasOpenCL {
        let other = try Command.run(arguments(folder, "b", more + ["--device", "opencl"]))
        #expect(other.fingerprints == run.fingerprints, "\(other.errors)")
      }
      let grey = try Command.run(arguments(folder, "a"))
      #expect(!grey.errors.contains("layout: unchanged") && grey.fingerprints[1] != run.fingerprints[1])
      _ = try Command.run(arguments(folder, "a", more))
      let at = ["--run", folder + "/a", "--device", "cpu"]
      let answer = try Command.run(
        ["predict", "--json", "--image", "--evidence", "--text", "a superb film"] + at)
      #expect(answer.code == 0 && answer.output.contains("\"byState\""), "\(answer.errors)")
      let evaluation = try Command.run(["evaluate", "--data", folder + "/test.csv"] + at)
      #expect(evaluation.code == 0, "\(evaluation.errors)")
      let report = try Command.run(["report"] + at)
      #expect(report.code == 0, "\(report.errors)")
      let page = try String(contentsOf: URL(fileURLWithPath: folder + "/a/report.html"), encoding: .utf8)
      for name in channels == ["layer"] ? ["layer 1", "layer 2"] : ["tsne:cosine", "pca"] {
        #expect(page.contains("<h3>\(name)</h3>"))
      }
    }
  }

  @Test func stageByStageIsTheSameAsRun() throws {
    try withData { folder in
      let whole = try Command.run(arguments(folder, "a"))
      let tail = ["--device", "cpu"]
      func path(_ name: String) -> String { folder + "/" + name }
      let embed = try Command.run(
        ["embed", "--data", path("reviews.csv"), "--encoder", path("encoder"), "--out", path("e")] + tail)
      let layout = try Command.run(
        [
          "layout", "--embeddings", path("e"), "--pixels", "20", "--perplexity", "5", "--iterations", "300",
          "--out", path("l"),
        ]
          + tail)
      let render = try Command.run(
        [
          "render", "--embeddings", path("e"), "--layout", path("l"), "--out", path("i"), "--png",
          path("png"),
        ] + tail)
      let train = try Command.run(
        [
          "train", "--images", path("i"), "--model", "alexnet", "--epochs", "3", "--batch", "8", "--out",
          path("t"),
        ] + tail)
      let stages = [embed, layout, render, train]
      #expect(stages.allSatisfy { $0.code == 0 }, "\(stages.map(\.errors))")
      #expect(stages.compactMap(\.fingerprints.last) == Array(whole.fingerprints.prefix(4)))
      #expect(FileManager.default.fileExists(atPath: path("png/mean.png")))
    }
  }

  @Test func aFileOfOneLetterInTheWorkingFolder() throws {
    try withData { folder in
      let line = "cd \(folder) && \"$TESSERA\" embed --data test.csv --encoder encoder --device cpu --out e"
      let result = try Command.shell(line)
      #expect(result.code == 0 && FileManager.default.fileExists(atPath: folder + "/e"), "\(result.errors)")
    }
  }

  @Test(.tags(.slow)) func aRunKilledAtAnyTimeEndsInTheSameBits() throws {
    try withData { folder in
      let more = ["--epochs", "12", "--head", "paper", "--quiet"]
      let whole = try Command.run(arguments(folder, "a", more))
      #expect(whole.code == 0)
      var kills = 0
      // Killed after ever longer times, from the embedding on well into the training.
      for milliseconds in stride(from: 40, through: 2000, by: 140) {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: Command.path)
        process.arguments = arguments(folder, "b", more)
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        usleep(UInt32(milliseconds) * 1000)
        if process.isRunning { kills += 1 }
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
      }
      #expect(kills > 2)
      let resumed = try Command.run(arguments(folder, "b", more))
      #expect(resumed.code == 0 && resumed.fingerprints == whole.fingerprints, "\(resumed.errors)")
      let left = try FileManager.default.contentsOfDirectory(atPath: folder + "/b")
      #expect(left.allSatisfy { !$0.hasSuffix(".tmp") })
    }
  }

  @Test func withoutAnOpenCLLoaderTheCPUWorks() throws {
    let none = ["TESSERA_OPENCL_LIBRARY": "/nowhere/libOpenCL.so.1"]
    let devices = try Command.run(["devices", "--quick"], environment: none)
    #expect(devices.code == 0 && devices.output.hasPrefix("cpu ") && !devices.output.contains("opencl:0"))
    #expect(
      devices.output.contains("there is no OpenCL loader: /nowhere/libOpenCL.so.1"), "\(devices.output)")
    let verify = try Command.run(["verify", "--device", "opencl"], environment: none)
    #expect(
      verify.code == 2 && verify.errors.contains("wanted an OpenCL device (there is no OpenCL loader: "))
    let auto = try Command.run(["bench", "softmax", "--device", "auto", "--json"], environment: none)
    #expect(auto.code == 0, "\(auto.errors)")
    let noPlatform = try Command.run(["devices", "--quick"], environment: ["OCL_ICD_VENDORS": "/nowhere"])
    #expect(noPlatform.code == 0)
    #expect(noPlatform.output.contains("no .icd file in /nowhere names one"), "\(noPlatform.output)")
  }

  @Test(.tags(.opencl)) func devicesVerifyAndBenchSpeakJSON() throws {
    for arguments in [
      ["devices", "--json", "--quick"],
      ["verify", "--device", "cpu", "--only", "matmul", "--json", "--quiet"],
      ["bench", "softmax", "--device", "cpu", "--json", "--quiet"],
    ] {
      let result = try Command.run(arguments)
      #expect(result.code == 0, "\(result.errors)")
      #expect((try? JSONSerialization.jsonObject(with: Data(result.output.utf8))) != nil, "\(arguments)")
    }
    let verify = try Command.run(["verify", "--device", "cpu", "--small", "--reference", "baseline"])
    #expect(verify.output.contains(", 0 mismatches: cpu"))
    #expect(verify.output.contains("against cpu (baseline"))
  }
}
