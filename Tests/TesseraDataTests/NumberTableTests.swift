// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import TesseraCompute
import Testing

@testable import TesseraData

/// Tables of numbers in delimited text: columns by name, what is missing, what is refused and with which words.
@Suite struct NumberTableTests {
  private static let flowers = """
    id,width,height,kind
    a1,1,10,rose
    a2,2,20,lily
    a3,3,30,rose
    a4,4,40,lily

    """

  /// The table of a text, of which `change` says how it is read.
  private func read(
    _ text: String, _ name: String = "t.csv", _ change: (inout TableRequest) -> Void = { _ in }
  ) throws -> NumberTable {
    try withTemporaryFolder { folder in
      let path = "\(folder)/\(name)"
      try Data(text.utf8).write(to: URL(fileURLWithPath: path))
      var request = TableRequest()
      request.format.label = "kind"
      change(&request)
      return try NumberTable.read(path, request)
    }
  }

  private func refusal(
    _ text: String, _ name: String = "t.csv", _ change: (inout TableRequest) -> Void = { _ in }
  ) -> String {
    do {
      return "read: \(try read(text, name, change).summary.line)"
    } catch {
      return "\(error)".replacingOccurrences(of: #"[^ ]*/t\."#, with: "t.", options: .regularExpression)
    }
  }

  private func values(_ table: NumberTable) -> [Double] { table.values.gather(0..<table.count) }

  @Test func columnsAreFeaturesButForTheLabelAndWhatIsIgnored() throws {
    let table = try read(Self.flowers) { $0.columns.ignored = ["id"] }
    #expect(table.names == ["width", "height"] && table.classes == ["lily", "rose"])
    #expect(table.labels == [1, 0, 1, 0] && table.missing == nil)
    #expect(values(table) == [1, 10, 2, 20, 3, 30, 4, 40])
    #expect(table.summary.line.hasPrefix("4 rows; 2 classes: lily 2, rose 2; 2 features: width, height"))
    // Names without regard to case where they do not stand there as they are; a tab; quotes; gzip has its own test.
    let tabs = Self.flowers.replacing(",", with: "\t")
    let other = try read(tabs, "t.tsv") { ($0.format.label, $0.columns.ignored) = ("KIND", ["ID"]) }
    #expect(other.fingerprint == table.fingerprint)
    let quoted = "\"width\";\"kind\"\n\"1.5\";\"a, b\"\n 2 ;c\n"
    #expect(values(try read(quoted)) == [1.5, 2])
    let excel = try read("sep=;\r\n" + Self.flowers.replacing(",", with: ";").replacing("\n", with: "\r\n")) {
      $0.columns.ignored = ["id"]
    }
    #expect(excel.fingerprint == table.fingerprint)
    // Every part of the content is part of the fingerprint.
    for (old, new) in [("30", "31"), ("width", "breadth"), ("a4,4,40,lily", "a4,4,40,rose")] {
      let changed = try read(Self.flowers.replacing(old, with: new)) { $0.columns.ignored = ["id"] }
      #expect(changed.fingerprint != table.fingerprint, "\(new)")
    }
    // The usual names of labels.
    for name in ["label", "class", "target", "labels", "y"] {
      let usual = Self.flowers.replacing("kind", with: name)
      #expect(try read(usual) { ($0.format.label, $0.columns.ignored) = (nil, ["id"]) }.count == 4)
    }
  }

  @Test func numbersWithoutAHeaderAreColumnsByNumber() throws {
    let text = "1,10,x\n2,20,y\n3,30,x\n"
    let table = try read(text) { ($0.format.header, $0.format.label) = (false, "3") }
    #expect(table.names == ["column 1", "column 2"] && values(table) == [1, 10, 2, 20, 3, 30])
    let less = try read(text) {
      ($0.format.header, $0.format.label, $0.columns.ignored) = (false, "3", ["1"])
    }
    #expect(less.names == ["column 2"])
    #expect(
      refusal(text) { ($0.format.header, $0.format.label) = (false, nil) }.contains("here by its number"))
  }

  @Test func missingValuesAreNamed() throws {
    for word in ["", "NA", "nan", "inf", "?"] {
      let text = Self.flowers.replacing("a3,3,30", with: "a3,3,\(word)").replacing("a4,4", with: "a4,\(word)")
      let table = try read(text) { $0.columns.ignored = ["id"] }
      let missing = try #require(table.missing)
      #expect(missing.count == 2 && missing.place.hasSuffix("t.csv: line 4, column height"), "\(missing)")
      #expect(values(table).count { $0.isNaN } == 2)
      let error = #expect(throws: TesseraError.self) { try table.requireComplete() }
      #expect(error?.wanted.contains("--missing mean, median or zero") == true)
      #expect(table.summary.line.contains("2 missing values in 2 of the features"))
    }
  }

  @Test func whatIsNoNumberIsToldByItsColumn() {
    let head = "width,height,kind\n"
    #expect(
      refusal(Self.flowers)
        == "t.csv: line 2, column id: found \"a1\", wanted numbers in every column but the label's (--ignore id leaves the "
        + "column out; classes as numbers: pandas.get_dummies)")
    #expect(
      refusal(head + "1,\"1,5\",a\n2,2,b\n").contains(
        "column height: found \"1,5\", wanted a number with a decimal"))
    #expect(
      refusal(head + "1,1e31,a\n2,2,b\n").contains(
        "line 2, column height: found 1e31, wanted numbers up to 1e+30"))
    #expect(refusal(head + "1,1e999,a\n2,2,b\n").contains("found 1e999, wanted numbers up to"))
    #expect(refusal(head + "1,2\n").contains("line 2: found 2 fields, wanted 3"))
    #expect(refusal(head).contains("no rows after the header"))
    #expect(refusal("").contains("an empty file, wanted a table"))
    #expect(refusal("{\"a\": 1}\n").contains("found JSON, wanted a table"))
    #expect(
      refusal(",width,kind\n0,1,a\n1,2,b\n").contains(
        "column 1: found no name (the index that pandas writes?)"))
    #expect(refusal("w,w,kind\n0,1,a\n1,2,b\n").contains("columns 1 and 2 of the name w"))
    #expect(refusal("kind\na\nb\n").contains("no column that is a feature"))
    #expect(refusal("w,h\n1,2\n").contains("found columns w, h, wanted the labels in a column kind"))
    #expect(refusal("w,kind,kind\n1,2,3\n").contains("found 2 columns kind"))
    #expect(
      refusal(Self.flowers) { $0.columns.ignored = ["i"] }.contains("ignore: found i, which t.csv has not"))
    #expect(refusal(Self.flowers) { $0.columns.ignored = ["kind"] }.contains("found the label's column kind"))
    #expect(
      refusal(Self.flowers) { $0.columns.array = "X" }.contains("array: found data that are delimited text"))
    #expect(refusal(Self.flowers) { $0.format.text = "id" }.contains("text-column: found a table of numbers"))
  }

  @Test func labelsThatARegressionPredictsAreRefused() {
    let rows = (0..<30).map { "\($0),\(Double($0) / 4)\n" }.joined()
    #expect(
      refusal("w,kind\n" + rows).contains(
        "found 30 different numbers as labels, not all of them whole: targets of a regression?, wanted at most 20 classes:"
          + " --labels '>=3.75' makes two"))
    let whole = (0..<30).map { "\($0),\($0)\n" }.joined()
    #expect(refusal("w,kind\n" + whole).contains("30 different numbers as labels: targets of a regression?"))
    #expect(
      refusal("w,kind\n" + rows) { $0.format.labels = rule(">=3.75") }.contains(
        "2 classes: <3.75 15, >=3.75 15"))
    #expect(refusal("w,kind\n" + rows) { $0.format.labels = rule("as-is") }.contains("30 classes"))
    #expect(refusal("w,kind\n1,a\n2,a\n").contains("only the class a"))
    #expect(refusal("w,kind\n1,a\n2,\n").contains("line 3: found no label"))
    #expect(
      refusal("w,kind\n1,a\n2,\n3,b\n") { $0.format.labels = rule("=") }.contains(
        "left out 1 rows without a label"))
  }

  private func rule(_ text: String) -> LabelRules { (try? LabelRules(text)) ?? LabelRules() }

  @Test func rowsThatRulesLeaveOutAreGone() throws {
    let table = try read(Self.flowers + "a5,5,50,weed\n") {
      ($0.columns.ignored, $0.format.labels) = (["id"], rule("weed=,rose=red"))
    }
    #expect(table.classes == ["lily", "red"] && table.labels == [1, 0, 1, 0])
    #expect(values(table) == [1, 10, 2, 20, 3, 30, 4, 40])
    let first = try read(Self.flowers) {
      ($0.columns.ignored, $0.format.labels) = (["id"], rule("lily=tall"))
    }
    #expect(first.classes == ["rose", "tall"])
    let broken = refusal("w,kind\n1,weed\nNA,a\n3,b\n") { $0.format.labels = rule("weed=") }
    #expect(broken.contains("1 missing value in 1 of the features"))
  }

  @Test func columnsOfARunAreFoundByName() throws {
    let text = "kind,height,id,width\nrose,10,a1,1\nlily,20,a2,2\n"
    func wanted(_ request: inout TableRequest) {
      (request.wanted, request.known, request.labelled) = (["width", "height"], ["id", "kind"], false)
    }
    let table = try read(text, "t.csv", wanted)
    #expect(
      table.names == ["width", "height"] && values(table) == [1, 10, 2, 20] && table.labels == [-1, -1])
    // What the run ignores need not be there.
    #expect(values(try read("height,width\n10,1\n", "t.csv", wanted)) == [1, 10])
    #expect(
      refusal("height\n1\n", "t.csv", wanted).contains(
        "found no column width, wanted every feature of the run"))
    #expect(
      refusal("height,width,depth\n1,2,3\n", "t.csv", wanted).contains(
        "found the column depth, which the run has not, wanted the run's features alone (--ignore depth leaves it out)"
      ))
    let less = try read("height,width,depth\n1,2,3\n") {
      wanted(&$0)
      $0.columns.ignored = ["depth"]
    }
    #expect(values(less) == [2, 1])
    // A column of the name of a label that is a feature of the run.
    let named = try read("width,kind\n1,2\n") {
      wanted(&$0)
      $0.wanted = ["width", "kind"]
    }
    #expect(values(named) == [1, 2])
    let classes = try read(Self.flowers) {
      ($0.columns.ignored, $0.classes) = (["id"], ["lily", "oak", "rose"])
    }
    #expect(classes.labels == [2, 0, 2, 0])
    #expect(
      refusal(Self.flowers) { ($0.columns.ignored, $0.classes) = (["id"], ["lily", "oak"]) }.contains(
        "line 2: found the label rose, wanted lily or oak"))
  }

  @Test func otherFilesAreToldWithTheWayOut() throws {
    let parquet = refusal("PAR1xxxxxxxx", "t.parquet")
    #expect(parquet.contains("found a Parquet table, wanted a table: CSV, TSV, .npy, .npz or safetensors"))
    #expect(parquet.contains("pandas.read_parquet(FILE).to_csv(OTHER, index=False)"))
    #expect(refusal("SQLite format 3\0", "t.db").contains("an SQLite database"))
    #expect(refusal("[{\"a\": 1}]", "t.json").contains("pandas.read_json"))
    let error = #expect(throws: TesseraError.self) { try NumberTable.read("/no/such.csv", TableRequest()) }
    #expect(error?.found.contains("no readable file") == true)
    #expect(throws: TesseraError.self) { try NumberTable.read("/tmp", TableRequest()) }
  }
}
