// SPDX-License-Identifier: Apache-2.0
internal import Kernels

/// Arrays that are seen through the same axes.
struct StridedLayout {
  /// One of them.
  struct Operand {
    var offset: Int
    var strides: [Int]

    /// The least and the greatest place of extents of 1 or more; nil beyond what indices reach.
    func places(_ extents: [Int]) -> ClosedRange<Int>? {
      let bound = -Int(Int32.max)...Int(Int32.max)
      guard bound.contains(offset) else { return nil }
      var (low, high) = (offset, offset)
      for (extent, stride) in zip(extents, strides) {
        guard bound.contains(extent), bound.contains(stride) else { return nil }
        let reach = (extent - 1) * stride
        (low, high) = (low + min(0, reach), high + max(0, reach))
        guard bound.contains(low), bound.contains(high) else { return nil }
      }
      return low...high
    }
  }

  var extents: [Int]
  var arrays: [Operand]

  /// Columns that are one item's: enough to be worth a group, few enough that a long row has many.
  static let chunk = 4096

  /// The same without axes of one index, and with axes that lie one after another in all arrays as one.
  var merged: StridedLayout {
    var (axes, steps): ([Int], [[Int]]) = ([], arrays.map { _ in [] })
    for (axis, extent) in extents.enumerated() where extent != 1 {
      let own = arrays.map { $0.strides[axis] }
      let isNext = axes.last != nil && zip(steps, own).allSatisfy { $0.last == $1 * extent }
      if isNext {
        axes[axes.count - 1] *= extent
        for index in steps.indices { steps[index][axes.count - 1] = own[index] }
      } else {
        axes.append(extent)
        for index in steps.indices { steps[index].append(own[index]) }
      }
    }
    return StridedLayout(
      extents: axes, arrays: zip(arrays, steps).map { .init(offset: $0.offset, strides: $1) })
  }

  /// The kernels' parameters. The last axis are columns.
  ///
  /// - Throws: `TesseraError` for more axes than kernels take.
  func parameters(_ place: String, op: Int32 = 0) throws -> tsr_strided_params {
    let layout = merged
    let most = Int(TSR_AXES) + 1
    guard layout.extents.count <= most else {
      throw TesseraError.failure(
        place, found: "\(extents) with \(layout.extents.count) axes that cannot be taken together",
        wanted: "\(most) at most")
    }
    let columns = layout.extents.last ?? 1
    let outer = layout.extents.dropLast()
    var p = tsr_strided_params()
    (p.rows, p.cols) = (Int32(extent: outer.reduce(1, *)), Int32(extent: columns))
    (p.axes, p.op) = (Int32(extent: outer.count), op)
    p.chunk = Int32(extent: max(1, min(columns, columns > 2 * Self.chunk ? Self.chunk : columns)))
    p.parts = (p.cols + p.chunk - 1) / p.chunk
    withUnsafeMutableBytes(of: &p.extents) { fill($0, Array(outer)) }
    withUnsafeMutableBytes(of: &p.offset) { fill($0, layout.arrays.map(\.offset)) }
    withUnsafeMutableBytes(of: &p.step) { fill($0, layout.arrays.map { $0.strides.last ?? 0 }) }
    withUnsafeMutableBytes(of: &p.strides) { bytes in
      for (index, array) in layout.arrays.enumerated() {
        fill(
          UnsafeMutableRawBufferPointer(rebasing: bytes[(index * Int(TSR_AXES) * 4)...]),
          Array(array.strides.dropLast()))
      }
    }
    return p
  }

  private func fill(_ bytes: UnsafeMutableRawBufferPointer, _ values: [Int]) {
    for (index, value) in values.enumerated() where (index + 1) * 4 <= bytes.count {
      bytes.storeBytes(of: Int32(extent: value), toByteOffset: index * 4, as: Int32.self)
    }
  }
}

extension tsr_strided_params {
  /// Items of a kernel.
  var items: Int { Int(rows) * Int(parts) }
}
