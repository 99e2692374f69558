// SPDX-License-Identifier: Apache-2.0

/// The primitives of `NormalizationBackend`.
enum NormalizationOperation: OperationFamily {
  case layerNorm(p: LayerNormalization)
  case layerNormGradData(p: LayerNormalization)
  case layerNormGradParameters(p: LayerNormalization)
  case batchNormStatistics(p: ChannelLayout)
  case batchNorm(p: ChannelLayout)
  case batchNormGradParameters(p: ChannelLayout)
  case batchNormGradData(p: ChannelLayout, training: Bool)
  case batchNormUpdateRunning(p: ChannelLayout, momentum: FloatBits)
  case standardize(eps: FloatBits)
  case localResponseNorm(p: LocalResponseNormalization)
  case localResponseNormGrad(p: LocalResponseNormalization)

  func operands(_ counts: [Int]) -> OperandCounts {
    switch self {
    case .layerNorm: OperandCounts(reads: 3, writes: 3)
    case .layerNormGradData, .batchNorm: OperandCounts(reads: 5)
    case .layerNormGradParameters, .batchNormGradParameters: OperandCounts(reads: 4, writes: 2)
    case .batchNormStatistics, .localResponseNorm: OperandCounts(reads: 1, writes: 2)
    case .batchNormGradData: OperandCounts(reads: 7)
    case .batchNormUpdateRunning: OperandCounts(reads: 2, updates: 2, writes: 0)
    case .standardize, .localResponseNormGrad: OperandCounts(reads: 3)
    }
  }

  func run(on device: any Backend, _ t: [Tensor]) throws {
    switch self {
    case .layerNorm(let p):
      try device.layerNorm(p, t[0], gamma: t[1], beta: t[2], into: t[3], mean: t[4], rstd: t[5])
    case .layerNormGradData(let p):
      try device.layerNormGradData(p, t[0], gamma: t[1], mean: t[2], rstd: t[3], t[4], into: t[5])
    case .layerNormGradParameters(let p):
      try device.layerNormGradParameters(p, t[0], mean: t[1], rstd: t[2], t[3], gamma: t[4], beta: t[5])
    case .batchNormStatistics(let p):
      try device.batchNormStatistics(p, t[0], mean: t[1], variance: t[2])
    case .batchNorm(let p):
      try device.batchNorm(p, t[0], mean: t[1], variance: t[2], gamma: t[3], beta: t[4], into: t[5])
    case .batchNormGradParameters(let p):
      try device.batchNormGradParameters(p, t[0], mean: t[1], variance: t[2], t[3], gamma: t[4], beta: t[5])
    case .batchNormGradData(let p, let training):
      try device.batchNormGradData(
        p, t[0], mean: t[1], variance: t[2], gamma: t[3], gradGamma: t[4], gradBeta: t[5], t[6],
        training: training, into: t[7])
    case .batchNormUpdateRunning(let p, let momentum):
      try device.batchNormUpdateRunning(
        p, momentum: momentum.value, mean: t[0], variance: t[1], runningMean: t[2], runningVariance: t[3])
    case .standardize(let eps):
      try device.standardize(t[0], mean: t[1], variance: t[2], eps: eps.value, into: t[3])
    case .localResponseNorm(let p): try device.localResponseNorm(p, t[0], into: t[1], scale: t[2])
    case .localResponseNormGrad(let p):
      try device.localResponseNormGrad(p, t[0], t[1], scale: t[2], into: t[3])
    }
  }
}
