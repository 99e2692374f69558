// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import TesseraCompute
import Testing

@testable import TesseraData

/// Columns brought to one scale: against NumPy's moments in binary64, and where scales go wrong.
@Suite struct ColumnScalerTests {
  private struct Told: Decodable {
    struct Moments: Decodable {
      let rows: [Int], mean: [Double], deviation: [Double], median: [Double], least: [Double], most: [Double]
    }
    let moments: Moments, scaled: [[Double]]
  }

  private func made(_ columns: [[String]]) throws -> NumberTable {
    var text = columns.indices.map { "c\($0)" }.joined(separator: ",") + ",label\n"
    for row in columns[0].indices {
      text += columns.map { $0[row] }.joined(separator: ",") + ",\(row % 2 == 0 ? "a" : "b")\n"
    }
    return try withTemporaryFolder { folder in
      try Data(text.utf8).write(to: URL(fileURLWithPath: folder + "/t.csv"))
      return try NumberTable.read(folder + "/t.csv", TableRequest())
    }
  }

  private func fit(
    _ table: NumberTable, _ rows: [Int], _ scaling: ColumnScaling = .standard,
    _ missing: MissingValues = .refuse
  ) throws -> ColumnScaler {
    try ColumnScaler.fit(table, rows: rows, scaling: scaling, missing: missing)
  }

  @Test func momentsAreNumPys() throws {
    let golden = Golden(.module)
    let told = try golden.json("arrays/arrays.json", as: Told.self)
    var request = TableRequest()
    request.labelled = false
    let table = try NumberTable.read(golden.path("arrays/f8.npy"), request)
    let scaler = try fit(table, told.moments.rows)
    for column in 0..<3 {
      #expect(abs(scaler.offset[column] / told.moments.mean[column] - 1) < 1e-12)
      #expect(abs(Double(scaler.scale[column]) * told.moments.deviation[column] - 1) < 1e-6)
    }
    let features = try scaler.features(table, rows: Array(0..<7))
    for (found, wanted) in zip(features, told.scaled.flatMap { $0 }) {
      #expect(abs(Double(found) - wanted) < 1e-5 * max(1, abs(wanted)), "\(found), \(wanted)")
    }
    let range = try fit(table, told.moments.rows, .minmax)
    let least = try range.features(table, rows: told.moments.rows)
    for column in 0..<3 {
      let own = stride(from: column, to: least.count, by: 3).map { least[$0] }
      #expect(abs((own.min() ?? 1)) < 1e-6 && abs((own.max() ?? 0) - 1) < 1e-6)
    }
    #expect(
      try fit(table, told.moments.rows, .none).features(table, rows: [3])
        == table.values.gather([3]).map { Float($0) })
  }

  @Test func whatIsMissingIsFilledByTheRule() throws {
    let columns = [["1", "NA", "3", "8", "NA"], ["10", "20", "", "40", "1000"]]
    let table = try made(columns)
    #expect(throws: TesseraError.self) { try fit(table, [0, 1, 2, 3]) }
    for (rule, wanted) in [
      (MissingValues.mean, [Float(4), Float(70) / 3]), (.median, [3, 20]), (.zero, [0, 0]),
    ] {
      let scaler = try fit(table, [0, 1, 2, 3], .none, rule)
      let features = try scaler.features(table, rows: Array(0..<5))
      #expect(features == [1, 10, wanted[0], 20, 3, wanted[1], 8, 40, wanted[0], 1000], "\(rule)")
      // The same value in the same place, whatever the scale.
      let scaled = try fit(table, [0, 1, 2, 3], .standard, rule)
      let back = Double(try scaled.features(table, rows: [1])[0]) / Double(scaled.scale[0]) + scaled.offset[0]
      #expect(abs(back - Double(wanted[0])) < 1e-5, "\(rule)")
    }
    // Rows that are not fitted on say nothing.
    var other = columns
    (other[0][4], other[1][4]) = ("99", "-5")
    #expect(
      try fit(table, [0, 1, 2, 3], .standard, .mean)
        == fit(made(other), [0, 1, 2, 3], .standard, .mean))
    let empty = #expect(throws: TesseraError.self) { try fit(table, [1, 4], .standard, .mean) }
    #expect(empty?.place == "column c0" && empty?.wanted.contains("--ignore c0") == true)
    for rows in [[], [-1], [5]] {
      #expect(throws: TesseraError.self) { try fit(table, rows, .standard, .mean) }
    }
  }

  @Test func scalesThatGoWrongElsewhere() throws {
    // Constant, of which rounding would make a mean that no value has; a large offset; the smallest and the largest.
    let table = try made([
      ["0.1", "0.1", "0.1", "7"], ["1600000000.25", "1600000000.5", "1600000000.75", "1600000001"],
      ["1e-300", "2e-300", "3e-300", "1"], ["1e30", "-1e30", "1e30", "0"],
    ])
    let scaler = try fit(table, [0, 1, 2])
    let features = try scaler.features(table, rows: Array(0..<4))
    func column(_ number: Int) -> [Float] { (0..<4).map { features[$0 * 4 + number] } }
    #expect(column(0) == [0, 0, 0, 0], "constant where it was fitted: nothing was learnt of it")
    let steps = column(1)
    #expect(zip(steps, steps.dropFirst()).allSatisfy { abs($1 - $0 - 1.2247449) < 1e-5 }, "\(steps)")
    #expect(features.allSatisfy { $0.isFinite && abs($0) <= ColumnScaler.largest })
    #expect(column(3)[1] < 0 && column(3)[0] > 0)
    #expect(
      try fit(made([["5", "5"]]), [0, 1], .minmax).features(made([["5", "6"]]), rows: [0, 1]) == [
        0, 0,
      ])
    #expect(throws: TesseraError.self) { try scaler.features(table, rows: [4]) }
    #expect(throws: TesseraError.self) { try scaler.features(made([["1", "2"]]), rows: [0]) }
    #expect(throws: TesseraError.self) {
      try ColumnScaler(names: ["a"], offset: [.nan], scale: [1], fill: [0])
    }
  }
}
