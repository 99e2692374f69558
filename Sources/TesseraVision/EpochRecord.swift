// SPDX-License-Identifier: Apache-2.0

/// One epoch's figures.
public struct EpochRecord: Codable, Sendable, Equatable {
  /// From 1 on; 0 for the network before the first step (`TrainingPlan.keepsStart`).
  public let epoch: Int
  /// Mean cross-entropy over the training rows, in training mode (of epoch 0 in evaluation mode).
  public let loss: Double
  /// Right answers on the validation rows.
  public let correct: Int
  /// SHA-256 of all that training goes on from after the epoch (`TrainingState`), and so of every epoch up to
  /// this one; nil of a run of an older version.
  public var state: String?
}
