// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

/// A place in a training: after so many steps of an epoch. The state of a training is recorded every
/// `stretch` steps of an epoch and at its end, so that what lies between two records can be run again alone.
public struct TrainingPlace: Codable, Hashable, Comparable, Sendable {
  /// The epoch, from 1 on; 0 for the network before the first step.
  public let epoch: Int
  /// Steps of it that are done.
  public let step: Int

  /// The most steps between two recorded states. A record reads the whole state back and takes its SHA-256:
  /// half a step of AlexNet's, and so below 1% of these.
  package static let stretch = 64

  /// A place.
  public init(epoch: Int, step: Int) { (self.epoch, self.step) = (epoch, step) }

  /// By epoch, then by step.
  public static func < (a: TrainingPlace, b: TrainingPlace) -> Bool {
    (a.epoch, a.step) < (b.epoch, b.step)
  }
}

/// The steps of one epoch: the order of its rows follows from seed and epoch.
struct EpochSteps {
  let epoch: Int
  /// The training rows in the epoch's order.
  let order: [Int]
  private let labels: [Int32]
  private let batch: Int
  private let schedule: Schedule, epochs: Int
  private static let orderStream: UInt64 = 1 << 60

  init(_ plan: TrainingPlan, _ epoch: Int) throws {
    self.epoch = epoch
    labels = plan.labels
    (batch, schedule, epochs) = (plan.options.batch, plan.options.schedule, plan.options.epochs)
    order = try RandomStream(seed: plan.options.seed, stream: Self.orderStream + UInt64(epoch)).shuffled(
      plan.training)
  }

  /// How many there are.
  var count: Int { (order.count + batch - 1) / batch }

  /// A step by its number in the epoch, from 0 on.
  subscript(step: Int) -> TrainingStep {
    let number = (epoch - 1) * count + step
    let rows = rows(of: step..<step + 1)
    return TrainingStep(
      rows: Array(order[rows]), labels: order[rows].map { labels[$0] }, begin: rows.lowerBound,
      number: UInt64(number),
      factor: schedule.factor(number, of: epochs * count))
  }

  /// The places in the order that some steps take.
  func rows(of steps: Range<Int>) -> Range<Int> {
    steps.lowerBound * batch..<min(order.count, steps.upperBound * batch)
  }

  /// The steps between two recorded states.
  var stretches: [Range<Int>] { Self.stretches(of: count) }

  /// Those of so many steps.
  static func stretches(of count: Int) -> [Range<Int>] {
    stride(from: 0, to: count, by: TrainingPlace.stretch).map { begin in
      begin..<min(count, begin + TrainingPlace.stretch)
    }
  }
}
