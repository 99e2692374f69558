import TesseraCompute
import TesseraImages

/// How features are laid out.
public struct LayoutPlan: Sendable {
  /// Pixels a side (0: as few as give every feature one), and how places become pixels.
  public var pixels = 50, discretization = Discretization.bin
  /// What gives features their places, and t-SNE's settings.
  public var method = LayoutMethod.tsne, tsne = TSNE()
  /// Whether scaler and layout see the validation rows too, as in the official code.
  public var seesValidation = false

  /// The recipe's defaults.
  public init() {}

  /// Places of features as points (count, dims), all x, then all y, with t-SNE's divergence.
  func places(
    _ points: [Float], count: Int, dims: Int, on device: any Backend, progress: (Int, Float?) throws -> Void
  ) throws -> (coordinates: [Float], divergence: Float?) {
    switch method {
    case .tsne:
      let result = try tsne.layOut(points, count: count, dims: dims, on: device, progress: progress)
      return (result.coordinates, result.divergence)
    case .pca:
      return (try PrincipalComponents(points, count: count, dims: dims, on: device).coordinates, nil)
    }
  }
}

extension RunConfiguration {
  /// The plan of the layout.
  ///
  /// - Throws: `TesseraError` for names that do not exist or do not go together.
  public func layoutPlan() throws -> LayoutPlan {
    var plan = LayoutPlan()
    (plan.pixels, plan.seesValidation) = (pixels, seesValidation)
    plan.discretization = try discretizationMethod()
    plan.method = try LayoutMethod(named: layout, for: "layout")
    (plan.tsne.perplexity, plan.tsne.iterations, plan.tsne.seed) = (perplexity, iterations, seed)
    plan.tsne.metric = try FeatureMetric(named: metric, for: "metric")
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
    if plan.method == .pca, plan.tsne.metric != .euclidean {
      throw TesseraError.input("metric", found: "\(metric) with pca", wanted: "tsne with it")
    }
    return plan
  }

  /// What decides the layout, by name.
  var layoutParameters: [String: String] {
    [
      "pixels": "\(pixels)", "discretization": discretization, "perplexity": "\(perplexity)",
      "iterations": "\(iterations)", "seed": "\(seed)",
      "shares": "\(validationShare) \(test == nil ? testShare : 0)", "sees validation": "\(seesValidation)",
      "layout": layout, "metric": metric, "init": tsneStart, "tsne learning rate": tsneLearningRate,
    ]
  }
}
