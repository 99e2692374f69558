import Testing

@testable import TesseraCompute

@Suite struct MemoryTests {
  @Test func transposeSwapsRowsAndColumns() throws {
    var reference = try Reference()
    for (rows, columns) in [(1, 1), (15, 17), (16, 16), (33, 7), (64, 65), (0, 4)] {
      let (x, values) = try reference.input([rows, columns])
      let y = try reference.empty(columns, rows)
      try reference.device.transpose(x, rows: rows, columns: columns, into: y)
      try reference.expect(y, (0..<rows * columns).map { values[$0 % rows * columns + $0 / rows] }, 0)
    }
  }

  @Test func swappedAxesMoveRows() throws {
    var reference = try Reference()
    for (outer, a, b, inner) in [(1, 2, 3, 1), (2, 5, 3, 65), (3, 1, 4, 7)] {
      let (x, values) = try reference.input([outer, a, b, inner])
      let y = try reference.empty(outer, b, a, inner)
      try reference.device.swapAxes(x, outer: outer, a: a, b: b, inner: inner, into: y)
      let wanted = (0..<outer * a * b * inner).map { at in
        let (row, column) = (at / inner, at % inner)
        let (o, q, r) = (row / (a * b), row / a % b, row % a)
        return values[((o * a + r) * b + q) * inner + column]
      }
      try reference.expect(y, wanted, 0)
    }
  }

  @Test func everyElementIsFilled() throws {
    let device = try CPUBackend(threads: 3)
    for count in [0, 1, 63, 64, 65, 4097] {
      let y = try device.allocate([count], .float32)
      try device.fill(y, with: 2.5)
      #expect(try device.floats(y) == [Float](repeating: 2.5, count: count))
    }
  }

  @Test func readingBackChecksItsBounds() throws {
    let device = try CPUBackend(threads: 1)
    let x = try device.tensor([Float](arrayLiteral: 1, 2, 3), [3])
    var two: [Float] = [0, 0]
    try two.withUnsafeMutableBytes { try device.download(x, offset: 1, into: $0) }
    #expect(two == [2, 3])
    #expect(throws: TesseraError.self) {
      try two.withUnsafeMutableBytes { try device.download(x, offset: 2, into: $0) }
    }
  }
}
