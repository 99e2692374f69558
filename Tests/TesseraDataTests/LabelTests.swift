// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import TesseraCompute
import Testing

@testable import TesseraData

/// What labels stand for, and what is refused because it looks like a mistake.
@Suite struct LabelTests {
  private func read(_ labels: [String], _ rules: String = "", classes: [String]? = nil, json: Bool = false)
    throws
    -> DataSet
  {
    try withTemporaryFolder { folder in
      let path = folder + (json ? "/a.jsonl" : "/a.csv")
      let lines = labels.enumerated().map {
        json ? #"{"text":"t\#($0)","label":\#($1)}"# : "t\($0),\"\($1)\""
      }
      let text = ((json ? [] : ["text,label"]) + lines).joined(separator: "\n")
      try Data(text.utf8).write(to: URL(fileURLWithPath: path))
      return try DataSet.read(path, format: DataFormat(labels: try LabelRules(rules)), classes: classes)
    }
  }

  private func names(_ labels: [String], _ rules: String, classes: [String]? = nil) throws -> [String] {
    let data = try read(labels, rules, classes: classes)
    return data.labels.map { data.classes[Int($0)] }
  }

  private func refusal(_ labels: [String], _ rules: String = "", json: Bool = false) -> String {
    do {
      return "read: \(try read(labels, rules, json: json).classes)"
    } catch {
      return "\(error)"
    }
  }

  @Test func spellingsOfOneLabelAreRefusedWithTheOption() {
    for labels in [
      ["1.0", "0", "1", "0.0"], ["Positive", "positive", "negative", "NEGATIVE"], ["true", "True", "false"],
      ["very  good", "very good", "bad"], ["caf\u{e9}", "cafe\u{301}", "x"], ["good", "\u{ff47}ood", "x"],
      ["a\u{ad}c", "ac", "b"], ["7", "07", "x"], ["1e1", "10", "x"], ["STRASSE", "strasse", "x"],
    ] {
      let message = refusal(labels)
      #expect(
        message.contains("labels that look like one") && message.contains("--labels merge"), "\(message)")
      #expect(!refusal(labels, "as-is").contains("found"))
      #expect(!refusal(labels, "merge").contains("found"))
    }
    #expect(refusal(["1", "0.0", "1.0", "\"1\""], json: true).contains("\"1\" and \"1.0\""))
    #expect(refusal(["\"pos\"", "\" pos\"", "\"neg\""], json: true).contains("\" pos\" and \"pos\""))
    for labels in [["1", "2", "10"], ["a b", "ab", "b"], ["nan", "inf", "0x1", "1"], ["1/2", "2/1"]] {
      #expect(!refusal(labels).contains("look like one"), "\(refusal(labels))")
    }
  }

  @Test func mergedLabelsAreOneClass() throws {
    #expect(
      try names(["Positive", "positive", " NEG  x", "neg x"], "merge") == [
        "positive", "positive", "neg x", "neg x",
      ])
    #expect(try names(["1.0", "0", "1", "0.50", "+.5"], "merge") == ["1", "0", "1", "0.5", "0.5"])
    #expect(try names(["POS", "neg"], "merge", classes: ["neg", "pos"]) == ["pos", "neg"])
  }

  @Test func rulesMapLeaveOutAndCompare() throws {
    #expect(
      try names(["pos", "neg", "pos"], "pos=positive,neg=negative") == ["positive", "negative", "positive"])
    #expect(try names(["a", "b", "c", "a"], "c=b") == ["a", "b", "b", "a"])
    let some = try read(["a", "b", "?", "a"], "?=")
    #expect(
      some.texts == ["t0", "t1", "t3"] && some.summary.leftOut == [.init(what: "rows by --labels", count: 1)])
    #expect(try names(["a", "", "b", " "], "=") == ["a", "b"])
    #expect(refusal(["a", "", "b"]).contains("line 3: found no label"))
    #expect(try names(["7", "6.9", "10", "-1"], ">=7") == [">=7", "<7", ">=7", "<7"])
    #expect(try names(["1", "5", "9", "4"], "<=4=bad,>=7=good,*=") == ["bad", "good", "bad"])
    #expect(try names(["1", "5", "9"], "<3=low,>3=high") == ["low", "high", "high"])
    #expect(try names(["a,b", "c=d", "e\\f"], #"a\,b=x,c\=d=y"#) == ["x", "y", "e\\f"])
    #expect(try names(["a", "b", "zz"], "a=1,*=2") == ["1", "2", "2"])
    #expect(try names(["a", "A", "b"], "as-is,b=c") == ["a", "A", "c"])
  }

  @Test func rulesThatCannotBeMeantAreRefused() {
    for (rules, words) in [
      ("pos", "found pos"), ("=x", "found =x"), (">=x", "a number after >="),
      ("a=b,>=7", "as there are other rules"),
      ("a=b,", "an empty rule"), ("a=b=c", "found a=b=c"),
    ] { #expect(refusal(["a", "b"], rules).contains(words), "\(refusal(["a", "b"], rules))") }
    #expect(refusal(["a", "b"], "c=a").contains("a rule for c, which no row"))
    #expect(refusal(["1", "2", "x"], ">=2").contains("line 4: found the label x, which no rule"))
    #expect(refusal(["1", "2", "3"], "<2=a,>2=b").contains("found the label 2, which no rule"))
  }

  @Test func rulesOfARunHoldForOtherRows() throws {
    // A label that only the training rows have is no mistake in others.
    #expect(try names(["b", "b"], "a=x,b=y", classes: ["x", "y"]) == ["y", "y"])
    #expect(refusalOf { try read(["Y"], "a=x", classes: ["x", "y"]) }.contains("(--labels says"))
  }

  private func refusalOf(_ body: () throws -> DataSet) -> String {
    do {
      return "read: \(try body().classes)"
    } catch {
      return "\(error)"
    }
  }

  @Test func manyNumbersAreNoClassesUnlessThatIsSaid() throws {
    let ratings = (0..<42).map { "\($0 % 21)" }
    #expect(refusal(ratings).contains("found 21 numbers as labels in 42 rows"))
    #expect(refusal(ratings).contains("--labels '>=7'"))
    #expect(try read(ratings, "as-is").classes.count == 21)
    #expect(try read((0..<40).map { "\($0 % 20)" }).classes.count == 20)
    #expect(try read((0..<42).map { "c\($0 % 21)" }).classes.count == 21)
  }

  @Test func aClassOfOneRowIsRefusedWhereRowsAreDivided() throws {
    let single = try read(["a", "b", "a"])
    #expect(throws: TesseraError.self) { try single.requireRowsOfEachClass() }
    try read(["a", "b", "a"], "as-is").requireRowsOfEachClass()
    try read(["a", "b", "a", "b"]).requireRowsOfEachClass()
  }

  @Test func theLineBeforeWorkNamesRowsAndClasses() throws {
    #expect(try read(["a", "b", "a"]).summary.line == "3 rows; 2 classes: a 2, b 1; columns text and label")
    let many = try read((0..<30).map { "c\($0)" }).summary.line
    #expect(many.hasPrefix("30 rows; 30 classes: c0 1, ") && many.contains(", 20 more;"))
  }

  @Test func rulesAreWrittenAsTheyWereGiven() throws {
    let rules = try LabelRules("<=4=bad,>=7=good,*=")
    #expect(try JSONDecoder().decode(LabelRules.self, from: JSONEncoder().encode(rules)) == rules)
  }
}
