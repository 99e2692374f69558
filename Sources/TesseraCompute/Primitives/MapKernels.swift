// SPDX-License-Identifier: Apache-2.0
internal import Kernels

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
    case .geluTanh: .unaryGeluTanh
    case .softplus: .unarySoftplus
    case .silu: .unarySilu
    }
  }

  /// Whether `MapBackend.unaryGrad` has its gradient.
  public var hasGradient: Bool { gradientKernel != nil }

  /// The operations that `MapBackend.unaryGrad` has gradients of.
  public static let differentiable: [UnaryOperation] = gradientKernels.map(\.operation)

  /// Their names, for messages.
  package static let differentiableNames = differentiable.map { "\($0)" }.joined(separator: ", ")

  var gradientKernel: Kernel? { Self.gradientKernels.first { $0.operation == self }?.kernel }

  // The one list of gradients, in the catalogue's order: a new one goes to its end.
  private static let gradientKernels: [(operation: UnaryOperation, kernel: Kernel)] = [
    (.relu, .unaryGradRelu), (.relu6, .unaryGradRelu6), (.gelu, .unaryGradGelu), (.tanh, .unaryGradTanh),
    (.sigmoid, .unaryGradSigmoid), (.geluTanh, .unaryGradGeluTanh), (.exp, .unaryGradExp),
    (.log, .unaryGradLog),
    (.sqrt, .unaryGradSqrt), (.rsqrt, .unaryGradRsqrt), (.reciprocal, .unaryGradReciprocal),
    (.square, .unaryGradSquare), (.abs, .unaryGradAbs), (.negate, .unaryGradNegate), (.erf, .unaryGradErf),
    (.softplus, .unaryGradSoftplus), (.silu, .unaryGradSilu),
  ]
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
    case .less: .binaryLess
    case .lessOrEqual: .binaryLessOrEqual
    case .equal: .binaryEqual
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
    case .less: .binaryChannelsLess
    case .lessOrEqual: .binaryChannelsLessOrEqual
    case .equal: .binaryChannelsEqual
    }
  }
}
