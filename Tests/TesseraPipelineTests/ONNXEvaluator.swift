// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

/// Computes a model of ONNX by the words of its operators' definitions (onnx/docs/Operators.md, version 17), plainly and in
/// binary64: what an exported run says, without the code that exported it and without a library.
struct ONNXEvaluator {
  private let model: ONNXReader

  init(_ model: ONNXReader) { self.model = model }

  /// The outputs for a batch of rows.
  ///
  /// - Parameters:
  ///   - rows: the input, row-major.
  ///   - columns: numbers of a row.
  func outputs(_ rows: [Double], columns: Int) throws -> [ONNXArray] {
    try #require(model.inputs.count == 1 && rows.count % columns == 0)
    var known = model.constants
    known[model.inputs[0]] = ONNXArray([rows.count / columns, columns], rows)
    for node in model.nodes {
      let inputs = try node.inputs.filter { !$0.isEmpty }.map { try #require(known[$0], "\($0)") }
      known[node.output] = try value(node, inputs)
    }
    return try model.outputs.map { try #require(known[$0]) }
  }

  private func value(_ node: ONNXReader.Node, _ x: [ONNXArray]) throws -> ONNXArray {
    switch node.operation {
    case "Identity": return x[0]
    case "Cast": return try node.number("to") == 1 ? Self.map(x[0]) { Double(Float($0)) } : x[0]
    case "IsNaN": return Self.map(x[0]) { $0.isNaN ? 1 : 0 }
    case "Log": return Self.map(x[0]) { log($0) }
    case "Sqrt": return Self.map(x[0]) { $0.squareRoot() }
    case "Relu": return Self.map(x[0]) { max(0, $0) }
    case "Add": return try Self.broadcast(x) { $0[0] + $0[1] }
    case "Sub": return try Self.broadcast(x) { $0[0] - $0[1] }
    case "Mul": return try Self.broadcast(x) { $0[0] * $0[1] }
    case "Div": return try Self.broadcast(x) { $0[0] / $0[1] }
    case "Max": return try Self.broadcast(x) { max($0[0], $0[1]) }
    case "Min": return try Self.broadcast(x) { min($0[0], $0[1]) }
    case "Clip": return try Self.broadcast(x) { max($0[1], min($0[2], $0[0])) }
    case "Where": return try Self.broadcast(x) { $0[0] != 0 ? $0[1] : $0[2] }
    case "Size": return ONNXArray([], [Double(x[0].values.count)])
    case "ReduceMean":
      try #require(node.numbers["axes"] == Array(x[0].shape.indices))
      let mean = x[0].values.reduce(0, +) / Double(x[0].values.count)
      return ONNXArray(x[0].shape.map { _ in 1 }, [mean])
    case "Softmax": return try Self.softmax(x[0], node)
    default: return try moved(node, x)
    }
  }

  /// Operators that only move values.
  private func moved(_ node: ONNXReader.Node, _ x: [ONNXArray]) throws -> ONNXArray {
    switch node.operation {
    case "Reshape":
      let told = x[1].integers
      let rest = x[0].values.count / max(1, told.filter { $0 >= 0 }.reduce(1, *))
      return ONNXArray(told.map { $0 < 0 ? rest : $0 }, x[0].values)
    case "Flatten":
      try #require(try node.number("axis") == 1)
      return ONNXArray([x[0].shape[0], x[0].values.count / x[0].shape[0]], x[0].values)
    case "Pad":
      let pads = x[1].integers
      try #require(x[0].shape.count == 2 && pads.count == 4)
      let (rows, columns) = (pads[0] + x[0].shape[0] + pads[2], pads[1] + x[0].shape[1] + pads[3])
      return Self.gathered([rows, columns]) { at in
        let (row, column) = (at[0] - pads[0], at[1] - pads[1])
        guard row >= 0, row < x[0].shape[0], column >= 0, column < x[0].shape[1] else { return 0 }
        return x[0].values[row * x[0].shape[1] + column]
      }
    case "Gather":
      try #require(try node.number("axis") == 1 && x[0].shape.count == 2)
      let places = x[1].integers
      return Self.gathered([x[0].shape[0], places.count]) {
        x[0].values[$0[0] * x[0].shape[1] + places[$0[1]]]
      }
    case "Resize":
      let scales = x[1].values
      try #require(
        node.texts == [
          "mode": "nearest", "nearest_mode": "floor", "coordinate_transformation_mode": "asymmetric",
        ])
      let shape = zip(x[0].shape, scales).map { Int((Double($0) * $1).rounded(.down)) }
      return Self.gathered(shape) { at in
        x[0].values[Self.place(zip(at, scales).map { Int(Double($0) / $1) }, x[0].shape)]
      }
    case "Transpose":
      let order = try #require(node.numbers["perm"])
      return Self.gathered(order.map { x[0].shape[$0] }) { at in
        var from = at
        for (to, axis) in order.enumerated() { from[axis] = at[to] }
        return x[0].values[Self.place(from, x[0].shape)]
      }
    case "Slice":
      try #require(x[3].integers == [1])
      let (begin, end) = (x[1].integers[0], x[2].integers[0])
      return Self.gathered([x[0].shape[0], end - begin] + x[0].shape[2...]) { at in
        x[0].values[Self.place([at[0], at[1] + begin] + at[2...], x[0].shape)]
      }
    case "Concat":
      try #require(try node.number("axis") == 1)
      let first = x[0].shape[1]
      return Self.gathered([x[0].shape[0], first + x[1].shape[1]] + x[0].shape[2...]) { at in
        let part = at[1] < first ? x[0] : x[1]
        return part.values[Self.place([at[0], at[1] < first ? at[1] : at[1] - first] + at[2...], part.shape)]
      }
    default: return try ONNXLayerOperators.value(node, x)
    }
  }

  private static func map(_ x: ONNXArray, _ operation: (Double) -> Double) -> ONNXArray {
    ONNXArray(x.shape, x.values.map(operation))
  }

  /// The place of an element.
  static func place(_ at: [Int], _ shape: [Int]) -> Int { zip(at, shape).reduce(0) { $0 * $1.1 + $1.0 } }

  /// An array by the places of its elements.
  static func gathered(_ shape: [Int], _ element: ([Int]) -> Double) -> ONNXArray {
    var (at, values) = ([Int](repeating: 0, count: shape.count), [Double]())
    let count = shape.reduce(1, *)
    values.reserveCapacity(count)
    for _ in 0..<count {
      values.append(element(at))
      for axis in shape.indices.reversed() {
        at[axis] += 1
        if at[axis] < shape[axis] { break }
        at[axis] = 0
      }
    }
    return ONNXArray(shape, values)
  }

  /// Element by element, axes counted from the last one, those of one element as often as is wanted.
  private static func broadcast(
    _ x: [ONNXArray], _ operation: ([Double]) -> Double
  ) throws -> ONNXArray {
    if x.allSatisfy({ $0.shape == x[0].shape }) {
      return ONNXArray(x[0].shape, x[0].values.indices.map { at in operation(x.map { $0.values[at] }) })
    }
    let axes = x.map(\.shape.count).max() ?? 0
    let shapes = x.map { [Int](repeating: 1, count: axes - $0.shape.count) + $0.shape }
    let shape = (0..<axes).map { axis in shapes.map { $0[axis] }.max() ?? 1 }
    for one in shapes {
      try #require(zip(one, shape).allSatisfy { $0 == 1 || $0 == $1 }, "\(x.map(\.shape))")
    }
    return gathered(shape) { at in
      operation(
        zip(x, shapes).map { array, own in array.values[place(zip(at, own).map { $1 == 1 ? 0 : $0 }, own)] })
    }
  }

  private static func softmax(_ x: ONNXArray, _ node: ONNXReader.Node) throws -> ONNXArray {
    try #require(try node.number("axis") == 1 && x.shape.count == 2)
    var y = x
    for row in 0..<x.shape[0] {
      let range = row * x.shape[1]..<(row + 1) * x.shape[1]
      let most = x.values[range].max() ?? 0
      let sum = x.values[range].reduce(0) { $0 + exp($1 - most) }
      for at in range { y.values[at] = exp(x.values[at] - most) / sum }
    }
    return y
  }
}
