// SPDX-License-Identifier: Apache-2.0

/// The primitives of `LossBackend` and `RandomBackend`.
enum TrainingOperation: OperationFamily {
  case crossEntropy(rows: Int, classes: Int, smoothing: FloatBits)
  case crossEntropyGrad(rows: Int, classes: Int, smoothing: FloatBits, batch: Int)
  case adam(p: AdamStep)
  case randomUniform(stream: RandomStream, low: FloatBits, high: FloatBits)
  case randomNormal(stream: RandomStream, mean: FloatBits, deviation: FloatBits)
  case dropout(stream: RandomStream, rate: FloatBits)
  case gatherRows(columns: Int)
  case gatherRowsGrad(columns: Int, group: Int)
  case sgd(p: DescentStep)
  case rmsprop(p: DescentStep)
  case lion(p: DescentStep)
  case blend(share: FloatBits)

  func operands(_ counts: [Int]) -> OperandCounts {
    switch self {
    case .crossEntropy, .crossEntropyGrad, .gatherRows, .gatherRowsGrad: OperandCounts(reads: 2)
    case .adam, .rmsprop: OperandCounts(reads: 1, updates: 3, writes: 0)
    case .sgd, .lion: OperandCounts(reads: 1, updates: 2, writes: 0)
    case .blend: OperandCounts(reads: 1, updates: 1, writes: 0)
    case .randomUniform, .randomNormal: OperandCounts(reads: 0)
    case .dropout: OperandCounts(reads: 1)
    }
  }

  func run(on device: any Backend, _ t: [Tensor]) throws {
    switch self {
    case .crossEntropy(let rows, let classes, let smoothing):
      try device.crossEntropy(
        t[0], labels: t[1], rows: rows, classes: classes, smoothing: smoothing.value, into: t[2])
    case .crossEntropyGrad(let rows, let classes, let smoothing, let batch):
      try device.crossEntropyGrad(
        t[0], labels: t[1], rows: rows, classes: classes, smoothing: smoothing.value, batch: batch,
        into: t[2])
    case .adam(let p):
      try device.adam(p, gradient: t[0], parameter: t[1], firstMoment: t[2], secondMoment: t[3])
    case .randomUniform(let stream, let low, let high):
      try device.randomUniform(stream, low: low.value, high: high.value, into: t[0])
    case .randomNormal(let stream, let mean, let deviation):
      try device.randomNormal(stream, mean: mean.value, deviation: deviation.value, into: t[0])
    case .dropout(let stream, let rate): try device.dropout(stream, rate: rate.value, t[0], into: t[1])
    case .gatherRows(let columns): try device.gatherRows(t[0], ids: t[1], columns: columns, into: t[2])
    case .gatherRowsGrad(let columns, let group):
      try device.gatherRowsGrad(t[0], ids: t[1], columns: columns, group: group, into: t[2])
    case .sgd(let p): try device.sgd(p, gradient: t[0], parameter: t[1], velocity: t[2])
    case .rmsprop(let p):
      try device.rmsprop(p, gradient: t[0], parameter: t[1], squares: t[2], velocity: t[3])
    case .lion(let p): try device.lion(p, gradient: t[0], parameter: t[1], momentum: t[2])
    case .blend(let share): try device.blend(t[0], share: share.value, into: t[1])
    }
  }
}
