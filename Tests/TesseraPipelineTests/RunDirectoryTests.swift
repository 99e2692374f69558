// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import TesseraCompute
import Testing

@testable import TesseraPipeline

@Suite struct RunDirectoryTests {
  /// Runs a stage that writes `text` into `out`; whether it ran.
  private func stage(_ run: RunDirectory, input: String, parameter: String = "1", text: String = "made")
    throws -> Bool
  {
    try run.stage("s", inputs: ["i": input], parameters: ["p": parameter], outputs: ["out"]) {
      try AtomicFile.write(Data(text.utf8), to: run.file("out"))
      return "print"
    }.ran
  }

  @Test func aStageRunsAgainWhenItsInputsParametersOrOutputsChange() throws {
    try withTemporaryFolder { folder in
      let run = try RunDirectory(folder + "/r")
      #expect(try stage(run, input: "a"))
      #expect(try !stage(run, input: "a"))
      #expect(try stage(run, input: "b"))
      #expect(try stage(run, input: "b", parameter: "2"))
      #expect(try !stage(run, input: "b", parameter: "2"))
      try Data("damaged".utf8).write(to: URL(fileURLWithPath: run.file("out")))
      #expect(try stage(run, input: "b", parameter: "2"))
      try FileManager.default.removeItem(atPath: run.file("out"))
      #expect(try stage(run, input: "b", parameter: "2"))
      try Data("{".utf8).write(to: URL(fileURLWithPath: run.file("s.json")))
      #expect(try stage(run, input: "b", parameter: "2"))
    }
  }

  @Test func whatAnOlderProgramMadeIsMadeAgain() throws {
    try withTemporaryFolder { folder in
      let run = try RunDirectory(folder + "/r")
      func model() throws -> Bool {
        try run.stage("model", inputs: [:], parameters: [:], outputs: []) { "print" }.ran
      }
      #expect(try model())
      #expect(try !model())
      let url = URL(fileURLWithPath: run.file("model.json"))
      var record = try #require(StageRecord.read(url))
      #expect(record.version == StageRecord.versions["model"])
      record.version = nil
      try record.encoded().write(to: url)
      #expect(try model())
    }
  }

  @Test func whoMadeAStageIsRecordedAndDecidesNothing() throws {
    try withTemporaryFolder { folder in
      let run = try RunDirectory(folder + "/r")
      run.device = "a device"
      #expect(try stage(run, input: "a"))
      let url = URL(fileURLWithPath: run.file("s.json"))
      var record = try #require(StageRecord.read(url))
      let maker = try #require(StageMaker(record))
      #expect(maker.device == "a device" && maker.version == tesseraVersion)
      #expect(maker.build == Provenance.executableFingerprint)
      #expect(maker.kernelSources == KernelSources.embedded.fingerprint)
      // Another program's work is the same work; what it says of itself is sealed.
      record.maker?.build = "other"
      try record.encoded().write(to: url)
      #expect(try !stage(run, input: "a"))
      let text = try String(contentsOf: url, encoding: .utf8)
      try Data(text.replacing("\"other\"", with: "\"another\"").utf8).write(to: url)
      #expect(StageRecord.read(url) == nil)
      #expect(try stage(run, input: "a"))
      // A record of an older program tells the device alone.
      record.maker = nil
      try record.encoded().write(to: url)
      let old = try #require(StageRecord.read(url))
      #expect(StageMaker(old)?.version == nil && StageMaker(old)?.device == "a device")
      #expect(try !stage(run, input: "a"))
    }
  }

  @Test func aStageThatDoesNotEndLeavesNoRecordOfItsFormerOutputs() throws {
    struct Stop: Error {}
    try withTemporaryFolder { folder in
      let run = try RunDirectory(folder + "/r")
      #expect(try stage(run, input: "a"))
      #expect(throws: Stop.self) {
        _ = try run.stage("s", inputs: ["i": "b"], parameters: ["p": "1"], outputs: ["out"]) {
          try AtomicFile.write(Data("new".utf8), to: run.file("out"))
          throw Stop()
        }
      }
      #expect(!FileManager.default.fileExists(atPath: run.file("s.json")))
      #expect(try stage(run, input: "a"))
    }
  }

  @Test func whatALaterProgramMadeIsRefusedByName() throws {
    try withTemporaryFolder { folder in
      let run = try RunDirectory(folder + "/r")
      #expect(try stage(run, input: "a"))
      let url = URL(fileURLWithPath: run.file("s.json"))
      let record = try #require(StageRecord.read(url))
      for (what, change) in [
        ("numerics version \(numericsVersion + 1)", { $0.numerics += 1 }),
        ("stage version 9", { $0.version = 9 }),
      ] as [(String, (inout StageRecord) -> Void)] {
        var later = record
        change(&later)
        try later.encoded().write(to: url)
        do {
          _ = try stage(run, input: "b")
          Issue.record("\(what) was taken")
        } catch let error as TesseraError {
          #expect(error.kind == .input && error.place == url.path && error.found == what, "\(error)")
        }
        // Nothing was touched.
        #expect(try Data(contentsOf: url) == later.encoded())
      }
    }
  }

  @Test func aFolderServesOneRunAtATimeAndLosesLeftovers() throws {
    try withTemporaryFolder { folder in
      let leftovers = ["out.123.tmp", "pictures/mean.png.4.tmp", "repeat-1/best.safetensors.99.tmp"]
      let others = ["notes.tmp", "out.x.tmp", ".5.tmp", "mine/out.123.tmp"]
      for name in leftovers + others {
        let url = URL(fileURLWithPath: folder + "/" + name)
        try FileManager.default.createDirectory(
          at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data("half".utf8).write(to: url)
      }
      var run: RunDirectory? = try RunDirectory(folder)
      #expect(throws: TesseraError.self) { try RunDirectory(folder) }
      for name in leftovers {
        #expect(!FileManager.default.fileExists(atPath: folder + "/" + name), "\(name)")
      }
      for name in others { #expect(FileManager.default.fileExists(atPath: folder + "/" + name), "\(name)") }
      run = nil
      _ = run
      _ = try RunDirectory(folder)
    }
  }
}
