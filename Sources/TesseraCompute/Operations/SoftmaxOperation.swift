// SPDX-License-Identifier: Apache-2.0

/// The primitives of `SoftmaxBackend`.
enum SoftmaxOperation: OperationFamily {
  case softmax(rows: Int, columns: Int, scale: FloatBits)
  case distanceSoftmax(p: AttentionScores)
  case logSoftmax(rows: Int, columns: Int)
  case softmaxGrad(rows: Int, columns: Int, scale: FloatBits)
  case logSoftmaxGrad(rows: Int, columns: Int)

  func operands(_ counts: [Int]) -> OperandCounts {
    switch self {
    case .softmax, .logSoftmax: OperandCounts(reads: 1)
    case .distanceSoftmax, .softmaxGrad, .logSoftmaxGrad: OperandCounts(reads: 2)
    }
  }

  func run(on device: any Backend, _ t: [Tensor]) throws {
    switch self {
    case .softmax(let rows, let columns, let scale):
      try device.softmax(t[0], rows: rows, columns: columns, scale: scale.value, into: t[1])
    case .distanceSoftmax(let p): try device.distanceSoftmax(p, t[0], bias: t[1], into: t[2])
    case .logSoftmax(let rows, let columns):
      try device.logSoftmax(t[0], rows: rows, columns: columns, into: t[1])
    case .softmaxGrad(let rows, let columns, let scale):
      try device.softmaxGrad(t[0], t[1], rows: rows, columns: columns, scale: scale.value, into: t[2])
    case .logSoftmaxGrad(let rows, let columns):
      try device.logSoftmaxGrad(t[0], t[1], rows: rows, columns: columns, into: t[2])
    }
  }
}
