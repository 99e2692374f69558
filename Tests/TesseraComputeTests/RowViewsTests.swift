// SPDX-License-Identifier: Apache-2.0
import TestSupport
import Testing

@testable import TesseraCompute

/// Rows of a tensor to read: of the same memory, or a copy.
@Suite struct RowViewsTests {
  @Test(arguments: [[5, 16], [5, 3], [4, 2, 8], [3, 1]] as [[Int]])
  func rowsAreThoseOfTheTensor(_ shape: [Int]) throws {
    try check(shape, CPUBackend())
    if TestDevices.hasOpenCL { try check(shape, OpenCLBackend(TestDevices.first())) }
  }

  private func check(_ shape: [Int], _ device: any Backend) throws {
    let count = shape.reduce(1, *), row = count / shape[0]
    let values = drawn(3, count)
    let x = try device.tensor(values, shape)
    for begin in 0...shape[0] {
      for end in begin...shape[0] {
        let rows = try device.rows(begin..<end, of: x)
        #expect(rows.shape == [end - begin] + shape.dropFirst())
        #expect(try device.floats(rows) == Array(values[begin * row..<end * row]))
      }
    }
  }

  @Test func aViewOutlivesItsTensor() throws {
    let device = try CPUBackend()
    let values = drawn(5, 64)
    func part() throws -> Tensor { try device.rows(1..<3, of: try device.tensor(values, [4, 16])) }
    let view = try part()
    // Memory that was given back would be handed out again here.
    let other = try device.tensor([Float](repeating: 0, count: 64), [4, 16])
    #expect(try device.floats(view) == Array(values[16..<48]))
    #expect(other.storage !== view.storage)
  }

  @Test func rowsOutsideAreRefused() throws {
    let device = try CPUBackend()
    let x = try device.tensor(drawn(7, 6), [3, 2])
    #expect(throws: TesseraError.self) { try device.rows(1..<4, of: x) }
    #expect(throws: TesseraError.self) { try device.rows(-1..<1, of: x) }
    let scalar = try device.tensor([1], [])
    #expect(throws: TesseraError.self) { try device.rows(0..<1, of: scalar) }
  }
}
