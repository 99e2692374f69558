// SPDX-License-Identifier: Apache-2.0
import TesseraCompute
import TesseraNN

/// What a network in training makes of rows in evaluation mode.
struct TrainingFigures {
  let network: ImageClassifier
  let plan: TrainingPlan
  let store: FeatureStore

  /// The mean cross-entropy over some rows.
  func meanLoss(_ rows: [Int]) throws -> Double {
    let device = network.device
    let losses = try device.allocate([rows.count], .float32)
    let factors = plan.factors(among: rows)
    try evaluate(rows) { logits, begin, part, context in
      let labels = try device.tensor(part.map { plan.labels[$0] }, [part.count])
      let own = try factors.map { try device.tensor($0.of(part.map { plan.labels[$0] }), [part.count]) }
      try device.copy(
        try context.crossEntropy(
          logits, labels: labels, smoothing: plan.options.labelSmoothing, factors: own), to: losses,
        region: .whole(part.count, at: begin))
    }
    return try device.floats(losses).reduce(0) { $0 + Double($1) } / Double(max(1, rows.count))
  }

  /// Right answers on the validation rows.
  func validate() throws -> Int {
    try network.device.span("validation") { try correct(plan.validation) }
  }

  /// Right answers on the validation rows, and the mean cross-entropy over them; no loss without rows.
  func validateWithLoss() throws -> (correct: Int, loss: Double?) {
    let (device, rows) = (network.device, plan.validation)
    guard !rows.isEmpty else { return (0, nil) }
    return try device.span("validation") {
      let losses = try device.allocate([rows.count], .float32)
      let factors = plan.factors(among: rows)
      let right = try answers(rows) { logits, begin, part, context in
        let labels = try device.tensor(part.map { plan.labels[$0] }, [part.count])
        let own = try factors.map { try device.tensor($0.of(part.map { plan.labels[$0] }), [part.count]) }
        try device.copy(
          try context.crossEntropy(
            logits, labels: labels, smoothing: plan.options.labelSmoothing, factors: own), to: losses,
          region: .whole(part.count, at: begin))
      }
      let sum = try device.floats(losses).reduce(0) { $0 + Double($1) }
      return (zip(right, rows).count { $0 == plan.labels[$1] }, sum / Double(rows.count))
    }
  }

  /// The share of some training rows that is right, as many as there are validation rows, 1,000 at the most: what more is
  /// right than on the validation rows was learnt by heart. Nil without validation rows.
  func trainingAccuracy() throws -> Double? {
    let count = min(plan.validation.count, plan.training.count, 1000)
    guard count > 0 else { return nil }
    let rows = (0..<count).map { plan.training[$0 * plan.training.count / count] }
    return try network.device.span("training accuracy") { Double(try correct(rows)) / Double(count) }
  }

  /// Right answers on some rows.
  private func correct(_ rows: [Int]) throws -> Int {
    zip(try answers(rows), rows).count { $0 == plan.labels[$1] }
  }

  /// Right answers on the validation rows, each with the weight of its class, 1 where all count alike; summed in the
  /// order of the rows.
  func validateWeighted() throws -> Double {
    let right = try network.device.span("validation") { try answers(plan.validation) }
    return zip(right, plan.validation).reduce(0.0) { sum, pair in
      let label = plan.labels[pair.1]
      return pair.0 == label ? sum + Double(plan.classWeights?[Int(label)] ?? 1) : sum
    }
  }

  /// The class of the greatest logit of some rows.
  ///
  /// - Parameter besides: called with the logits of each batch, as `evaluate` calls.
  private func answers(
    _ rows: [Int], besides: (Variable, Int, [Int], Context) throws -> Void = { _, _, _, _ in }
  ) throws -> [Int32] {
    let device = network.device
    let answers = try device.allocate([rows.count], .int32)
    try evaluate(rows) { logits, begin, part, context in
      try besides(logits, begin, part, context)
      let best = try device.allocate([part.count], .int32)
      try device.rowArgmax(logits.value, rows: part.count, columns: network.classes, into: best)
      try device.copy(best, to: answers, region: .whole(part.count, at: begin))
    }
    // One read for all batches: each would wait for the device.
    return try device.ints(answers)
  }

  /// The logits of some rows, batch by batch with its first place among them and the rows' numbers.
  private func evaluate(_ rows: [Int], _ body: (Variable, Int, [Int], Context) throws -> Void) throws {
    for begin in stride(from: 0, to: rows.count, by: plan.options.batch) {
      let part = Array(rows[begin..<min(rows.count, begin + plan.options.batch)])
      let context = network.evaluation()
      let input = try store.batch(part, context)
      try body(try network.logits(input.features, images: input.images, context), begin, part, context)
    }
  }
}
