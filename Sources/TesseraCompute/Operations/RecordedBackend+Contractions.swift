// SPDX-License-Identifier: Apache-2.0

extension RecordedBackend {
  private func perform(_ operation: ContractionOperation, _ tensors: [Tensor?]) throws {
    try perform(.contraction(operation), tensors.compactMap { $0 })
  }

  package func matmul(_ p: Matmul, _ a: Tensor, _ b: Tensor, bias: Tensor?, into c: Tensor) throws {
    try perform(.matmul(p: p), [a, b, bias, c])
  }

  package func conv2d(_ p: Convolution, _ x: Tensor, _ w: Tensor, bias: Tensor?, into y: Tensor) throws {
    try perform(.conv2d(p: p), [x, w, bias, y])
  }

  package func conv2dGradData(_ p: Convolution, _ dy: Tensor, _ w: Tensor, into dx: Tensor) throws {
    try perform(.conv2dGradData(p: p), [dy, w, dx])
  }

  package func conv2dGradWeight(_ p: Convolution, _ x: Tensor, _ dy: Tensor, into dw: Tensor) throws {
    try perform(.conv2dGradWeight(p: p), [x, dy, dw])
  }

  package func squaredDistances(_ x: Tensor, points: Int, dims: Int, into d: Tensor) throws {
    try perform(.squaredDistances(points: points, dims: dims), [x, d])
  }

  package func squaredDistances(
    _ x: Tensor, rows: Range<Int>, columns: Range<Int>, points: Int, dims: Int, into d: Tensor
  ) throws {
    try perform(.squaredDistancesBlock(rows: rows, columns: columns, points: points, dims: dims), [x, d])
  }

  package func attention(
    _ p: PackedAttention, _ x: Tensor, lengths: [Int], bias: Tensor?, into y: Tensor
  ) throws {
    try perform(.attention(p: p, lengths: lengths), [x, bias, y])
  }
}

extension RecordedBackend {
  package func unary(
    _ op: UnaryOperation, _ x: Tensor, alpha: Float, beta: Float, into y: Tensor
  ) throws {
    try perform(.map(.unary(op: op, alpha: FloatBits(alpha), beta: FloatBits(beta))), [x, y])
  }

  package func unaryGrad(_ op: UnaryOperation, _ x: Tensor, _ dy: Tensor, into dx: Tensor) throws {
    try perform(.map(.unaryGrad(op: op)), [x, dy, dx])
  }

  package func binary(_ op: BinaryOperation, _ a: Tensor, _ b: Tensor, into c: Tensor) throws {
    try perform(.map(.binary(op: op)), [a, b, c])
  }

  package func binaryChannels(
    _ op: BinaryOperation, _ p: ChannelLayout, _ a: Tensor, _ b: Tensor, into c: Tensor
  ) throws {
    try perform(.map(.binaryChannels(op: op, p: p)), [a, b, c])
  }

  package func binary(_ op: BinaryOperation, _ p: Broadcast, _ a: Tensor, _ b: Tensor, into c: Tensor) throws
  {
    try perform(.map(.binaryBroadcast(op: op, p: p)), [a, b, c])
  }

  package func select(_ p: Broadcast, _ condition: Tensor, _ a: Tensor, _ b: Tensor, into c: Tensor) throws {
    try perform(.map(.select(p: p)), [condition, a, b, c])
  }
}
