// SPDX-License-Identifier: Apache-2.0
import Foundation
import TesseraCompute
import Testing

@testable import TesseraData

@Suite struct JSONFormatTests {
  private func rows(_ text: String, labelled: Bool = true) throws -> [[String?]] {
    try JSONFormat(bytes: Array(text.utf8), path: "f", format: DataFormat(), labelled: labelled).read().rows
      .map {
        [$0.text, $0.label]
      }
  }

  private func refusal(_ text: String) -> String {
    do {
      return "read: \(try rows(text))"
    } catch {
      return "\(error)"
    }
  }

  @Test func linesAndArraysGiveTheSameRows() throws {
    let objects = [
      #"{"text":"good \"one\"\n\u00e9\ud83d\ude00\/","label":"pos","x":{"a":[1,{"b":null}],"c":"]}"}}"#,
      #"{ "label" : "neg" , "text" : "bad" }"#,
    ]
    let wanted: [[String?]] = [["good \"one\"\n\u{e9}\u{1f600}/", "pos"], ["bad", "neg"]]
    let (lines, list) = (objects.joined(separator: "\n"), objects.joined(separator: ","))
    let texts: [String] = [
      lines, objects.joined(separator: "\r\n") + "\r\n", objects.joined(separator: "\r"),
      "\n\n" + objects.joined(separator: "\n \n") + "\n\n", "[\(list)]", "[\n\(list)\n]\n",
      " [ " + objects.joined(separator: " , ") + " ] ",
    ]
    for text in texts { #expect(try rows(text) == wanted, "\(text)") }
    #expect(try rows("[]").isEmpty)
    let some = #"{"text":"a","label":1}{"text":"b","label":""}{"text":"c"}"#
    let format = DataFormat(labels: try LabelRules("="))
    let data = try JSONFormat(bytes: Array(some.utf8), path: "f", format: format, labelled: true).read()
    #expect(data.rows.count == 1 && data.leftOut == [.init(what: "rows without a label", count: 2)])
  }

  @Test func labelsAreAsTheyAreWritten() throws {
    let text = ["1", "1.0", "\"1\"", "-2e3", "true", "false"].map { #"{"text":"t","label":\#($0)}"# }
    #expect(try rows(text.joined(separator: "\n")).map(\.[1]) == ["1", "1.0", "1", "-2e3", "true", "false"])
    #expect(try rows(#"{"text":"t","label":null}"#, labelled: false) == [["t", nil]])
  }

  @Test func whatIsNoRowIsNamedByItsLine() {
    let good = #"{"text":"t","label":1}"# + "\n"
    let cases: [(String, String)] = [
      (good + #"{"text":"x""#, "line 2: found the end of the file"), (good + "{\"text\":\"a\nb\"}", "line 2"),
      (good + #"{"text":3,"label":1}"#, "line 2: found no text: the field text is a number"),
      (good + #"{"text":"x","label":{}}"#, "line 2: found no label: the field label is nested"),
      (good + #"{"text":{"0":"a"},"label":{"0":1}}"#, "the field text is nested"),
      (
        good + #"{"text":"x"}"#,
        "no label: fields text, none of them sentiment or label or class (--label-column)"
      ),
      (
        good + #"{"body":"x"}"#,
        "no text: fields body, none of them review or text or sentence (--text-column)"
      ),
      (good + #"{"text":"x","text":"y","label":1}"#, "the field text twice"),
      (good + #"{"text":"\ud800","label":1}"#, "half a surrogate pair"),
      (good + "[1, 2]", "line 2: found [1, 2]"),
      (good + #"{"text":"\x","label":1}"#, "an escape"), (good + "NaN", "line 2"),
      (good + #"{"text":01}"#, "line 2"),
      (good + "{\"x\":" + String(repeating: "[", count: 100_000), "brackets"),
      ("[" + good, "the end of the file within the array"), ("[\(good)]x", "after the array"),
      ("[\(good)\(good)]", "for a comma or the array's end"), ("[1]", "no JSON object"),
      (#"{"data":[{"text":"a"}]}"#, "fields data"),
    ]
    for (text, words) in cases {
      #expect(refusal(text).contains(words), "\(text.prefix(99)): \(refusal(text))")
    }
  }

  @Test func everythingElseIsNoJSON() {
    for text in ["{\"a\"", "{ \n\"", "[{", "{}", "[ {"] { #expect(JSONFormat.isJSON(Array(text.utf8))) }
    for text in ["", "{", "[", "[CLS] x", "{a", "text,label", "[\"a\"]"] {
      #expect(!JSONFormat.isJSON(Array(text.utf8)))
    }
  }
}
