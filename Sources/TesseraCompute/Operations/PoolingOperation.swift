// SPDX-License-Identifier: Apache-2.0

/// The primitives of `PoolingBackend`.
enum PoolingOperation: OperationFamily {
  case maxPool(p: Pooling)
  case maxPoolGrad(p: Pooling)
  case averagePool(p: Pooling)
  case averagePoolGrad(p: Pooling)
  case adaptiveAveragePool(p: Pooling)
  case adaptiveAveragePoolGrad(p: Pooling)
  case upsampleNearest(planes: Int, height: Int, width: Int, scale: Int)
  case upsampleNearestGrad(planes: Int, height: Int, width: Int, scale: Int)

  func operands(_ counts: [Int]) -> OperandCounts {
    switch self {
    case .maxPool: OperandCounts(reads: 1, writes: 2)
    case .maxPoolGrad: OperandCounts(reads: 2)
    case .averagePool, .averagePoolGrad, .adaptiveAveragePool, .adaptiveAveragePoolGrad, .upsampleNearest,
      .upsampleNearestGrad:
      OperandCounts(reads: 1)
    }
  }

  func run(on device: any Backend, _ t: [Tensor]) throws {
    switch self {
    case .maxPool(let p): try device.maxPool(p, t[0], into: t[1], indices: t[2])
    case .maxPoolGrad(let p): try device.maxPoolGrad(p, t[0], indices: t[1], into: t[2])
    case .averagePool(let p): try device.averagePool(p, t[0], into: t[1])
    case .averagePoolGrad(let p): try device.averagePoolGrad(p, t[0], into: t[1])
    case .adaptiveAveragePool(let p): try device.adaptiveAveragePool(p, t[0], into: t[1])
    case .adaptiveAveragePoolGrad(let p): try device.adaptiveAveragePoolGrad(p, t[0], into: t[1])
    case .upsampleNearest(let planes, let height, let width, let scale):
      try device.upsampleNearest(
        planes: planes, height: height, width: width, scale: scale, t[0], into: t[1])
    case .upsampleNearestGrad(let planes, let height, let width, let scale):
      try device.upsampleNearestGrad(
        planes: planes, height: height, width: width, scale: scale, t[0], into: t[1])
    }
  }
}
