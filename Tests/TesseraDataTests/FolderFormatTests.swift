// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import TesseraCompute
import Testing

@testable import TesseraData

/// Folders as people have them.
@Suite struct FolderFormatTests {
  private func withFiles(_ names: [String], _ body: (String) throws -> Void) throws {
    try withTemporaryFolder { folder in
      for name in names {
        let url = URL(fileURLWithPath: "\(folder)/\(name)")
        try FileManager.default.createDirectory(
          at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data("the text of \(name)".utf8).write(to: url)
      }
      try body(folder)
    }
  }

  private func refusal(_ path: String, _ part: DataSet.Part = .training) -> String {
    do {
      return "read: \(try DataSet.read(path, part: part).summary.line)"
    } catch {
      return "\(error)"
    }
  }

  private let good = ["neg/0_1.txt", "neg/1_1.txt", "pos/0_9.txt", "pos/1_9.txt"]

  @Test func hiddenFilesAndWhatSystemsLeaveBehindAreCounted() throws {
    let junk = [
      ".DS_Store", ".ipynb_checkpoints/0_9-checkpoint.txt", "pos/._0_9.txt", "pos/.DS_Store", "neg/Thumbs.db",
      "neg/desktop.ini", "__MACOSX/neg/._0_1.txt", "pos/0_9.txt~", ".git/config",
    ]
    try withFiles(good + junk + ["notes.txt", "neg/more.csv"]) { folder in
      let data = try DataSet.read(folder)
      #expect(data.classes == ["neg", "pos"] && data.texts.count == 4)
      #expect(
        data.summary.leftOut == [
          .init(what: "hidden files and folders", count: 9), .init(what: "other files", count: 2),
        ])
      #expect(data.summary.line.contains("left out 9 hidden files and folders, 2 other files"))
      #expect(data.texts.allSatisfy { $0.hasPrefix("the text of ") })
    }
  }

  @Test func endingsInAnyCaseAndNoneAtAll() throws {
    try withFiles(["Neg/a.TXT", "Pos/b.Txt"]) { folder in
      let data = try DataSet.read(folder)
      #expect(data.classes == ["Neg", "Pos"])
    }
    try withFiles(["rec.autos/101551", "sci.space/59497"]) { folder in
      let data = try DataSet.read(folder)
      #expect(data.texts == ["the text of rec.autos/101551", "the text of sci.space/59497"])
    }
    // Where there are .txt files, others are none.
    try withFiles(good + ["pos/README"]) { folder in
      let data = try DataSet.read(folder)
      #expect(data.texts.count == 4)
    }
  }

  @Test func partsOfASet() throws {
    let parts = ["train", "test"].flatMap { part in good.map { "\(part)/\($0)" } }
    try withFiles(parts + ["train/unsup/1.txt", "train/urls_pos.txt"]) { folder in
      let data = try DataSet.read(folder)
      #expect(data.texts[0] == "the text of train/neg/0_1.txt" && data.texts.count == 4)
      #expect(data.summary.line.contains("of its folder train; test not read"), "\(data.summary.line)")
      #expect(data.summary.line.contains("1 texts of unsup") && data.summary.line.contains("1 other files"))
      let test = try DataSet.read(folder, part: .test)
      #expect(test.texts[0] == "the text of test/neg/0_1.txt")
    }
    try withFiles(good.map { "train/\($0)" } + ["val/pos/1.txt"]) { folder in
      let data = try DataSet.read(folder)
      #expect(data.summary.line.contains("of its folder train; val not read"))
      #expect(refusal(folder, .test).contains("found the folders train, val"))
    }
    // Classes may be named so too.
    try withFiles(["train/a.txt", "car/b.txt"]) { folder in
      let data = try DataSet.read(folder)
      #expect(data.classes == ["car", "train"])
    }
  }

  @Test func foldersThatAreNoSetSayWhatIsWanted() throws {
    try withFiles(good.map { "aclImdb/train/\($0)" } + ["aclImdb/test/pos/1.txt"]) { folder in
      let message = refusal(folder)
      #expect(message.contains("found one folder, aclImdb, that holds test, train"), "\(message)")
      #expect(message.contains("give \(folder)/aclImdb"))
    }
    try withFiles(["books/pos/1.txt", "books/neg/1.txt", "dvd/pos/1.txt"]) { folder in
      #expect(refusal(folder).contains("\(folder)/books: found no .txt files, but the folders neg, pos"))
    }
    try withFiles(["pos/1.txt", "neg/1.csv"]) { folder in
      #expect(refusal(folder).contains("\(folder)/neg: found 1 files, none of them .txt"))
    }
    try withFiles(["a.txt", "b.txt"]) { folder in
      #expect(refusal(folder).contains("found 2 files and no folders"))
      let unlabelled = try DataSet.read(folder, labelled: false)
      #expect(unlabelled.texts.count == 2)
    }
    try withFiles(good) { folder in
      let manager = FileManager.default
      try manager.createDirectory(atPath: folder + "/empty", withIntermediateDirectories: true)
      #expect(refusal(folder).contains("\(folder)/empty: found an empty folder"))
      try manager.removeItem(atPath: folder + "/empty")
      // A link that leads back, and one that leads nowhere.
      try manager.createSymbolicLink(atPath: folder + "/neg/again", withDestinationPath: folder)
      let linked = try DataSet.read(folder)
      #expect(linked.summary.line.contains("1 folders inside classes"))
      try manager.createSymbolicLink(atPath: folder + "/pos/2.txt", withDestinationPath: "2.txt")
      #expect(refusal(folder).contains("/pos/2.txt: found no readable file"))
    }
  }

  @Test func textsInAnotherEncodingNameTheFileAndTheOption() throws {
    try withFiles(good) { folder in
      try Data([0x63, 0xe9]).write(to: URL(fileURLWithPath: folder + "/pos/0_9.txt"))
      #expect(refusal(folder).contains("/pos/0_9.txt: line 1: found bytes that are not UTF-8"))
      let latin = try DataSet.read(folder, format: .init(encoding: .latin1))
      #expect(latin.texts.contains("c\u{e9}"))
      try Data().write(to: URL(fileURLWithPath: folder + "/pos/0_9.txt"))
      let empty = try DataSet.read(folder)
      #expect(empty.summary.line.contains("1 text is empty"))
    }
  }
}
