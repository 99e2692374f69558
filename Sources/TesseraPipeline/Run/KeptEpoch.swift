// SPDX-License-Identifier: Apache-2.0
import TesseraVision

/// Which epoch's weights a trained network has, in words.
public struct KeptEpoch: Sendable, Equatable, CustomStringConvertible {
  /// The epoch; 0 for the network before the first step, nil if none was run.
  public let epoch: Int?
  /// The epochs that were run; nil if that is not known.
  public let of: Int?
  /// Whether the network has a linear path.
  public let hasLinearPath: Bool
  /// Whether it starts with a head that was fitted.
  public let hasFittedHead: Bool

  /// Of a network of these options.
  public init(_ epoch: Int?, of epochs: Int? = nil, _ options: NetworkOptions) {
    (self.epoch, of) = (epoch, epochs)
    hasFittedHead = options.start == .joint
    hasLinearPath = options.bypass
  }

  /// Whether the network is its linear path and nothing else.
  public var isLinearPathAlone: Bool { epoch == 0 && hasLinearPath && !hasFittedHead }

  /// Whether the CNN says anything that training has taught it.
  public var isCNNTrained: Bool { (epoch ?? 0) > 0 || epoch == 0 && hasFittedHead }

  /// Such as `3 of 15`, or `0 of 15: the linear path alone; ...`.
  public var description: String {
    guard let epoch else { return "none: no epoch was run, the network is as it was drawn" }
    let number = "\(epoch)" + (of.map { " of \($0)" } ?? "")
    if epoch == 0, hasFittedHead { return number + ": as it was fitted, before the first step" }
    guard isLinearPathAlone else { return number }
    return number + ": the linear path alone; the CNN added nothing"
      + (of == 0
        ? " (no epoch of it was run)"
        : " (no epoch was better on validation by more than a standard error)")
  }
}

extension TrainedModel {
  /// Which epoch's weights these are.
  public var kept: KeptEpoch { KeptEpoch(keptEpoch, network.options) }
}

/// The result of a training by another seed.
public struct SeedResult: Sendable, Equatable, Codable {
  /// The seed.
  public let seed: UInt64
  /// The accuracy on the test rows.
  public let accuracy: Accuracy
  /// The epoch that was kept; 0 for the linear path alone.
  public let keptEpoch: Int?
}
