// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import TesseraCompute
import Testing

@testable import TesseraImages

@Suite struct ScalerTests {
  @Test func trainingRowsAreLogarithmsOverTheLargest() throws {
    let (rows, columns) = (12, 7)
    let values = drawn(3, rows * columns, -3, 5)
    let chosen = [0, 2, 3, 8, 11]
    let device = try CPUBackend()
    let scaler = try Scaler.fit(Floats(values), columns: columns, rows: chosen, on: device)
    func logarithm(_ row: Int, _ c: Int) -> Double {
      let least = chosen.map { Double(values[$0 * columns + c]) }.min() ?? 0
      return log(max(1, Double(values[row * columns + c]) + abs(least) + 1))
    }
    let largest = chosen.flatMap { row in (0..<columns).map { logarithm(row, $0) } }.max() ?? 0
    let found = try scaler.apply(Floats(values), columns: columns, rows: Array(0..<rows), on: device)
    for row in 0..<rows {
      for c in 0..<columns {
        let wanted = min(1, logarithm(row, c) / largest)
        #expect(abs(Double(found[row * columns + c]) - wanted) < 1e-6)
      }
    }
    #expect(found.allSatisfy { $0 >= 0 && $0 <= 1 })
    #expect(chosen.contains { row in (0..<columns).contains { found[row * columns + $0] == 1 } })
  }

  @Test func unseenRowsAreClipped() throws {
    let device = try CPUBackend(threads: 1)
    let scaler = Scaler(minimum: [1, -2], maximum: 2)
    let found = try scaler.apply([-50, -50, 1e9, 1e9, 0, 0], columns: 2, rows: [0, 1, 2], on: device)
    #expect(Array(found[0..<4]) == [0, 0, 1, 1])
    #expect(abs(found[4] - Float(log(2.0) / 2)) < 1e-6 && abs(found[5] - Float(log(3.0) / 2)) < 1e-6)
  }

  @Test func wrongInputIsRefused() throws {
    let device = try CPUBackend(threads: 1)
    #expect(throws: TesseraError.self) { try Scaler.fit([], columns: 3, rows: [], on: device) }
    #expect(throws: TesseraError.self) {
      try Scaler(minimum: [0], maximum: 1).apply([1, 2], columns: 2, rows: [0], on: device)
    }
    do {
      try requireFinite("e.safetensors", [1, 2, 3, 4, .nan, 6], columns: 3)
      Issue.record("NaN passed")
    } catch {
      #expect("\(error)" == "e.safetensors: row 1, feature 1: found nan, wanted finite numbers")
    }
  }

  @Test func constantFeaturesStayFinite() throws {
    let device = try CPUBackend(threads: 1)
    let zeros = [Float](repeating: 0, count: 6)
    let scaler = try Scaler.fit(Floats(zeros), columns: 2, rows: [0, 1, 2], on: device)
    #expect(try scaler.apply(Floats(zeros), columns: 2, rows: [0, 1, 2], on: device) == zeros)
  }
}
