// SPDX-License-Identifier: Apache-2.0
import Foundation
import TesseraCompute
import TesseraData

extension Rows {
  /// Tables of numbers.
  func tables() {
    function("TableColumns.init()")
    gives("no column is left out", 0) { TableColumns().ignored.count }
    function("TableRequest.init()")
    gives("labels are needed", true) { TableRequest().labelled }
    func table(_ text: String, _ change: (inout TableRequest) -> Void = { _ in }) throws -> NumberTable {
      let path = folder + "/numbers.csv"
      try Data(text.utf8).write(to: URL(fileURLWithPath: path))
      var request = TableRequest()
      change(&request)
      return try NumberTable.read(path, request)
    }
    function("NumberTable.read(_:_:)")
    for path in ["", "/no/such", folder, "/dev/null"] {
      refuses("'\(path.suffix(8))'") { try NumberTable.read(path, TableRequest()).count }
    }
    refuses("no classes to choose of") { try table("a,label\n1,x\n") { $0.classes = [] }.count }
    refuses("no features wanted") { try table("a,label\n1,x\n2,y\n") { $0.wanted = [] }.count }
    refuses("a feature wanted twice") {
      try table("a,label\n1,x\n2,y\n") { $0.wanted = ["a", "a", "b"] }.count
    }
    gives("a feature twice", 2) {
      try table("a,label\n1,x\n2,y\n") { $0.wanted = ["a", "a"] }.count
    }
    function("NumberTable.requireComplete()")
    refuses("a missing value") { try table("a,label\n1,x\n,y\n").requireComplete() }
    works("none") { try table("a,label\n1,x\n2,y\n").requireComplete() }
    function("NumberTable.requireRowsOfEachClass()")
    refuses("a row alone") { try table("a,label\n1,x\n2,y\n").requireRowsOfEachClass() }
  }
}
