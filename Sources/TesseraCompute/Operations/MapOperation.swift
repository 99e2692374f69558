// SPDX-License-Identifier: Apache-2.0

/// The primitives of `MapBackend`.
enum MapOperation: OperationFamily {
  case unary(op: UnaryOperation, alpha: FloatBits, beta: FloatBits)
  case unaryGrad(op: UnaryOperation)
  case binary(op: BinaryOperation)
  case binaryChannels(op: BinaryOperation, p: ChannelLayout)
  case binaryBroadcast(op: BinaryOperation, p: Broadcast)
  case select(p: Broadcast)

  func operands(_ counts: [Int]) -> OperandCounts {
    switch self {
    case .unary: OperandCounts(reads: 1)
    case .unaryGrad, .binary, .binaryChannels, .binaryBroadcast: OperandCounts(reads: 2)
    case .select: OperandCounts(reads: 3)
    }
  }

  func run(on device: any Backend, _ t: [Tensor]) throws {
    switch self {
    case .unary(let op, let alpha, let beta):
      try device.unary(op, t[0], alpha: alpha.value, beta: beta.value, into: t[1])
    case .unaryGrad(let op): try device.unaryGrad(op, t[0], t[1], into: t[2])
    case .binary(let op): try device.binary(op, t[0], t[1], into: t[2])
    case .binaryBroadcast(let op, let p): try device.binary(op, p, t[0], t[1], into: t[2])
    case .select(let p): try device.select(p, t[0], t[1], t[2], into: t[3])
    case .binaryChannels(let op, let p): try device.binaryChannels(op, p, t[0], t[1], into: t[2])
    }
  }
}
