// SPDX-License-Identifier: Apache-2.0
import TesseraCompute
import TesseraImages
import TesseraText
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

  /// A network and how it is trained.
  ///
  /// - Parameter architecture: the network; nil: the recipe's own. One layer of patches is fitted together with the
  ///   linear path, and needs no training after it (the article Experiments). Of other slices the output may be too
  ///   large for that; they learn what the path leaves over.
  public func model(_ architecture: Architecture? = nil) -> TrainedModel.Options {
    var options = TrainedModel.Options()
    switch self {
    case .standard:
      options.architecture = architecture ?? .patches16
      options.normalization = .pixel
      options.network.head = .linear
      options.network.bypass = true
      guard options.architecture == .patches16 else { return options }
      (options.network.start, options.network.upsampling, options.training.epochs) = (.joint, 1, 0)
    case .paper:
      options.architecture = architecture ?? options.architecture
      options.normalization = .batch
      options.training.slice = .batchNormOnly
    }
    return options
  }

  /// What stands for a text: the mean over its tokens says more of sentiment than the first token's vector (the
  /// article Experiments).
  public var pooling: SentencePooling { self == .paper ? .cls : .mean }

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
