// SPDX-License-Identifier: Apache-2.0
import Kernels

extension UnaryOperation {
  var kernel: Kernel {
    switch self {
    case .identity: .unaryIdentity
    case .exp: .unaryExp
    case .log: .unaryLog
    case .tanh: .unaryTanh
    case .erf: .unaryErf
    case .rsqrt: .unaryRsqrt
    case .sqrt: .unarySqrt
    case .reciprocal: .unaryReciprocal
    case .sigmoid: .unarySigmoid
    case .gelu: .unaryGelu
    case .relu: .unaryRelu
    case .relu6: .unaryRelu6
    case .sinTurn: .unarySinTurn
    case .cosTurn: .unaryCosTurn
    case .square: .unarySquare
    case .abs: .unaryAbs
    case .negate: .unaryNegate
    case .affine: .unaryAffine
    }
  }

  /// Whether `MapBackend.unaryGrad` has its gradient.
  public var hasGradient: Bool { gradientKernel != nil }

  var gradientKernel: Kernel? {
    switch self {
    case .relu: .unaryGradRelu
    case .relu6: .unaryGradRelu6
    case .gelu: .unaryGradGelu
    case .tanh: .unaryGradTanh
    case .sigmoid: .unaryGradSigmoid
    default: nil
    }
  }
}

extension BinaryOperation {
  var kernel: Kernel {
    switch self {
    case .add: .binaryAdd
    case .subtract: .binarySubtract
    case .multiply: .binaryMultiply
    case .divide: .binaryDivide
    case .maximum: .binaryMaximum
    case .minimum: .binaryMinimum
    }
  }

  var channelsKernel: Kernel {
    switch self {
    case .add: .binaryChannelsAdd
    case .subtract: .binaryChannelsSubtract
    case .multiply: .binaryChannelsMultiply
    case .divide: .binaryChannelsDivide
    case .maximum: .binaryChannelsMaximum
    case .minimum: .binaryChannelsMinimum
    }
  }
}
