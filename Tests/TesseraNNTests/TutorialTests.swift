// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

/// The code of the articles that step through the examples is the examples' own.
@Suite struct TutorialTests {
  private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()

  @Test(arguments: [
    ("LearningXOR", "xor", 5), ("ReadingDigits", "digits", 6), ("ClassifyingReviews", "reviews", 7),
  ])
  func codeIsThatOfTheExamples(_ article: String, _ example: String, _ wanted: Int) throws {
    let text = try String(
      contentsOf: Self.root.appendingPathComponent("Sources/TesseraNN/Documentation.docc/\(article).md"),
      encoding: .utf8)
    let folder = Self.root.appendingPathComponent("Tests/Examples/Sources/\(example)")
    let sources = try FileManager.default.contentsOfDirectory(atPath: folder.path).map {
      "\n" + (try String(contentsOf: folder.appendingPathComponent($0), encoding: .utf8))
    }
    let blocks = text.components(separatedBy: "```swift\n").dropFirst().map {
      $0.components(separatedBy: "```")[0]
    }
    #expect(blocks.count == wanted)
    for block in blocks {
      // Whole lines, one after another.
      #expect(sources.contains { $0.contains("\n" + block) }, "\(article) has other code:\n\(block)")
    }
  }
}
