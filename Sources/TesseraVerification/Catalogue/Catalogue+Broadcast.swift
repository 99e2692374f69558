// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

extension Catalogue {
  /// Binary operations and selections that broadcast, and copies by strides.
  @_optimize(none)
  static var broadcastCases: [CatalogueCase] {
    let shapes: [([Int], [Int])] = [
      ([], []), ([3], []), ([1], [5]), ([4, 1], [1, 7]), ([2, 3, 65], [3, 1]), ([0, 3], [3]),
      ([5, 1, 2], [4, 1]),
      ([2, 1, 3, 1, 5], [1, 4, 1, 2, 1]),
    ]
    let every = BinaryOperation.allCases.flatMap { op in
      [([3, 1], [17]), ([19], [2, 19]), ([2, 19], [1])].map { broadcast(op, $0, $1) }
    }
    let long = [broadcast(.multiply, [], [9001]), broadcast(.subtract, [3, 8193], [3, 1])]
    let selections: [[[Int]]] = [
      [[], [], []], [[3, 1], [1, 17], []], [[0], [1], [1]], [[2, 3, 9], [3, 1], [2, 1, 1]],
      [[9001], [], [9001]],
    ]
    return shapes.map { broadcast(.divide, $0, $1) } + every + long + selections.map { select($0) }
      + stridedCases
  }

  private static var stridedCases: [CatalogueCase] {
    [
      stridedCopy(StridedCopy([]), 1, 1), stridedCopy(StridedCopy([0, 4]), 3, 3),
      stridedCopy(StridedCopy([4, 3, 5], sourceStrides: [1, 20, 4]), 60, 60),
      stridedCopy(StridedCopy([3, 65], sourceOffset: 194, sourceStrides: [-65, -1]), 195, 195),
      stridedCopy(StridedCopy([2, 3, 4], sourceOffset: 3, sourceStrides: [0, 1, 7]), 40, 24),
      stridedCopy(
        StridedCopy([3, 4], destinationOffset: 5, destinationStrides: [17, 3]), 12, 60),
      stridedCopy(StridedCopy([9001], sourceStrides: [2]), 18_002, 9001),
      stridedCopy(
        StridedCopy(
          [2, 3, 2, 3, 2, 2, 3, 2], sourceStrides: [1, 2, 6, 12, 36, 72, 144, 432]), 864, 864),
    ]
  }

  static func broadcast(_ op: BinaryOperation, _ a: [Int], _ b: [Int]) -> CatalogueCase {
    CatalogueCase("binaryBroadcast", "\(op) \(a) \(b)") { device in
      var inputs = CaseInputs(seed: 25)
      let p = try Broadcast([a, b])
      let c = try device.allocate(p.output, .float32)
      let x = try device.tensor(inputs.withSpecials(a.reduce(1, *)), a)
      try device.binary(op, p, x, try device.tensor(inputs.floats(b.reduce(1, *), -2, 2), b), into: c)
      return [try device.output("c", c)]
    }
  }

  static func select(_ shapes: [[Int]]) -> CatalogueCase {
    CatalogueCase("select", "\(shapes)") { device in
      var inputs = CaseInputs(seed: 26)
      let p = try Broadcast(shapes)
      let condition = inputs.withSpecials(shapes[0].reduce(1, *)).enumerated().map {
        $0.offset % 3 == 0 ? 0 : $0.element
      }
      let tensors = [condition] + shapes.dropFirst().map { inputs.withSpecials($0.reduce(1, *)) }
      let operands = try zip(tensors, shapes).map { try device.tensor($0, $1) }
      let c = try device.allocate(p.output, .float32)
      try device.select(p, operands[0], operands[1], operands[2], into: c)
      return [try device.output("c", c)]
    }
  }

  static func stridedCopy(_ p: StridedCopy, _ source: Int, _ destination: Int) -> CatalogueCase {
    CatalogueCase("copyStrided", "\(p.extents) from \(p.sourceStrides) to \(p.destinationStrides)") {
      device in
      var inputs = CaseInputs(seed: 94)
      let x = try device.tensor(inputs.anyBits(source), [source])
      let y = try device.empty(destination)
      try device.fill(y, with: 0.25)
      try device.copy(x, to: y, strided: p)
      return [try device.output("y", y)]
    }
  }
}
