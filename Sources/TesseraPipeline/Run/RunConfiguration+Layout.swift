// SPDX-License-Identifier: Apache-2.0
import TesseraCompute
import TesseraImages

extension RunConfiguration {
  /// The plan of the layout.
  ///
  /// - Throws: `TesseraError` for names that do not exist or do not go together.
  public func layoutPlan() throws -> LayoutPlan {
    var plan = LayoutPlan()
    (plan.pixels, plan.seesValidation) = (pixels, seesValidation)
    plan.discretization = try discretizationMethod()
    plan.channels = try ImageChannels(named: channels, for: "channels")
    plan.representations = try layoutRepresentations(plan.channels)
    if !plan.representations.contains(where: { $0.method == .tsne }) { try requireNoTSNE() }
    (plan.tsne.perplexity, plan.tsne.iterations, plan.tsne.seed) = (perplexity, iterations, seed)
    plan.tsne.exactLimit = tsneExactLimit
    plan.tsne.start = try TSNE.Start(named: tsneStart, for: "init")
    if tsneLearningRate == "auto" {
      plan.tsne.learningRate = nil
    } else {
      guard let rate = Float(tsneLearningRate), rate > 0, rate <= 1e6 else {
        throw TesseraError.input(
          "tsne-learning-rate", found: tsneLearningRate, wanted: "above 0, at most 1000000, or auto")
      }
      plan.tsne.learningRate = rate
    }
    return plan
  }

  /// Throws for an option of t-SNE where nothing is laid out by it: it would be ignored in silence.
  private func requireNoTSNE() throws {
    let usual = RunConfiguration(data: "", encoder: "")
    let given = [
      ("perplexity", "\(perplexity)", perplexity != usual.perplexity),
      ("iterations", "\(iterations)", iterations != usual.iterations),
      ("init", tsneStart, tsneStart != usual.tsneStart),
      ("tsne-learning-rate", tsneLearningRate, tsneLearningRate != usual.tsneLearningRate),
      (
        "tsne-exact-limit", "\(tsneExactLimit)",
        ![TSNE().exactLimit, usual.tsneExactLimit].contains(tsneExactLimit)
      ),
    ]
    guard let (name, value, _) = given.first(where: \.2) else { return }
    throw TesseraError.input(
      name, found: "\(value), but no layout by t-SNE", wanted: "the layout tsne with it (else leave it out)")
  }

  private func layoutRepresentations(_ channels: ImageChannels) throws -> [Representation] {
    let (method, metric) = (
      try LayoutMethod(named: layout, for: "layout"), try FeatureMetric(named: metric, for: "metric")
    )
    if channels == .several {
      guard method == .tsne, metric == .euclidean else {
        throw TesseraError.input(
          "channels", found: "several with a layout or metric", wanted: "representations with them")
      }
      return try Representation.list(representations ?? Self.usualRepresentations)
    }
    guard representations == nil else {
      throw TesseraError.input(
        "representations", found: "\(channels.rawValue) channels", wanted: "several channels")
    }
    guard method == .tsne || metric == .euclidean else {
      throw TesseraError.input("metric", found: "\(metric.rawValue) with pca", wanted: "tsne with it")
    }
    return [Representation(method: method, metric: metric)]
  }

  /// What `several` channels show unless they are named: three, as pretrained weights have them.
  static let usualRepresentations = "tsne:euclidean,tsne:correlation,pca"

  /// What decides the layout of so many features, by name.
  func layoutParameters(features: Int = 0) -> [String: String] {
    var parameters = [
      "pixels": "\(pixels)", "discretization": discretization, "perplexity": "\(perplexity)",
      "iterations": "\(iterations)", "seed": "\(seed)",
      "shares": "\(validationShare) \(test == nil ? testShare : 0)", "sees validation": "\(seesValidation)",
      "layout": layout, "metric": metric, "init": tsneStart, "tsne learning rate": tsneLearningRate,
      "channels": channels, "representations": representations ?? "",
    ]
    // Of fewer features no limit changes a bit.
    if features > tsneExactLimit { parameters["tsne exact limit"] = "\(tsneExactLimit)" }
    if let trainingRows { parameters["training rows"] = "\(trainingRows)" }
    return parameters
  }
}
