// SPDX-License-Identifier: Apache-2.0
import TestSupport
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

  @Test func aCopiedRegionIsAllThatChanges() throws {
    var reference = try Reference()
    let device = reference.device
    for (rows, columns) in [(1, 1), (3, 5), (7, 64), (0, 3), (2, 0)] {
      let (sourceStride, targetStride) = (columns + 3, columns + 1)
      let region = CopyRegion(
        rows: rows, columns: columns, sourceOffset: 2, sourceStride: sourceStride, destinationOffset: 4,
        destinationStride: targetStride)
      let (source, values) = try reference.input([2 + rows * sourceStride])
      let (target, before) = try reference.input([4 + rows * targetStride])
      let (whole, integers) = try reference.integers(values.count, below: 1 << 20)
      let out = try device.tensor([Int32](repeating: -1, count: before.count), [before.count])
      try device.copy(source, to: target, region: region)
      try device.copy(whole, to: out, region: region)
      var (wanted, wantedIntegers) = (before, [Int](repeating: -1, count: before.count))
      for row in 0..<rows {
        for column in 0..<columns {
          let (from, to) = (2 + row * sourceStride + column, 4 + row * targetStride + column)
          (wanted[to], wantedIntegers[to]) = (values[from], integers[from])
        }
      }
      try reference.expect(target, wanted, 0)
      #expect(try device.ints(out).map { Int($0) } == wantedIntegers)
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

  /// What a simulator is asked for with `TESSERA_OPENCL_BUFFERS=exact`: a read beyond a tensor is one
  /// beyond its buffer.
  @Test(.tags(.opencl), .enabled(if: TestDevices.hasOpenCL)) func buffersEndWhereTensorsDo() throws {
    let cl = try openCL().pointee
    let queue = try OpenCLQueue(cl, try TestDevices.first(), timed: false)
    for (exact, wanted) in [(true, 1004), (false, 1024)] {
      let pool = OpenCLMemoryPool(cl: cl, context: queue.context, exact: exact)
      let storage = try pool.storage(1004)
      #expect(storage.byteCount == 1004 && pool.highWaterMark == wanted)
      let empty = try pool.storage(0)
      #expect(empty.byteCount == 0)
    }
  }
}
