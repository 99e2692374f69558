// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import TesseraCompute
import Testing

@testable import TesseraPipeline

/// Figures: their axes, their files and their numbers.
@Suite struct FigureTests {
  @Test(arguments: [
    (0.0, 1.0, ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]),
    (0, 0.42, ["0.0", "0.1", "0.2", "0.3", "0.4", "0.5"]),
    (0.811, 0.874, ["0.80", "0.82", "0.84", "0.86", "0.88"]),
    (0, 5000, ["0", "1000", "2000", "3000", "4000", "5000"]),
    (-0.3, 0.3, ["-0.4", "-0.2", "0.0", "0.2", "0.4"]),
    (0, 0.0009, ["0.0000", "0.0002", "0.0004", "0.0006", "0.0008", "0.0010"]),
  ])
  func ticksAreRound(_ low: Double, _ high: Double, _ wanted: [String]) {
    let axis = Axis("x", from: low, to: high)
    #expect(axis.ticks.map(\.text) == wanted && axis.low <= low && axis.high >= high)
    #expect(axis.ticks.first?.at == axis.low && abs((axis.ticks.last?.at ?? 0) - axis.high) < 1e-9)
  }

  @Test func epochsAreWholeAndTightAxesEndWhereTheirValuesDo() {
    #expect(Axis("epoch", from: 0, to: 2, isWhole: true, isTight: true).ticks.map(\.text) == ["0", "1", "2"])
    let epochs = Axis("epoch", from: 1, to: 15, isWhole: true, isTight: true)
    #expect(epochs.ticks.allSatisfy { $0.at == $0.at.rounded() && (1...15).contains($0.at) })
    #expect(epochs.low == 1 && epochs.high == 15 && epochs.share(8) == 0.5)
    // Values that are all the same, and those that are none, have an axis too.
    #expect(Axis("y", from: 3, to: 3).ticks.count > 1 && Axis("y", from: .nan, to: .infinity).ticks.count > 1)
  }

  @Test func filesHaveTheirStyleAndNumbersAreTables() throws {
    let chart = Chart(
      curves: [
        .init(
          name: "a, \"b\"", style: "a", points: [(0, 0.5), (1, 0.75)], interval: [(0.4, 0.6), (0.7, 0.8)],
          marks: true)
      ], x: Axis("epoch", from: 0, to: 1), y: Axis("accuracy <1>", from: 0, to: 1), mark: (1, "kept: epoch 1")
    )
    let figure = chart.figure("name", "A caption & more.")
    #expect(
      figure.data.csv
        == "curve,epoch,accuracy <1>,low,high\n\"a, \"\"b\"\"\",0.0,0.5,0.4,0.6\n\"a, \"\"b\"\"\",1.0,0.75,0.7,0.8\n"
    )
    #expect(figure.file.hasPrefix("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 480 "))
    #expect(figure.file.contains("kept: epoch 1") && figure.file.contains("accuracy &lt;1&gt;"))
    // No variable of a page is in a file, which other programs draw.
    #expect(!figure.file.contains("var(") && figure.file.contains(".a{stroke:#1f6fb2}"))
    #expect(balanced(figure.file) && balanced(figure.html))
    #expect(figure.html.contains("download=\"name.svg\"") && figure.html.contains("A caption &amp; more."))
    let links = figure.html.matches(of: /href="data:[^,]*,([^"]*)"/).map { String($0.1) }
    #expect(links.map(\.removingPercentEncoding) == [figure.file, figure.data.csv])
    // An address ends at a hash, and colours have one.
    #expect(figure.file.contains("#") && !links.contains { $0.contains("#") })
  }

  /// Digits of a fingerprint may be broken anywhere, so that a table fits a phone; words and numbers may not.
  @Test func cellsAreBrokenWhereTheyMayBe() {
    let digits = String(repeating: "0f", count: 32)
    let table = HTMLPage.table(
      ["a", "b"], [["0.731 (0.539 to 0.863)", digits], ["what it is for, in words", "<1>"]])
    #expect(
      table.matches(of: /<td class="long">/).count == 1 && table.contains("<td class=\"long\">\(digits)</td>")
    )
    #expect(table.contains("<td>0.731 (0.539 to 0.863)</td>") && table.contains("<td>&lt;1&gt;</td>"))
    #expect(HTMLPage(title: "t").text.contains(".long{overflow-wrap:anywhere}"))
  }

  /// Whether every element is closed, in order.
  private func balanced(_ text: String) -> Bool {
    var open: [Substring] = []
    for match in text.matches(of: /<(\/?)([a-z]+)[^>]*?(\/?)>/) {
      if match.1.isEmpty, match.3.isEmpty { open.append(match.2) }
      if !match.1.isEmpty { guard open.popLast() == match.2 else { return false } }
    }
    return open.isEmpty
  }

  @Test func regionsAreSummedAndOutlined() {
    // 4 x 4 pixels in 2 x 2 regions.
    let sums = Regions.sums((0..<16).map { Float($0) }[...], side: 4, regions: 2)
    #expect(sums == [10, 18, 42, 50])
    #expect(Regions.sums([1, 2, 3, 4], side: 2) == [1, 2, 3, 4])
    // 5 pixels in 2 regions: the first three belong to the first.
    #expect(Regions.sums([Float](repeating: 1, count: 25)[...], side: 5, regions: 2) == [9, 6, 6, 4])
    let marks = Regions([1, 0.9, -0.8, 0.01], side: 2, most: 1, unit: "").marks(x: 0, y: 0, size: 20)
    #expect(marks.matches(of: /class="cam"/).count == 2 && marks.matches(of: /class="heat"/).count == 1)
    // Both strong regions side by side have one outline of six edges.
    let outline = marks.firstMatch(of: /class="edge for" d="([^"]*)"/)?.1 ?? ""
    #expect(outline.filter { $0 == "M" }.count == 6)
    #expect(marks.firstMatch(of: /class="edge against" d="([^"]*)"/)?.1.filter { $0 == "M" }.count == 4)
    #expect(Regions([0], side: 1, most: 0, unit: "").marks(x: 0, y: 0, size: 9).isEmpty)
  }

  @Test func coloursAreColours() {
    #expect(Palette.colour(0, of: 7) == "#4053b8" && Palette.colour(6, of: 7) == "#c43a58")
    #expect(Palette.colour(0, of: 1) == "#4053b8" && Palette.colour(9, of: 3) == "#c43a58")
    #expect(Set((0..<12).map { Palette.colour($0, of: 12) }).count == 12)
    #expect(Palette.grey(0) == "#000000" && Palette.grey(1) == "#ffffff")
  }

  /// The page of a run: figures of every part, each with its files, words for readers, rows, options and command.
  @Test func aRunsPageTellsAndSavesEverything() throws {
    try ProofRun.withRun { folder in
      let run = folder + "/honest"
      let page = try ReportPage(folder: run, device: try ProofRun.cpu())
      let html = try page.html()
      let names = page.shelf.figures.map(\.name)
      #expect(Set(names).count == names.count, "\(names)")
      for name in [
        "layout-places", "layout-pixels", "loss", "validation-accuracy", "roc", "calibration", "confusion",
        "paper",
      ] {
        #expect(names.contains(name), "\(name)")
      }
      for ending in ["-image", "-linear-path", "-features"] {
        #expect(names.contains { $0.hasSuffix(ending) }, "\(ending)")
      }
      #expect(page.shelf.figures.allSatisfy { balanced($0.file) && !$0.data.rows.isEmpty })
      for text in [
        "How to read this page", "linear probe", "kept: epoch", "<td>--pixels</td><td>12</td>",
        "<td>--classifier-lr</td>",
        "looked at once, for the figures on this page", "standard deviations from the mean", "<mark class=",
      ] { #expect(html.contains(text), "\(text)") }
      #expect(try page.html() == html)
      let curve = page.shelf.figures.first { $0.name == "validation-accuracy" }?.data.rows ?? []
      #expect(curve.count == page.data.history.count && curve.count > 1)
      // The log of the epochs is no record's: it changes nothing.
      let log = URL(fileURLWithPath: run + "/epochs.json"), own = try Data(contentsOf: log)
      try Data("[]".utf8).write(to: log)
      #expect(try ReportPage(folder: run, device: try ProofRun.cpu()).html() == html)
      try own.write(to: log)
      try page.write(in: run)
      let pictures = try FileManager.default.contentsOfDirectory(atPath: run + "/pictures")
      for name in names {
        #expect(pictures.contains("figure-\(name).svg") && pictures.contains("figure-\(name).csv"))
      }
      // A page that is made again leaves nothing of the last one.
      try Data("x".utf8).write(to: URL(fileURLWithPath: run + "/pictures/figure-old.svg"))
      try page.write(in: run)
      #expect(!FileManager.default.fileExists(atPath: run + "/pictures/figure-old.svg"))
    }
  }

  /// What stretches of a text change is what leaving them out changes.
  @Test func stretchesAreAWholeText() throws {
    try ProofRun.withRun { folder in
      let predictor = try Predictor(run: folder + "/honest", devices: .init(try ProofRun.cpu()))
      let text = " a film  the was\nit good great , fine and very dull "
      let stretches = try predictor.stretches(text, target: 1, most: 4)
      #expect(
        stretches.map { String(text[$0.range]) } == [
          "a film  the", "was\nit good", "great , fine", "and very dull",
        ])
      let whole = try predictor.predict([text])[0]
      for stretch in stretches {
        let other = try predictor.predict([
          String(text[..<stretch.range.lowerBound] + text[stretch.range.upperBound...])
        ])[0]
        let fall = Predictor.lead(whole.logProbabilities, 1) - Predictor.lead(other.logProbabilities, 1)
        #expect(fall == stretch.evidence)
      }
      #expect(try predictor.stretches("one", target: 1, most: 4).isEmpty)
      #expect(try predictor.stretches(text, target: 7, most: 4).isEmpty)
    }
  }
}
