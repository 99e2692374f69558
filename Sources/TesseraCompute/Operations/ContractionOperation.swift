// SPDX-License-Identifier: Apache-2.0

/// The primitives of `ContractionBackend` and `AttentionBackend`. A bias that is there is the third operand
/// of a product or a convolution, the second of attention.
enum ContractionOperation: OperationFamily {
  case matmul(p: Matmul)
  case conv2d(p: Convolution)
  case conv2dGradData(p: Convolution)
  case conv2dGradWeight(p: Convolution)
  case squaredDistances(points: Int, dims: Int)
  case squaredDistancesBlock(rows: Range<Int>, columns: Range<Int>, points: Int, dims: Int)
  case attention(p: PackedAttention, lengths: [Int])

  func operands(_ counts: [Int]) -> OperandCounts {
    switch self {
    case .matmul(let p):
      // Sums lie apart: as many as there are elements are all of them.
      OperandCounts(
        reads: 2, optional: 1, writesWhole: !p.accumulates && elements(p.batch, p.m, p.n) == counts.last)
    case .conv2d: OperandCounts(reads: 2, optional: 1)
    case .conv2dGradData, .conv2dGradWeight: OperandCounts(reads: 2)
    case .squaredDistances, .squaredDistancesBlock: OperandCounts(reads: 1)
    case .attention: OperandCounts(reads: 1, optional: 1)
    }
  }

  func run(on device: any Backend, _ t: [Tensor]) throws {
    let last = t[t.count - 1]
    switch self {
    case .matmul(let p): try device.matmul(p, t[0], t[1], bias: t.count > 3 ? t[2] : nil, into: last)
    case .conv2d(let p): try device.conv2d(p, t[0], t[1], bias: t.count > 3 ? t[2] : nil, into: last)
    case .conv2dGradData(let p): try device.conv2dGradData(p, t[0], t[1], into: last)
    case .conv2dGradWeight(let p): try device.conv2dGradWeight(p, t[0], t[1], into: last)
    case .squaredDistances(let points, let dims):
      try device.squaredDistances(t[0], points: points, dims: dims, into: last)
    case .squaredDistancesBlock(let rows, let columns, let points, let dims):
      try device.squaredDistances(t[0], rows: rows, columns: columns, points: points, dims: dims, into: last)
    case .attention(let p, let lengths):
      try device.attention(p, t[0], lengths: lengths, bias: t.count > 2 ? t[1] : nil, into: last)
    }
  }
}
