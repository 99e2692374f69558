// SPDX-License-Identifier: Apache-2.0
import TesseraCompute
import TesseraImages
import TesseraVision

/// What a run does where an option says nothing: the one place of the defaults that depend on `--recipe`.
///
/// A `RunConfiguration` without a recipe is what older versions of Tessera ran, whose files do not name every
/// option.
public enum Recipe: String, NamedOption {
  /// What measured best; scaler and layout are fitted on training rows alone.
  case standard = "default"
  /// What the official code does.
  case paper

  /// How features are laid out.
  public var layout: LayoutOptions {
    var options = LayoutOptions()
    options.tsneExactLimit = TSNE().exactLimit
    guard self == .standard else { return options }
    options.pixels = 0
    options.discretization = .lsa
    return options
  }

  /// The network and how it is trained.
  public var model: TrainedModel.Options {
    var options = TrainedModel.Options()
    switch self {
    case .standard:
      options.normalization = .pixel
      options.network.head = .linear
      options.network.bypass = true
    case .paper:
      options.normalization = .batch
      options.training.slice = .batchNormOnly
    }
    return options
  }

  /// Whether the official code's hidden states are taken where none are chosen.
  public var paperStates: Bool { self == .paper }

  /// The rows that scaler and layout are fitted on.
  public var fit: FittedRows { self == .paper ? .all : .training }
}

/// Rows that scaler and layout are fitted on.
public enum FittedRows: String, NamedOption {
  /// The training rows.
  case training
  /// All rows but the test's, as in the official code.
  case all
}
