// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import TesseraCompute
import TesseraImages
import TesseraPipeline

/// The layout's options on the command line. Their defaults and ranges are those of `LayoutOptions` and
/// `Recipe`.
struct LayoutArguments: ParsableArguments {
  @Option(
    help: """
      Pixels a side of an image; auto: as few as give every feature one \
      \(RecipeDefaults.text { $0.layout.pixels == 0 ? "auto" : "\($0.layout.pixels)" }).
      """)
  var pixels: String?
  @Option(
    help: """
      How places become pixels: scaled and rounded down (bin), by quantiles (qtb), or each feature its own \
      pixel (lsa) \(RecipeDefaults.text { $0.layout.discretization.rawValue }).
      """)
  var discretization: Discretization?
  @Option(
    help:
      "What gives features their places: t-SNE, the first two principal components (pca), or the seed (random)."
  )
  var layout = LayoutOptions().layout
  @Option(help: "t-SNE's metric.")
  var metric = LayoutOptions().metric
  @Option(name: .customLong("init"), help: "t-SNE's start.")
  var start = LayoutOptions().tsneStart
  @Option(
    name: .customLong("tsne-learning-rate"), help: "t-SNE's learning rate; auto: features / 48, at least 50.")
  var learningRate = LayoutOptions().tsneLearningRate.text
  @Option(
    name: .customLong("tsne-exact-limit"),
    help: """
      Most features whose affinities t-SNE takes of all pairs, up to \(TSNE.mostExact); of more, those of \
      nearest neighbours.
      """)
  var exactLimit = Recipe.standard.layout.tsneExactLimit
  @Option(
    help: """
      Channels of the images: one of all features (grey), one for each hidden state (layer), or one for each \
      of --representations (several).
      """)
  var channels = LayoutOptions().channels
  @Option(help: "Layouts of several channels (default: \(RepresentationList.usual.text)).")
  var representations: String?
  @Option(help: "t-SNE's perplexity.")
  var perplexity = LayoutOptions().perplexity
  @Option(help: "t-SNE's iterations.")
  var iterations = LayoutOptions().iterations
  @Option(help: "Seed of everything random.")
  var seed = RandomStream.usualSeed

  /// The options.
  ///
  /// - Parameter recipe: what holds where nothing is chosen.
  /// - Throws: `TesseraError` for what is out of range.
  func options(_ recipe: Recipe = .standard) throws -> LayoutOptions {
    var options = recipe.layout
    if let pixels { options.pixels = try LayoutOptions.pixels(pixels) }
    options.discretization = discretization ?? options.discretization
    options.layout = layout
    options.metric = metric
    options.perplexity = perplexity
    options.iterations = iterations
    options.tsneStart = start
    options.tsneLearningRate = try TSNE.LearningRate(learningRate)
    options.tsneExactLimit = exactLimit
    options.channels = channels
    options.representations = try representations.map { try RepresentationList($0) }
    try options.check()
    return options
  }

  /// Checks ranges.
  func validate() throws { _ = try options() }
}
