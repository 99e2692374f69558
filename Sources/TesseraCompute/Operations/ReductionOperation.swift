// SPDX-License-Identifier: Apache-2.0

/// The primitives of `ReductionBackend`.
enum ReductionOperation: OperationFamily {
  case rowSum(rows: Int, columns: Int)
  case rowMax(rows: Int, columns: Int)
  case rowArgmax(rows: Int, columns: Int)
  case channelSum(p: ChannelLayout)
  case moments(samples: Int, inner: Int)

  func operands(_ counts: [Int]) -> OperandCounts {
    switch self {
    case .rowSum, .rowMax, .rowArgmax, .channelSum: OperandCounts(reads: 1)
    case .moments: OperandCounts(reads: 1, writes: 2)
    }
  }

  func run(on device: any Backend, _ t: [Tensor]) throws {
    switch self {
    case .rowSum(let rows, let columns): try device.rowSum(t[0], rows: rows, columns: columns, into: t[1])
    case .rowMax(let rows, let columns): try device.rowMax(t[0], rows: rows, columns: columns, into: t[1])
    case .rowArgmax(let rows, let columns):
      try device.rowArgmax(t[0], rows: rows, columns: columns, into: t[1])
    case .channelSum(let p): try device.channelSum(p, t[0], into: t[1])
    case .moments(let samples, let inner):
      try device.moments(t[0], samples: samples, inner: inner, mean: t[1], variance: t[2])
    }
  }
}
