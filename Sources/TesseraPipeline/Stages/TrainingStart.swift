// SPDX-License-Identifier: Apache-2.0
import TesseraCompute
import TesseraData
import TesseraVision

/// What a training on images begins with: the network as it is drawn and read, and what it learns from.
struct TrainingStart {
  let network: ImageClassifier
  let statistics: PixelStatistics
  let plan: TrainingPlan
  private let classes: Int, area: Int

  /// The network of options for images, and the standardised images.
  ///
  /// - Parameters:
  ///   - set: images, their classes and their split.
  ///   - options: how the model is trained.
  ///   - resources: where the slice's output may be kept.
  ///   - device: the main one.
  ///   - notes: called with what was done to read the weights.
  init(
    _ set: ImageSet, _ options: TrainedModel.Options, _ resources: TrainingResources, on device: any Backend,
    notes: (String) throws -> Void
  ) throws {
    let used = set.split.training + set.split.validation
    guard used.allSatisfy({ set.labels[$0] >= 0 }) else {
      throw TesseraError.input("training", found: "images without a class", wanted: "a class for each")
    }
    try options.check()
    network = try options.network(
      classes: set.classes.count, pixels: set.pixels, channels: set.channels, on: device, notes: notes)
    network.standardizesBatches = options.normalization == .batch
    statistics = try PixelStatistics.fit(
      set.images, area: set.area, rows: set.split.training, options.normalization)
    var plan = TrainingPlan(
      images: try statistics.rows(set.images), labels: set.labels, training: set.split.training,
      validation: set.split.validation)
    plan.options = options.training
    plan.limits = resources.limits
    plan.classWeights = try options.training.classWeights?.weights(
      of: set.classes, labels: set.split.training.map { set.labels[$0] })
    plan.keepsStart = options.network.bypass || options.network.start == .joint
    (self.plan, classes, area) = (plan, set.classes.count, set.area)
  }

  /// Steps of an epoch.
  var steps: Int { (plan.training.count + plan.options.batch - 1) / plan.options.batch }

  /// Fits what is fitted before the first step: the linear path around slice and head, where there is one, or
  /// it and the linear head together.
  ///
  /// - Parameters:
  ///   - progress: called with the evaluations of a joint fit that are done, and the most that there can be.
  ///   - store: called for the frozen slice's output, if that is needed.
  func fit(progress: (Int, Int) throws -> Void = { _, _ in }, _ store: () throws -> FeatureStore) throws {
    guard plan.keepsStart else { return }
    if network.options.start == .joint {
      return try network.device.span("joint fit") {
        try JointFit(network, plan, try store()).run(progress: progress)
      }
    }
    try network.startFrom(
      try LinearProbe.fit(
        plan.images, labels: plan.labels, classes: classes, training: plan.training,
        validation: plan.validation, room: plan.limits.bytes(on: network.device).device,
        weights: plan.classWeights,
        on: network.device))
  }
}
