// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import TesseraCompute
import Testing

@testable import TesseraText

/// Token ids of encoder folders in every setting are those of Hugging Face's `AutoTokenizer`
/// (tools/golden/folders.py).
@Suite struct FolderTests {
  private struct Wanted: Decodable {
    let texts: [String], files: [String: String], folders: [Case]
  }

  private struct Case: Decodable {
    let name: String, ids: [[Int32]], files: [String: String?]
  }

  static func tokenizer(_ files: [String: String]) throws -> SubwordTokenizer {
    try withTemporaryFolder { folder in
      for (name, text) in files {
        try Data(text.utf8).write(to: URL(fileURLWithPath: folder).appendingPathComponent(name))
      }
      let folder = try EncoderFolder(folder)
      return try SubwordTokenizer(folder: folder, configuration: try folder.configuration())
    }
  }

  @Test func everySettingHasTheReferencesIDs() throws {
    let wanted = try Golden(.module).json("folders.json", as: Wanted.self)
    #expect(wanted.folders.count > 60 && wanted.texts.count > 30)
    for item in wanted.folders {
      let files = wanted.files.merging(item.files.compactMapValues { $0 }) { $1 }
        .filter { !(item.files.keys.contains($0.key) && item.files[$0.key] == .some(nil)) }
      do {
        let tokenizer = try Self.tokenizer(files)
        for (text, ids) in zip(wanted.texts, item.ids) {
          #expect(tokenizer.encode(text) == ids, "\(item.name): \(text.debugDescription)")
        }
      } catch {
        Issue.record("\(item.name): \(error)")
      }
    }
  }
}
