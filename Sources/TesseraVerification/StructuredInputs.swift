// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

/// Data as it comes rather than as it is drawn: what rounds the same way every time shows in sums of it
/// alone.
public enum StructuredInputs: String, CaseIterable, Sendable {
  /// One value everywhere.
  case constant
  /// Half zeros, as after ReLU.
  case halfZeros = "half zeros"
  /// Four values in runs, as in images of few greys.
  case fewValues = "few values"
  /// A large offset over a small spread.
  case offset
  /// One value a million times the others.
  case oneHuge = "one huge value"

  /// `count` numbers, the same everywhere.
  package func floats(_ count: Int) -> [Float] {
    var inputs = CaseInputs(seed: 17)
    switch self {
    case .constant: return [Float](repeating: 0.7, count: count)
    case .halfZeros: return inputs.floats(count).map { max($0, 0) }
    case .fewValues: return (0..<count).map { [0, 0.3, 0.9, 0.1][$0 / 37 % 4] }
    case .offset: return inputs.floats(count, 999.5, 1000.5)
    case .oneHuge:
      var values = inputs.floats(count, 0.5, 1.5)
      if count > 0 { values[count / 3] = 1e6 }
      return values
    }
  }
}
