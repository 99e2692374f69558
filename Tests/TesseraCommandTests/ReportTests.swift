// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import Testing

/// The page of a run, also in a real browser; and predictions as JSON lines.
@Suite struct ReportTests {
  private struct Line: Decodable {
    struct Evidence: Decodable {
      struct Feature: Decodable { let state: Int, element: Int, evidence: Float }
      let byState: [String: Float], features: [Feature]
      let linearByState: [String: Float]?, linearFeatures: [Feature]?
    }
    let text: String, label: String, probability: Float, probabilities: [String: Float]
    let image: String?, evidence: Evidence?, words: [Word]?

    struct Word: Decodable { let word: String, index: Int, evidence: Float }

    /// The lead of a class in log-odds; there are two.
    func lead(of label: String) throws -> Double {
      let other = try #require(probabilities.first { $0.key != label })
      return log(Double(try #require(probabilities[label]))) - log(Double(other.value))
    }
  }

  private static let browser = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"]
    .first { FileManager.default.isExecutableFile(atPath: $0) }

  /// A finished run whose texts would like to be more than texts.
  private func withRun(_ body: (String) throws -> Void) throws {
    try withTemporaryFolder { folder in
      try TinyEncoder.write(to: folder + "/encoder")
      let hostile = "</blockquote><script>throw 1</script><img src=http://127.0.0.1:9/x> & "
      let reviews = TinyEncoder.reviews(60).replacingOccurrences(of: "\n\"", with: "\n\"" + hostile)
      try Data(reviews.utf8).write(to: URL(fileURLWithPath: folder + "/reviews.csv"))
      let run = try Command.run([
        "run", "--data", folder + "/reviews.csv", "--encoder", folder + "/encoder", "--out", folder + "/a",
        "--model",
        "alexnet", "--pixels", "20", "--perplexity", "5", "--iterations", "300", "--epochs", "2", "--batch",
        "8",
        "--device", "cpu", "--test-share", "0.4",
      ])
      #expect(run.code == 0, "\(run.errors)")
      // The run makes its page, with the command that made it.
      let page = try String(contentsOfFile: folder + "/a/report.html", encoding: .utf8)
      #expect(page.contains("--test-share 0.4") && page.contains("<td>ended</td>"))
      try body(folder)
    }
  }

  /// What a browser finds wrong with a page: console messages of errors and failed requests; and the page
  /// as it ended.
  private func complaints(_ path: String, _ folder: String) throws -> (lines: [Substring], dom: String) {
    let result = try Command.shell(
      "\(Self.browser ?? "false") --headless=new --no-sandbox --disable-gpu --user-data-dir='\(folder)/profile' "
        + "--enable-logging=stderr --v=0 --virtual-time-budget=3000 --dump-dom 'file://\(path)'")
    return (result.errors.split(separator: "\n").filter { $0.contains("CONSOLE") }, result.output)
  }

  @Test func thePageIsSelfContainedAndTextsStayTexts() throws {
    try withRun { folder in
      let report = try Command.run(["report", "--run", folder + "/a", "--device", "cpu"])
      #expect(report.code == 0, "\(report.errors)")
      let path = folder + "/a/report.html"
      let page = try String(contentsOf: URL(fileURLWithPath: path), encoding: .utf8)
      for heading in ["Result", "Layout of the features", "Learning", "Errors", "Stages", "Parameters"] {
        #expect(page.contains("<h2>\(heading)</h2>"))
      }
      #expect(page.contains("&lt;script&gt;") && !page.contains("<script"))
      let places = page.matches(of: /(?:src|href)="([^"]*)"/).map { $0.1 }
      #expect(places.contains { $0.hasPrefix("data:text/csv") })
      #expect(places.allSatisfy { $0.hasPrefix("data:") || $0.hasPrefix("#s") })
      // What is no number would stand in a place or among the words; images are of letters.
      let words = page.replacing(/data:image\/png;base64[^"]*/, with: "")
      #expect(!page.contains("url(") && !page.contains("@import") && !words.contains("nan"))
      for digits in report.fingerprints { #expect(page.contains(digits)) }
      guard Self.browser != nil else { return }
      let found = try complaints(path, folder)
      #expect(found.lines.isEmpty && found.dom.contains("<h2>Parameters</h2>"), "\(found.lines)")
    }
  }

  @Test(.enabled(if: ReportTests.browser != nil)) func theBrowserWouldComplain() throws {
    try withTemporaryFolder { folder in
      let page =
        "<html><body><img src=\"http://127.0.0.1:9/x.png\"><script>console.error('no')</script></body></html>"
      try Data(page.utf8).write(to: URL(fileURLWithPath: folder + "/p.html"))
      #expect(try complaints(folder + "/p.html", folder).lines.count >= 1)
    }
  }

  @Test func predictionsAsJSONLines() throws {
    try withRun { folder in
      let run = ["predict", "--json", "--run", folder + "/a", "--device", "cpu"]
      let texts = (0..<40).map { "good film \"\($0)\" \\ end" }
      let result = try Command.run(run + ["--image", "--evidence"], input: texts.joined(separator: "\n"))
      #expect(result.code == 0, "\(result.errors)")
      let lines = try result.output.split(separator: "\n").map {
        try JSONDecoder().decode(Line.self, from: Data($0.utf8))
      }
      #expect(lines.map(\.text) == texts)
      for line in lines {
        #expect(abs(line.probabilities.values.reduce(0, +) - 1) < 1e-5)
        #expect(line.probabilities[line.label] == line.probability && line.probability >= 0.5)
        #expect(line.image.flatMap { Data(base64Encoded: $0) }?.prefix(4) == Data([0x89, 0x50, 0x4e, 0x47]))
        let evidence = try #require(line.evidence)
        #expect(evidence.features.count == 10 && !evidence.byState.isEmpty)
        #expect(evidence.features.allSatisfy { $0.evidence >= 0 && $0.evidence <= 1 })
        // On by default: the path's shares, the largest first.
        let linear = try #require(evidence.linearFeatures?.map { abs($0.evidence) })
        #expect(linear.count == 10 && linear == linear.sorted(by: >) && evidence.linearByState?.count == 2)
      }
      let short = try Command.run(run, input: texts[7])
      let first = try JSONDecoder().decode(Line.self, from: Data(short.output.utf8))
      #expect(first.image == nil && first.evidence == nil && first.probabilities == lines[7].probabilities)
      #expect(try Command.run(["predict", "--image", "--run", folder + "/a"], input: "x").code == 2)
    }
  }

  @Test func aWordMattersByWhatItsAbsenceChanges() throws {
    try withRun { folder in
      func lines(_ options: [String], _ texts: [String]) throws -> [Line] {
        let run = ["predict", "--json", "--run", folder + "/a", "--device", "cpu"]
        let result = try Command.run(run + options, input: texts.joined(separator: "\n"))
        #expect(result.code == 0, "\(result.errors)")
        return try result.output.split(separator: "\n").map {
          try JSONDecoder().decode(Line.self, from: Data($0.utf8))
        }
      }
      let text = "the plot was  awful, the cast great: the film superb! an ending and one more awful scene"
      let found = try #require(try lines(["--words"], [text]).first)
      let words = try #require(found.words)
      let all = text.split(separator: " ").map(String.init)
      #expect(words.count == 10 && words.allSatisfy { all[$0.index] == $0.word })
      #expect(words.map { abs($0.evidence) } == words.map { abs($0.evidence) }.sorted(by: >))
      #expect(Set(words.map(\.index)).count == 10 && abs(words[0].evidence) > 0)
      let without = try lines(
        [],
        words.map { word in
          all.enumerated().filter { $0.offset != word.index }.map(\.element).joined(separator: " ")
        })
      for (word, line) in zip(words, without) {
        let fall = try found.lead(of: found.label) - line.lead(of: found.label)
        #expect(abs(fall - Double(word.evidence)) < 1e-3, "\(word)")
      }
      #expect(try lines(["--words"], ["superb"]).first?.words?.isEmpty == true)
    }
  }
}
