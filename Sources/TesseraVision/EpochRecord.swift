// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

/// One epoch's figures.
public struct EpochRecord: Codable, Sendable, Equatable {
  /// From 1 on; 0 for the network before the first step (`TrainingPlan.keepsStart`).
  public let epoch: Int
  /// Mean cross-entropy over the training rows, in training mode (of epoch 0 in evaluation mode); the weighted mean
  /// where classes have weights.
  public let loss: Double
  /// Right answers on the validation rows.
  public let correct: Int
  /// SHA-256 of all that training goes on from (`TrainingState`), every `TrainingPlace.stretch` steps and at the
  /// epoch's end, each with the one before it in it; nil of a run of an older version.
  public var stretches: [String]?
  /// SHA-256 of the last of them and of the figures, and so of every epoch up to this one; nil of a run of an
  /// older version.
  public var state: String?

  /// The figures with digests of the states on the way to them.
  init(epoch: Int, loss: Double, correct: Int, stretches: [String]) {
    (self.epoch, self.loss, self.correct) = (epoch, loss, correct)
    self.stretches = stretches
    state = seal
  }

  /// The places whose states `stretches` are of.
  ///
  /// - Parameters:
  ///   - rows: rows that are trained on.
  ///   - batch: rows a step.
  package func places(rows: Int, batch: Int) -> [TrainingPlace] {
    guard epoch > 0 else { return [TrainingPlace(epoch: 0, step: 0)] }
    let steps = (rows + batch - 1) / max(1, batch)
    return EpochSteps.stretches(of: steps).map { TrainingPlace(epoch: epoch, step: $0.upperBound) }
  }

  /// What `state` is of an epoch with these figures and digests.
  package var seal: String {
    var print = Fingerprint()
    print.add(stretches?.last ?? "")
    print.add("\(epoch) \(loss.bitPattern) \(correct)")
    return print.digits()
  }
}

/// Which epoch's weights a training keeps.
package enum EpochSelection {
  /// Whether an epoch's weights are kept: better on validation than any before, and than the start by more
  /// than one standard error, the rule of Breiman et al. (1984) in favour of the simpler model. The best of
  /// many epochs is better than the start by chance alone, and then does worse on other rows.
  ///
  /// - Parameters:
  ///   - record: the epoch.
  ///   - history: the epochs before it.
  ///   - rows: rows of validation; without any, the last epoch is kept.
  static func beatsAll(
    _ record: EpochRecord, _ history: some Collection<EpochRecord>, rows: Int
  ) -> Bool {
    guard rows > 0 else { return true }
    guard history.allSatisfy({ $0.correct < record.correct }) else { return false }
    guard let start = history.first, start.epoch == 0 else { return true }
    let n = Double(rows)
    let share = Double(record.correct) / n
    return Double(record.correct - start.correct) > (n * share * (1 - share)).squareRoot()
  }

  /// The epoch whose weights are kept of a history; nil of an empty one.
  package static func best(of history: [EpochRecord], rows: Int) -> Int? {
    history.indices.last { beatsAll(history[$0], history[..<$0], rows: rows) }.map { history[$0].epoch }
  }
}
