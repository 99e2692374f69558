// SPDX-License-Identifier: Apache-2.0
import TesseraCompute
import Testing

@testable import TesseraNN

/// The functions of tools/golden/tensors.py, by their names there.
struct TensorFunctionCase: Sendable, CustomTestStringConvertible {
  let name: String
  /// Extents of the inputs; a gradient is wanted for all.
  let shapes: [[Int]]
  let range: (Float, Float)
  let run: @Sendable ([Variable], Context) throws -> Variable
  var testDescription: String { name }

  init(
    _ name: String, _ shapes: [[Int]], _ low: Float = -1, _ high: Float = 1,
    run: @escaping @Sendable ([Variable], Context) throws -> Variable
  ) {
    (self.name, self.shapes, range, self.run) = (name, shapes, (low, high), run)
  }

  static let all = elementwise + reductions + movements + products + losses

  private static let pair = [[3, 1, 4], [2, 1]]

  private static let elementwise: [TensorFunctionCase] = [
    .init("add", pair) { x, _ in try x[0] + x[1] },
    .init("subtract", pair) { x, _ in try x[0] - x[1] },
    .init("multiply", pair) { x, _ in try x[0] * x[1] },
    .init("divide", pair, 0.5, 2) { x, _ in try x[0] / x[1] },
    .init("maximum", pair) { x, _ in try x[0].maximum(x[1]) },
    .init("minimum", pair) { x, _ in try x[0].minimum(x[1]) },
    .init("maximum of equals", [[5]]) { x, _ in try x[0].maximum(x[0] * 1) },
    .init("numbers", [[2, 5]], 0.5, 2) { x, _ in try (2 * x[0] + 1 - x[0] / 3) * (3 - 2 / x[0]) - (-x[0]) },
    .init("select", [[3, 1], [1, 5]]) { try mask([3, 5], $1).select($0[0], $0[1]) },
    .init("exp", [[7]], -2, 2) { x, _ in try x[0].exp() },
    .init("log", [[7]], 0.25, 3) { x, _ in try x[0].log() },
    .init("sqrt", [[7]], 0.25, 3) { x, _ in try x[0].sqrt() },
    .init("square", [[7]], -2, 2) { x, _ in try x[0].square() },
    .init("abs", [[7]], -2, 2) { x, _ in try x[0].abs() },
    .init("tanh", [[7]], -2, 2) { x, _ in try x[0].tanh() },
    .init("sigmoid", [[7]], -2, 2) { x, _ in try x[0].sigmoid() },
    .init("relu", [[7]], -2, 2) { x, _ in try x[0].relu() },
    .init("gelu", [[7]], -2, 2) { x, _ in try x[0].gelu() },
    .init("softplus", [[7]], -2, 2) { x, _ in try x[0].softplus() },
    .init("silu", [[7]], -2, 2) { x, _ in try x[0].silu() },
    .init("used twice", [[6]]) { x, _ in
      let y = try x[0].exp()
      return try (y + 1) * y - y.detached()
    },
  ]

  private static let reductions: [TensorFunctionCase] = [
    .init("sum", [[3, 4, 5]]) { x, _ in try x[0].sum() },
    .init("sum of axes", [[3, 4, 5]]) { x, _ in try x[0].sum(-1, 0) },
    .init("sum, kept", [[3, 4, 5]]) { x, _ in try x[0].sum(1, keepDims: true) },
    .init("mean", [[3, 4, 5]]) { x, _ in try x[0].mean(1, 2) },
    .init("max", [[3, 4, 5]]) { x, _ in try x[0].max(0, 1) },
    .init("min", [[3, 4, 5]]) { x, _ in try x[0].min(2) },
    .init("max of equals", [[3, 1, 2]]) { x, _ in try x[0].expanded(to: [3, 4, 2]).max(1) },
    .init("softmax of axis 0", [[4, 3]], -2, 2) { x, _ in try x[0].softmax(axis: 0) },
    .init("softmax", [[2, 3, 4]], -2, 2) { x, _ in try x[0].softmax() },
    .init("logSoftmax of axis 1", [[2, 3, 4]], -2, 2) { x, _ in try x[0].logSoftmax(axis: 1) },
  ]

  private static let movements: [TensorFunctionCase] = [
    .init("reshaped", [[3, 4]]) { x, _ in try x[0].reshaped(2, -1) * 2 },
    .init("permuted", [[2, 3, 4]]) { x, _ in try x[0].permuted(2, 0, -2) },
    .init("transposed", [[2, 3, 4]]) { x, _ in try x[0].transposed() },
    .init("slice", [[3, 7]]) { x, _ in try x[0].slice(1..<6, axis: 1, step: 2) },
    .init("split", [[2, 4]]) { x, _ in
      let parts = try x[0].split([1, 0, 3], axis: -1)
      return try Variable.concatenated([try parts[2].tanh(), try parts[0] * 2, parts[1]], axis: 1)
    },
    .init("concatenated", [[2, 3], [2, 1], [2, 4]]) { x, _ in try Variable.concatenated(x, axis: 1) },
    .init("stacked", [[2, 3], [2, 3]]) { x, _ in try Variable.stacked(x, axis: -1) },
    .init("padded", [[2, 3]]) { x, _ in try x[0].padded([(0, 1), (2, 0)], with: 0.5) },
    .init("expanded", [[3, 1]]) { x, _ in try x[0].expanded(to: [2, 3, 4]) },
    .init("taken", [[4, 3]]) { try $0[0].taking(try ids($1)) },
    .init("taken of axis 1", [[2, 3, 2]]) { try $0[0].taking(try ids($1), axis: 1) },
  ]

  private static let products: [TensorFunctionCase] = [
    .init("matmul", [[3, 4], [4, 5]]) { x, _ in try x[0].matmul(x[1]) },
    .init("matmul of rows", [[2, 3, 4], [4, 5]]) { x, _ in try x[0].matmul(x[1]) },
    .init("matmul of batches", [[2, 1, 3, 4], [5, 4, 2]]) { x, _ in try x[0].matmul(x[1]) },
    .init("matmul by batches", [[3, 4], [2, 4, 5]]) { x, _ in try x[0].matmul(x[1]) },
    .init("matmul of a row", [[4], [2, 4, 5]]) { x, _ in try x[0].matmul(x[1]) },
    .init("matmul by a column", [[2, 3, 4], [4]]) { x, _ in try x[0].matmul(x[1]) },
    .init("matmul of vectors", [[4], [4]]) { x, _ in try x[0].matmul(x[1]) },
    .init("linear of three axes", [[2, 3, 4], [5, 4], [5]]) {
      try $1.linear($0[0], weight: $0[1], bias: $0[2])
    },
    .init("transposed convolution", [[2, 3, 4, 5], [3, 2, 3, 2], [2]]) {
      try $1.convTranspose2d(
        $0[0], weight: $0[1], bias: $0[2], .init(stride: 2, padding: 1), outputPadding: 1)
    },
    .init("transposed convolution in groups", [[9, 4, 3, 2], [4, 3, 2, 2]]) {
      try $1.convTranspose2d($0[0], weight: $0[1], .init(dilation: 2, groups: 2))
    },
    .init("attention", [[2, 3, 4], [2, 5, 4], [2, 5, 3]]) { x, _ in try x[0].attention(key: x[1], value: x[2])
    },
    .init("attention with a mask", [[2, 3, 4], [2, 5, 4], [2, 5, 3]]) {
      try $0[0].attention(key: $0[1], value: $0[2], mask: try mask([2, 1, 5], $1))
    },
  ]

  private static let losses: [TensorFunctionCase] = [
    .init("meanSquared", [[5, 3], [5, 3]]) { x, _ in try Loss.meanSquared(x[0], x[1]) },
    .init("meanAbsolute", [[5, 3], [5, 3]]) { x, _ in try Loss.meanAbsolute(x[0], x[1]) },
    .init("huber", [[5, 3], [5, 3]], -2, 2) { x, _ in try Loss.huber(x[0], x[1], delta: 0.75) },
    .init("binaryCrossEntropy", [[5, 3], [5, 3]], 0, 1) { x, _ in
      try Loss.binaryCrossEntropy(logits: try 8 * x[0] - 4, x[1])
    },
    .init("negativeLogLikelihood", [[5, 4]], -2, 2) {
      try Loss.negativeLogLikelihood($0[0], labels: try labels($1))
    },
    .init("crossEntropy", [[5, 4]], -2, 2) { try Loss.crossEntropy($0[0], labels: try labels($1)) },
    .init("kullbackLeibler", [[5, 4], [5, 4]], 0.1, 1) { x, _ in try Loss.kullbackLeibler(try -x[0], x[1]) },
    .init("cosineDistance", [[5, 4], [5, 4]]) { x, _ in try Loss.cosineDistance(x[0], x[1]) },
    .init("tripletMargin", [[5, 4], [5, 4], [5, 4]]) { x, _ in
      try Loss.tripletMargin(anchor: x[0], positive: x[1], negative: x[2], margin: 0.5)
    },
    .init("cosineEmbedding", [[5, 4], [5, 4]]) {
      try Loss.cosineEmbedding(
        $0[0], $0[1], target: try $1.variable([1, -1, -1, 1, -1]), margin: -0.25)
    },
  ]

  private static func mask(_ shape: [Int], _ context: Context) throws -> Variable {
    try context.variable((0..<shape.reduce(1, *)).map { $0 % 3 == 1 ? 0 : 1 }, shape)
  }

  private static func ids(_ context: Context) throws -> Tensor {
    try context.device.tensor([2, 0, 2, 1, 2, 2] as [Int32], [2, 3])
  }

  private static func labels(_ context: Context) throws -> Tensor {
    try context.device.tensor([0, 2, 1, 3, 3] as [Int32])
  }
}
