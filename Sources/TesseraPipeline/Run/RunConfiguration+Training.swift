// SPDX-License-Identifier: Apache-2.0
import TesseraCompute
import TesseraVision

extension RunConfiguration {
  /// How the network is trained.
  ///
  /// - Throws: `TesseraError` for a name that is not known.
  public func trainingOptions() throws -> TrainedModel.Options {
    var options = TrainedModel.Options(try architecture(), weights: weights)
    (options.network.upsampling, options.network.bypass) = (upsampling, bypass)
    guard let head = Head(rawValue: head) else {
      throw TesseraError.input("head", found: self.head, wanted: "paper or linear")
    }
    options.network.head = head
    options.normalization = try imageNormalization()
    (options.epochs, options.batch, options.seed) = (epochs, batch, seed)
    let standard = options.architecture.learningRates(head)
    options.rates = (convolutionRate ?? standard.convolutions, classifierRate ?? standard.classifier)
    options.weightDecay = weightDecay
    (options.slice, options.sliceRate) = (try sliceMode(), sliceRate)
    (options.schedule, options.labelSmoothing) = (try learningSchedule(), labelSmoothing)
    (options.patience, options.noise) = (patience, noise)
    try requireRatesHaveEffect(options)
    return options
  }

  /// Throws for the learning rate of what does not learn: it would be ignored in silence.
  private func requireRatesHaveEffect(_ options: TrainedModel.Options) throws {
    if let sliceRate, options.slice != .trainable {
      throw TesseraError.input(
        "slice-lr", found: "\(sliceRate) for a slice that is \(slice)",
        wanted: "a trainable slice (else leave it out)")
    }
    // A trainable slice without a rate of its own learns at that of the convolutions.
    let isSlices = options.slice == .trainable && sliceRate == nil
    if let convolutionRate, options.network.head == .linear, !isSlices {
      throw TesseraError.input(
        "conv-lr", found: "\(convolutionRate) for the linear head, which has no convolutions",
        wanted: "the head paper (else leave it out)")
    }
  }

  /// What decides the trained network besides images and weights, for records and checkpoints.
  func trainingParameters() throws -> [String: String] {
    let options = try trainingOptions()
    return [
      "model": model, "normalization": normalization, "epochs": "\(epochs)", "batch": "\(batch)",
      "seed": "\(seed)", "rates": "\(options.rates!)", "decay": "\(weightDecay)",
      "slice": "\(slice) \(sliceRate.map { "\($0)" } ?? "")", "schedule": schedule,
      "smoothing": "\(labelSmoothing)", "patience": patience.map { "\($0)" } ?? "none",
      "upsampling": "\(upsampling)", "bypass": "\(bypass)", "head": head, "noise": "\(noise)",
    ]
  }

  /// What decides a checkpoint: one of another key is not resumed. Without a schedule, epochs are left out: more epochs go
  /// on where fewer ended.
  ///
  /// - Parameters:
  ///   - images: fingerprint of the images.
  ///   - weights: fingerprint of the slice's weights.
  public func checkpointKey(images: String, weights: String) throws -> String {
    let parameters = try trainingParameters().filter { $0.key != "epochs" || schedule != "constant" }
    let procedure = "procedure \(StageRecord.versions["model"] ?? 1)"
    return ([images, weights, procedure] + parameters.sorted { $0.key < $1.key }.map(\.value)).joined(
      separator: " ")
  }
}
