// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import TesseraAssets
import TesseraCompute
import TesseraPipeline
import TesseraVision

/// The options of the network and of its training on the command line. Their defaults and ranges are those of
/// `TrainedModel.Options`, `NetworkOptions`, `TrainingOptions` and `Recipe`.
struct TrainingArguments: ParsableArguments {
  @Option(help: "Network \(RecipeDefaults.model { $0.architecture.rawValue }).")
  var model: Architecture?
  @Option(
    help: """
      Pretrained weights of the network's slice: safetensors or PyTorch's .pth, also in nested dictionaries \
      and under a prefix; what else is in the file is left and never run. Or what tessera fetch \
      fetched, such as efficientnet-lite0 (default: drawn by seed).
      """)
  var weights: String?
  @Option(
    help: """
      Standardisation of pixels: one mean and deviation (global), each pixel's mean (centered), each pixel's \
      mean and deviation (pixel), or the whole batch's (batch) \
      \(RecipeDefaults.model { $0.normalization.rawValue }).
      """)
  var normalization: ImageNormalization?
  @Option(
    help: """
      The pretrained slice: frozen, moving (its batch norms) or trainable \
      \(RecipeDefaults.model { $0.training.slice.rawValue }).
      """)
  var slice: BackboneMode?
  @Option(name: .customLong("slice-lr"), help: "Learning rate of a trainable slice (default: the head's).")
  var sliceRate: Float?
  @Option(help: "Learning rates over the steps: constant, or in a straight line to 0 (linear).")
  var schedule = TrainingOptions().schedule
  @Option(help: "Share of the target that all classes have in common.")
  var labelSmoothing = TrainingOptions().labelSmoothing
  @Option(help: "Epochs to wait for a better one on validation before training ends (default: all are run).")
  var patience: Int?
  @Option(
    help: """
      Passes over the training rows; after a joint start none are needed \
      \(RecipeDefaults.network { "\($0.training.epochs)" }).
      """)
  var epochs: Int?
  @Option(help: "Rows a step.")
  var batch = TrainingOptions().batch
  @Option(
    name: .customLong("conv-lr"), help: "Learning rate of the head's convolutions (default: the model's).")
  var convolutionRate: Float?
  @Option(name: .customLong("classifier-lr"), help: "Learning rate of the classifier (default: the model's).")
  var classifierRate: Float?
  @Option(help: "L2 penalty.")
  var weightDecay = TrainingOptions().weightDecay
  @Option(
    help: """
      What follows the slice: convolutions as the paper has them (paper), or one layer on all of its output \
      (linear) \(RecipeDefaults.model { $0.network.head.rawValue }).
      """)
  var head: Head?
  @Option(
    help: """
      The factor of the nearest upsampling in front of the slice \
      \(RecipeDefaults.network { "\($0.network.upsampling)" }).
      """)
  var upsampling: Int?
  @Option(
    help: """
      A path from the pixels around slice and head to the logits \
      \(RecipeDefaults.model { ($0.network.bypass ? Bypass.linear : .none).rawValue }).
      """)
  var bypass: Bypass?
  @Option(
    help: """
      What is fitted before the first epoch, as a logistic regression: the path around slice and head (path), \
      or it and a linear head together (joint) \(RecipeDefaults.network { $0.network.start.rawValue }).
      """)
  var start: NetworkStart?
  @Option(
    help: """
      What the sums of the network's linear layers and convolutions are, in training and after it: fp32 numbers, or \
      exact integers of three digits of 8 bits (s3) or two (s2) (default: the encoder's --products, else fp32).
      """)
  var networkProducts: Products?
  @Option(help: "Standard deviation of noise on the normalised pixels, drawn anew in every step.")
  var noise = TrainingOptions().noise
  @Option(
    help: """
      How much the rows of each class count in the loss: alike (none), so that every class counts alike (balanced), or \
      NAME=WEIGHT,... The probe beside it and its penalty follow.
      """)
  var classWeights = "none"
  @OptionGroup(title: "Memory") var resources: ResourceArguments

  /// The path around slice and head.
  enum Bypass: String, NamedOption {
    case none, linear
  }

  /// The file of weights, which may be a fetched asset's.
  ///
  /// - Throws: `TesseraError` for an asset that was not fetched.
  func weightsFile() throws -> String? {
    try weights.map { try AssetStore.standard.path(of: $0, option: "weights") }
  }

  /// The options.
  ///
  /// - Parameters:
  ///   - recipe: what holds where nothing is chosen.
  ///   - seed: seed of the training.
  /// - Throws: `TesseraError` for what is out of range or without effect.
  func options(_ recipe: Recipe = .standard, seed: UInt64) throws -> TrainedModel.Options {
    var options = recipe.model(model)
    options.weights = try weightsFile()
    options.normalization = normalization ?? options.normalization
    options.network.head = head ?? options.network.head
    options.network.upsampling = upsampling ?? options.network.upsampling
    options.network.bypass = bypass.map { $0 == .linear } ?? options.network.bypass
    options.network.products = networkProducts ?? options.network.products
    options.training.batch = batch
    options.training.seed = seed
    options.training.convolutionRate = convolutionRate
    options.training.classifierRate = classifierRate
    options.training.weightDecay = weightDecay
    options.training.slice = slice ?? options.training.slice
    options.training.sliceRate = sliceRate
    options.training.schedule = schedule
    options.training.labelSmoothing = labelSmoothing
    options.training.patience = patience
    options.training.noise = noise
    options.training.classWeights = try classWeights == "none" ? nil : ClassWeights(classWeights)
    if options.network.start == .joint, !options.canStartJointly { options.network.start = .path }
    options.network.start = start ?? options.network.start
    options.training.epochs =
      epochs ?? (options.network.start == .joint ? 0 : TrainingOptions().epochs)
    try options.check()
    if options.training.epochs == 0 { try requireNoneForEpochs() }
    return options
  }

  /// Throws for an option of the steps where none are done: it would be ignored in silence.
  private func requireNoneForEpochs() throws {
    let usual = TrainingOptions()
    let given: [(String, String)?] = [
      schedule == usual.schedule ? nil : ("schedule", schedule.rawValue),
      patience.map { ("patience", "\($0)") }, convolutionRate.map { ("conv-lr", "\($0)") },
      classifierRate.map { ("classifier-lr", "\($0)") },
      weightDecay == usual.weightDecay ? nil : ("weight-decay", "\(weightDecay)"),
    ]
    guard let (name, value) = given.compactMap({ $0 }).first else { return }
    throw TesseraError.input(
      name, found: "\(value), but no epochs", wanted: "--epochs 1 or more with it (else leave it out)")
  }
}
