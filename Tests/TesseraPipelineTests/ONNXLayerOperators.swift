// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

/// The operators of networks for `ONNXEvaluator`, in plain loops.
enum ONNXLayerOperators {
  static func value(_ node: ONNXReader.Node, _ x: [ONNXArray]) throws -> ONNXArray {
    switch node.operation {
    case "Gemm": return try gemm(node, x)
    case "MatMul": return try matMul(x[0], x[1])
    case "Conv": return try convolution(node, x)
    case "MaxPool": return try maxPool(node, x[0])
    case "LRN": return try localResponse(node, x[0])
    case "BatchNormalization":
      let eps = Double(try #require(node.floats["epsilon"]))
      let places = x[0].shape[2...].reduce(1, *)
      var y = x[0]
      for at in y.values.indices {
        let c = at / places % x[0].shape[1]
        let scaled = (x[0].values[at] - x[3].values[c]) / (x[4].values[c] + eps).squareRoot()
        y.values[at] = scaled * x[1].values[c] + x[2].values[c]
      }
      return y
    default:
      Issue.record("the operator \(node.operation)")
      return x[0]
    }
  }

  /// A B' + c.
  private static func gemm(_ node: ONNXReader.Node, _ x: [ONNXArray]) throws -> ONNXArray {
    try #require(try node.number("transB") == 1)
    let (rows, depth, columns) = (x[0].shape[0], x[0].shape[1], x[1].shape[0])
    try #require(x[1].shape[1] == depth && x[2].shape == [columns])
    var y = ONNXArray([rows, columns], [])
    for row in 0..<rows {
      for column in 0..<columns {
        var sum = x[2].values[column]
        for k in 0..<depth { sum += x[0].values[row * depth + k] * x[1].values[column * depth + k] }
        y.values.append(sum)
      }
    }
    return y
  }

  /// Products of the last two axes; a matrix alone goes with all of the other's.
  private static func matMul(_ a: ONNXArray, _ b: ONNXArray) throws -> ONNXArray {
    let (m, k, n) = (a.shape[a.shape.count - 2], a.shape[a.shape.count - 1], b.shape[b.shape.count - 1])
    try #require(b.shape[b.shape.count - 2] == k && (a.shape.count == 2 || b.shape.count == 2))
    let others = Array((a.shape.count > 2 ? a.shape : b.shape).dropLast(2))
    var y = ONNXArray(others + [m, n], [])
    for part in 0..<others.reduce(1, *) {
      let (left, right) = (a.shape.count > 2 ? part * m * k : 0, b.shape.count > 2 ? part * k * n : 0)
      for row in 0..<m {
        for column in 0..<n {
          var sum = 0.0
          for at in 0..<k { sum += a.values[left + row * k + at] * b.values[right + at * n + column] }
          y.values.append(sum)
        }
      }
    }
    return y
  }

  /// Where windows begin along an axis and how many there are, of an axis's extent, kernel, stride, dilation.
  private static func windows(
    _ node: ONNXReader.Node, _ extent: Int, _ axis: Int
  ) throws -> (begin: Int, count: Int) {
    let (kernel, stride) = (
      try #require(node.numbers["kernel_shape"])[axis], try #require(node.numbers["strides"])[axis]
    )
    let reach = (kernel - 1) * (node.numbers["dilations"]?[axis] ?? 1) + 1
    guard let mode = node.texts["auto_pad"] else {
      let pads = try #require(node.numbers["pads"])
      return (-pads[axis], (extent + pads[axis] + pads[axis + 2] - reach) / stride + 1)
    }
    try #require(mode == "SAME_UPPER")
    let count = (extent + stride - 1) / stride
    return (-max(0, (count - 1) * stride + reach - extent) / 2, count)
  }

  private static func convolution(_ node: ONNXReader.Node, _ x: [ONNXArray]) throws -> ONNXArray {
    let (image, weight) = (x[0], x[1])
    let (batch, inputs, height, width) = (image.shape[0], image.shape[1], image.shape[2], image.shape[3])
    let (outputs, each, kernel) = (weight.shape[0], weight.shape[1], weight.shape[2...])
    let (groups, strides) = (try node.number("group"), try #require(node.numbers["strides"]))
    let dilations = try #require(node.numbers["dilations"])
    try #require(node.numbers["kernel_shape"] == Array(kernel) && inputs == each * groups)
    let (down, across) = (try windows(node, height, 0), try windows(node, width, 1))
    let (rows, columns) = (kernel[2], kernel[3])
    var y = ONNXArray([batch, outputs, down.count, across.count], [])
    for n in 0..<batch {
      for o in 0..<outputs {
        let first = n * inputs + o / (outputs / groups) * each
        for i in 0..<down.count {
          for j in 0..<across.count {
            var sum = x.count > 2 ? x[2].values[o] : 0
            for c in 0..<each {
              for r in 0..<rows {
                let row = down.begin + i * strides[0] + r * dilations[0]
                guard (0..<height).contains(row) else { continue }
                for q in 0..<columns {
                  let column = across.begin + j * strides[1] + q * dilations[1]
                  guard (0..<width).contains(column) else { continue }
                  sum +=
                    image.values[((first + c) * height + row) * width + column]
                    * weight.values[((o * each + c) * rows + r) * columns + q]
                }
              }
            }
            y.values.append(sum)
          }
        }
      }
    }
    return y
  }

  private static func maxPool(_ node: ONNXReader.Node, _ x: ONNXArray) throws -> ONNXArray {
    let (height, width) = (x.shape[2], x.shape[3])
    let (kernel, strides) = (
      try #require(node.numbers["kernel_shape"]), try #require(node.numbers["strides"])
    )
    let (down, across) = (try windows(node, height, 0), try windows(node, width, 1))
    return ONNXEvaluator.gathered(Array(x.shape[..<2]) + [down.count, across.count]) { at in
      let plane = at[0] * x.shape[1] + at[1]
      var most = -Double.infinity
      for r in 0..<kernel[0] {
        for q in 0..<kernel[1] {
          let (row, column) = (down.begin + at[2] * strides[0] + r, across.begin + at[3] * strides[1] + q)
          guard (0..<height).contains(row), (0..<width).contains(column) else { continue }
          most = max(most, x.values[(plane * height + row) * width + column])
        }
      }
      return most
    }
  }

  /// x / (bias + alpha / size * the sum of squares over neighbouring channels) ^ beta.
  private static func localResponse(_ node: ONNXReader.Node, _ x: ONNXArray) throws -> ONNXArray {
    let size = try node.number("size"), places = x.shape[2...].reduce(1, *)
    let (alpha, beta) = (
      Double(try #require(node.floats["alpha"])), Double(try #require(node.floats["beta"]))
    )
    let bias = Double(try #require(node.floats["bias"]))
    var y = x
    for at in x.values.indices {
      let c = at / places % x.shape[1]
      let (low, high) = (max(0, c - (size - 1) / 2), min(x.shape[1] - 1, c + size / 2))
      let squares = (low...high).reduce(0.0) { sum, other in
        let value = x.values[at + (other - c) * places]
        return sum + value * value
      }
      y.values[at] = x.values[at] / pow(bias + alpha / Double(size) * squares, beta)
    }
    return y
  }
}
