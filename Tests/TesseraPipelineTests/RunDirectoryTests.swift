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

  @Test func aFolderServesOneRunAtATimeAndLosesLeftovers() throws {
    try withTemporaryFolder { folder in
      try Data("half".utf8).write(to: URL(fileURLWithPath: folder + "/out.123.tmp"))
      var run: RunDirectory? = try RunDirectory(folder)
      #expect(throws: TesseraError.self) { try RunDirectory(folder) }
      #expect(!FileManager.default.fileExists(atPath: folder + "/out.123.tmp"))
      run = nil
      _ = run
      _ = try RunDirectory(folder)
    }
  }
}
