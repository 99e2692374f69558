// SPDX-License-Identifier: Apache-2.0
import Kernels

/// What a bias is added along: raw values are the kernels' `TSR_BIAS_*`.
public enum BiasKind: Int32, Sendable, CaseIterable {
  /// No bias; where one is given without a kind, it is per column.
  case none
  /// One number per column of C: n elements.
  case column
  /// One number per row of C: m elements.
  case row
}

/// What a product or a convolution ends in, after the bias: raw values are the kernels' `TSR_ACT_*`.
public enum FusedActivation: Int32, Sendable, CaseIterable {
  case none, relu, relu6, gelu, tanh
}

extension MatmulParameters {
  /// What the bias is added along. A bias that is given to `matmul` under `none` is added per column.
  public var biasKind: BiasKind {
    get { BiasKind(rawValue: bias) ?? .none }
    set { bias = newValue.rawValue }
  }

  /// What is applied to the sum.
  public var fusedActivation: FusedActivation {
    get { FusedActivation(rawValue: activation) ?? .none }
    set { activation = newValue.rawValue }
  }
}

extension ConvParameters {
  /// What is applied to the sum.
  public var fusedActivation: FusedActivation {
    get { FusedActivation(rawValue: activation) ?? .none }
    set { activation = newValue.rawValue }
  }
}
