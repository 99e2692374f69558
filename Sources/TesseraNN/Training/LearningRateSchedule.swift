// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

/// Factors on learning rates, step by step, for `Optimizer.step(factor:)`: a linear start, then a way down.
/// Made of `+ - * /` alone, so the same on every machine (NUMERICS.md rule 8).
public struct LearningRateSchedule: Sendable, Hashable {
  /// How the factor falls after the start.
  public enum Decay: Sendable, Hashable {
    /// It stays 1.
    case none
    /// In a straight line to the least factor.
    case linear
    /// Half a cosine's wave to the least factor (Loshchilov and Hutter 2017, without restarts).
    case cosine
    /// By a factor after every so many steps.
    case steps(every: Int, factor: Float)
  }

  /// How it falls.
  public let decay: Decay
  /// Steps of the start, through which the factor grows from 1 / warmup to 1.
  public let warmup: Int
  /// Steps in all; later ones have the least factor.
  public let total: Int
  /// Where linear and cosine end.
  public let least: Float

  /// A schedule.
  ///
  /// - Parameters:
  ///   - decay: how it falls after the start.
  ///   - total: steps in all.
  ///   - warmup: steps of the start.
  ///   - least: where linear and cosine end.
  /// - Throws: `TesseraError` for numbers below 0, a start beyond the end, and steps that make no sense.
  public init(_ decay: Decay, total: Int, warmup: Int = 0, least: Float = 0) throws {
    guard total >= 0, (0...total).contains(warmup), least >= 0, least <= 1 else {
      throw TesseraError.failure(
        "a schedule", found: "\(warmup) of \(total) steps, down to \(least)",
        wanted: "a start within the steps, and 0 to 1")
    }
    if case .steps(let every, let factor) = decay, !(every >= 1 && factor >= 0 && factor.isFinite) {
      throw TesseraError.failure(
        "a schedule", found: "a factor of \(factor) every \(every) steps",
        wanted: "1 step or more, a finite factor")
    }
    (self.decay, self.total, self.warmup, self.least) = (decay, total, warmup, least)
  }

  /// The factor of a step.
  ///
  /// - Parameter step: from 0 on; what is below counts as 0.
  public func factor(_ step: Int) -> Float {
    let step = Swift.max(0, step)
    if step < warmup { return Float(step + 1) / Float(warmup) }
    let part = total > warmup ? Swift.min(1, Float(step - warmup) / Float(total - warmup)) : 1
    switch decay {
    case .none: return 1
    case .linear: return 1 - part * (1 - least)
    case .cosine: return least + (1 - least) * (1 + Self.cosineOfPi(part)) / 2
    case .steps(let every, let factor):
      // By squaring: the number of falls has no bound.
      var (power, base, count) = (Float(1), factor, (step - warmup) / every)
      while count > 0 {
        if count & 1 == 1 { power *= base }
        (base, count) = (base * base, count >> 1)
      }
      return power
    }
  }

  /// cos(pi x) for 0 <= x <= 1 by Taylor's series around 1/2, in Double.
  private static func cosineOfPi(_ x: Float) -> Float {
    let angle = (0.5 - Double(x)) * 3.141592653589793
    let square = angle * angle
    var (term, sum) = (angle, angle)
    for n in 1...10 {
      term *= -square / Double(2 * n * (2 * n + 1))
      sum += term
    }
    return Float(sum)
  }
}
