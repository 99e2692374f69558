// SPDX-License-Identifier: Apache-2.0
import TesseraCompute
import TesseraData
import TesseraImages

/// How features are laid out: what ``LayoutOptions`` come to.
public struct LayoutPlan: Sendable {
  /// Pixels a side; 0: as few as give every feature of a channel one.
  public var pixels = LayoutOptions().pixels
  /// How places become pixels.
  public var discretization = LayoutOptions().discretization
  /// What the channels show.
  public var channels = LayoutOptions().channels
  /// What gives features their places: more than one for `ImageChannels.several`.
  public var representations = [Representation(method: LayoutOptions().layout)]
  /// t-SNE's settings; its metric is the representation's.
  public var tsne = TSNE()
  /// Whether scaler and layout see the validation rows too, as in the official code.
  public var seesValidation = false
  /// Whether a perplexity that so few features do not allow is lowered, to a third of them: a table has few.
  public var lowersPerplexity = false

  /// The defaults of `LayoutOptions` and of `TSNE`.
  public init() {}

  /// The channels of embeddings: name, representation and features of each.
  func parts(_ embeddings: Embeddings) throws -> [(
    name: String, representation: Representation, features: [Int]
  )] {
    guard channels == .layer else {
      return representations.map { ($0.description, $0, Array(0..<embeddings.columns)) }
    }
    let states = embeddings.states
    guard states.count > 1, embeddings.columns % states.count == 0 else {
      throw TesseraError.input(
        "channels", found: "layer for \(embeddings.columns) features of \(states.count) hidden state(s)",
        wanted: "embeddings of several hidden states, made by tessera embed")
    }
    let width = embeddings.columns / states.count
    return states.enumerated().flatMap { index, state in
      representations.map { ("layer \(state)", $0, Array(index * width..<(index + 1) * width)) }
    }
  }

  /// The images that this plan makes of so many features of some hidden states, laid out by so many rows.
  ///
  /// - Throws: `TesseraError` for what the layout would refuse: channels of one hidden state, a perplexity
  ///   above the number of features, fewer pixels than features that want one each.
  func shape(features: Int, states: Int, rows: Int) throws -> (side: Int, channels: Int) {
    guard channels != .layer || states > 1 else {
      throw TesseraError.input(
        "channels", found: "layer for \(features) features of \(states) hidden state(s)",
        wanted: "several hidden states (--layers)")
    }
    guard !representations.isEmpty else {
      throw TesseraError.input("representations", found: "none", wanted: "at least one")
    }
    let points = channels == .layer ? features / states : features
    if lowersPerplexity, points == 1, representations.contains(where: { $0.method != .random }) {
      throw TesseraError.input(
        "layout", found: "1 feature", wanted: "2 or more to have places by each other, or --layout random")
    }
    for representation in representations where representation.method == .tsne {
      try tsne(representation, points: points).check(points: points, dims: rows)
    }
    guard (0...4096).contains(pixels) else {
      throw TesseraError.input("pixels", found: "\(pixels)", wanted: "0 to 4096")
    }
    let side = pixels > 0 ? pixels : PixelLayout.side(for: points)
    try discretization.check(features: points, side: side)
    return (side, representations.count * (channels == .layer ? states : 1))
  }

  /// Throws for what the layout of features would refuse (`shape`).
  public func check(_ embeddings: Embeddings, _ split: Split) throws {
    try split.check("layout", count: embeddings.labels.count)
    let rows = split.training.count + (seesValidation ? split.validation.count : 0)
    _ = try shape(features: embeddings.columns, states: embeddings.states.count, rows: rows)
  }

  /// t-SNE's perplexity for so many features: three times as many neighbours as it have to be there.
  func perplexity(points: Int) -> Float {
    lowersPerplexity ? min(tsne.perplexity, max(1, Float(points - 1) / 3)) : tsne.perplexity
  }

  /// t-SNE's settings for a representation of so many features.
  func tsne(_ representation: Representation, points: Int) -> TSNE {
    var tsne = tsne
    tsne.metric = representation.metric
    tsne.perplexity = perplexity(points: points)
    return tsne
  }
}

extension Embeddings {
  /// Numbers of the hidden states that the features come from, in their order; 0 alone if the file does not
  /// say.
  var states: [Int] { Self.states(source["layers"]) }

  /// The hidden states of a text such as `1...6`.
  static func states(_ text: String?) -> [Int] {
    let ends = (text ?? "").split(separator: ".").compactMap { Int($0) }
    return ends.count == 2 && ends[0] >= 0 && ends[0] <= ends[1] && ends[1] < 10_000
      ? Array(ends[0]...ends[1]) : [0]
  }
}
