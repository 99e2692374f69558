// SPDX-License-Identifier: Apache-2.0
import TesseraCompute
import TesseraImages

/// How features are laid out, as a user says it: the one place of these options, their defaults and their
/// ranges. The command line offers them, a run's file keeps them under the names of the properties, and
/// `plan` makes of them what is done.
///
/// The defaults are the official code's, and those of files of older versions of Tessera; ``Recipe`` has the
/// command line's.
public struct LayoutOptions: Sendable, Equatable, Codable {
  /// Pixels a side; 0: as few as give every feature of a channel one.
  public var pixels = 50
  /// How places become pixels.
  public var discretization = Discretization.bin
  /// What gives features their places.
  public var layout = LayoutMethod.tsne
  /// t-SNE's metric.
  public var metric = TSNE().metric
  /// t-SNE's perplexity.
  public var perplexity = TSNE().perplexity
  /// t-SNE's iterations.
  public var iterations = TSNE().iterations
  /// Where t-SNE's points start.
  public var tsneStart = TSNE().start
  /// t-SNE's learning rate.
  public var tsneLearningRate = TSNE.LearningRate(TSNE().learningRate)
  /// The most features that t-SNE lays out with the affinities of all pairs; older versions took no more of
  /// them.
  public var tsneExactLimit = TSNE.mostExact
  /// What the images' channels show.
  public var channels = ImageChannels.grey
  /// The layouts of several channels; nil: `RepresentationList.usual`.
  public var representations: RepresentationList?

  /// The defaults.
  public init() {}

  /// Checks the ranges.
  ///
  /// - Throws: `TesseraError` that names the option as the command line does.
  public func check() throws {
    guard Self.sides.contains(pixels) || pixels == 0 else {
      throw TesseraError.input("pixels", found: "\(pixels)", wanted: "0 to \(Self.sides.upperBound)")
    }
    guard (1...1_000_000).contains(iterations) else {
      throw TesseraError.input("iterations", found: "\(iterations)", wanted: "1 to 1000000")
    }
    guard (0...TSNE.mostExact).contains(tsneExactLimit) else {
      throw TesseraError.input(
        "tsne-exact-limit", found: "\(tsneExactLimit)", wanted: "0 to \(TSNE.mostExact)")
    }
    guard perplexity.isFinite, perplexity >= 1 else {
      throw TesseraError.input("perplexity", found: "\(perplexity)", wanted: "1 or more")
    }
  }

  /// Pixels a side as they are written on the command line: a number, or `auto` for 0.
  ///
  /// - Throws: `TesseraError` for anything else.
  package static func pixels(_ text: String) throws -> Int {
    if text == "auto" { return 0 }
    guard let number = Int(text), sides.contains(number) else {
      throw TesseraError.input("pixels", found: text, wanted: "1 to \(sides.upperBound), or auto")
    }
    return number
  }

  private static let sides = 1...4096

  /// What decides the layout of so many features, by the names of a stage's record.
  @_optimize(none)
  func parameters(features: Int) -> [String: String] {
    var parameters = [
      "pixels": "\(pixels)", "discretization": discretization.rawValue, "perplexity": "\(perplexity)",
      "iterations": "\(iterations)", "layout": layout.rawValue, "metric": metric.rawValue,
      "init": tsneStart.rawValue, "tsne learning rate": tsneLearningRate.text, "channels": channels.rawValue,
      "representations": representations?.text ?? "",
    ]
    // Of fewer features no limit changes a bit.
    if features > tsneExactLimit { parameters["tsne exact limit"] = "\(tsneExactLimit)" }
    return parameters
  }
}

extension LayoutOptions {
  /// The plan of the layout.
  ///
  /// - Parameters:
  ///   - seed: seed of t-SNE's start.
  ///   - seesValidation: whether scaler and layout see the validation rows too.
  /// - Throws: `TesseraError` for options out of range, that do not go together, or that would be without
  ///   effect.
  public func plan(seed: UInt64 = RandomStream.usualSeed, seesValidation: Bool = false) throws -> LayoutPlan {
    try check()
    var plan = LayoutPlan()
    plan.pixels = pixels
    plan.discretization = discretization
    plan.channels = channels
    plan.representations = try resolvedRepresentations()
    plan.seesValidation = seesValidation
    if !plan.representations.contains(where: { $0.method == .tsne }) { try requireNoTSNE() }
    plan.tsne.perplexity = perplexity
    plan.tsne.iterations = iterations
    plan.tsne.start = tsneStart
    plan.tsne.learningRate = tsneLearningRate.value
    plan.tsne.exactLimit = tsneExactLimit
    plan.tsne.seed = seed
    return plan
  }

  /// Throws for an option of t-SNE where nothing is laid out by it: it would be ignored in silence.
  private func requireNoTSNE() throws {
    let usual = LayoutOptions()
    let given = [
      ("perplexity", "\(perplexity)", perplexity != usual.perplexity),
      ("iterations", "\(iterations)", iterations != usual.iterations),
      ("init", tsneStart.rawValue, tsneStart != usual.tsneStart),
      ("tsne-learning-rate", tsneLearningRate.text, tsneLearningRate != usual.tsneLearningRate),
      (
        "tsne-exact-limit", "\(tsneExactLimit)",
        ![TSNE().exactLimit, usual.tsneExactLimit].contains(tsneExactLimit)
      ),
    ]
    guard let (name, value, _) = given.first(where: \.2) else { return }
    throw TesseraError.input(
      name, found: "\(value), but no layout by t-SNE", wanted: "the layout tsne with it (else leave it out)")
  }

  private func resolvedRepresentations() throws -> [Representation] {
    if channels == .several {
      guard layout == .tsne, metric == .euclidean else {
        throw TesseraError.input(
          "channels", found: "several with a layout or metric", wanted: "representations with them")
      }
      return (representations ?? .usual).list
    }
    guard representations == nil else {
      throw TesseraError.input(
        "representations", found: "\(channels.rawValue) channels", wanted: "several channels")
    }
    guard layout == .tsne || metric == .euclidean else {
      throw TesseraError.input(
        "metric", found: "\(metric.rawValue) with \(layout.rawValue)", wanted: "tsne with it")
    }
    return [Representation(method: layout, metric: metric)]
  }
}
