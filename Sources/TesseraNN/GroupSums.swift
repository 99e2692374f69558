// SPDX-License-Identifier: Apache-2.0
/// How the results of a batch's groups are added up, in ascending order (NUMERICS.md rule 6).
enum GroupSums {
  /// One after the other: gradients for the weights of products and convolutions.
  case chain
  /// What an addition rounds off goes into the next: statistics, gradients for biases and scales.
  case compensated

  /// A step of the compensated sum, as the kernels have it (`tsr_plus` in common/sums.h).
  static func add(_ x: Float, to sum: inout Float, lost: inout Float) {
    let y = lost + x
    let next = sum + y
    let had = next - sum
    let all = (sum - (next - had)) + (y - had)
    (sum, lost) = (next, all.isFinite ? all : 0)
  }
}
