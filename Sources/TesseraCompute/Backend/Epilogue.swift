// SPDX-License-Identifier: Apache-2.0
internal import Kernels

/// What a bias is added along: raw values are the kernels' `TSR_BIAS_*`.
public enum BiasKind: Int32, Codable, Sendable, CaseIterable {
  /// No bias; where one is given without a kind, it is per column.
  case none
  /// One number per column of C: n elements.
  case column
  /// One number per row of C: m elements.
  case row
}

/// What a product or a convolution ends in, after the bias: raw values are the kernels' `TSR_ACT_*`.
public enum FusedActivation: Codable, Sendable, CaseIterable, RawRepresentable {
  /// Nothing.
  case none
  /// max(x, 0).
  case relu
  /// min(max(x, 0), 6).
  case relu6
  /// GELU: x / 2 (1 + erf(x / sqrt(2))).
  case gelu
  /// The hyperbolic tangent.
  case tanh
  /// GELU by tanh: x / 2 (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))).
  case geluTanh

  /// The number that stands for it in kernels' parameters and catalogue cases.
  public var rawValue: Int32 {
    switch self {
    case .none: Int32(TSR_ACT_NONE)
    case .relu: Int32(TSR_ACT_RELU)
    case .relu6: Int32(TSR_ACT_RELU6)
    case .gelu: Int32(TSR_ACT_GELU)
    case .tanh: Int32(TSR_ACT_TANH)
    case .geluTanh: Int32(TSR_ACT_GELU_TANH)
    }
  }

  /// Whether the register tile applies it itself, by comparisons alone (`is_simple_activation` in C).
  var isSimple: Bool { [.none, .relu, .relu6].contains(self) }

  /// The activation of such a number; nil for a number that stands for none.
  public init?(rawValue: Int32) {
    guard let found = Self.allCases.first(where: { $0.rawValue == rawValue }) else { return nil }
    self = found
  }
}
