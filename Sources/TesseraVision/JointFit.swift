// SPDX-License-Identifier: Apache-2.0
import TesseraCompute
import TesseraNN

/// Fits a network's linear path and the layer of its linear head together, before the first step: one multinomial
/// logistic regression of the pixels and of the frozen slice's output, with an L2 penalty, by L-BFGS.
///
///     pixels (A) --------------------- standardised -------------- W1 --> + --> logits
///        |                                                                |
///        +--> frozen slice --> (D) --- standardised, times share --- W2 --+
///
/// All inputs are standardised over the training rows. The slice's are multiplied by a share besides, sqrt(A / D) / 2:
/// however many they are, together they then vary a quarter as much as the pixels, and the penalty does not let them
/// speak for more.
/// Where classes have weights, the loss is the weighted mean, and right answers on the validation rows count as much.
/// The penalty is the best on the validation rows (ties: the strongest) of those of `penalties` that are tried: after
/// two in a row that are no better, weaker ones are not. Sums over rows are taken
/// in blocks of 256 rows, in the order of the rows, and added up block by block: so the bits depend on neither
/// memory, device nor threads.
package struct JointFit {
  /// Penalties, strongest first.
  package static let penalties = [1, 0.3, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002]
  private static let block = 256

  private let network: ImageClassifier, plan: TrainingPlan, store: FeatureStore
  private let device: any Backend
  private let penalties: [Double]
  private let factors: LossFactors?
  let pixels: Int, outputs: Int
  private let classes: Int
  /// Of every input, those of the pixels first: the mean and the deviation.
  let mean: [Double], deviation: [Double]
  /// Of every input, what its weight is multiplied by.
  private let scale: [Double]
  /// The weights and biases as they are used, and their gradients, each (classes, inputs) and (classes).
  private let weights: [Tensor], bias: Tensor, gradients: [Tensor], parts: [Tensor]
  private let sums: Tensor, blockSums: Tensor

  /// A fit of a network that learns by a plan.
  ///
  /// - Parameters:
  ///   - store: the slice's output for the plan's images.
  ///   - penalties: those that may be tried, strongest first.
  package init(
    _ network: ImageClassifier, _ plan: TrainingPlan, _ store: FeatureStore,
    penalties: [Double] = JointFit.penalties
  ) throws {
    try plan.check(for: network)
    self.penalties = penalties
    factors = plan.factors(among: plan.training)
    (self.network, self.plan, self.store, device) = (network, plan, store, network.device)
    classes = network.classes
    pixels = network.bypass == nil ? 0 : network.channels * network.pixels * network.pixels
    outputs = try network.featureCount()
    let moments = try Self.moments(plan, store, device, pixels: pixels, outputs: outputs)
    let share = pixels == 0 ? 1 : 0.5 * (Double(pixels) / Double(outputs)).squareRoot()
    (mean, deviation) = (moments.mean, moments.deviation)
    let count = pixels
    scale = moments.deviation.enumerated().map { at, deviation in
      deviation > 0 ? (at < count ? 1 : share) / deviation : 0
    }
    let extents = (pixels > 0 ? [pixels] : []) + [outputs]
    func made() throws -> [Tensor] {
      try extents.map { try network.device.allocate([network.classes, $0], .float32) }
    }
    (weights, gradients, parts) = (try made(), try made(), try made())
    bias = try device.allocate([classes], .float32)
    // The loss, and the biases' gradients.
    (sums, blockSums) = (
      try device.allocate([1 + classes], .float32), try device.allocate([1 + classes], .float32)
    )
  }

  /// Fits, and leaves the network with what was found.
  ///
  /// - Parameter progress: called with the evaluations done and the most that there can be; penalties that are not
  ///   tried count as done at the end.
  package func run(progress: (Int, Int) throws -> Void = { _, _ in }) throws {
    var solution = [Double](repeating: 0, count: classes * (mean.count + 1))
    var best: (solution: [Double], correct: Double)?
    let figures = TrainingFigures(network: network, plan: plan, store: store)
    var worse = 0
    for (number, penalty) in penalties.enumerated() where worse < 2 {
      var evaluations = 0
      solution = try LBFGS().minimize(from: solution) {
        evaluations += 1
        let most = LBFGS().maxIterations
        try progress(number * most + min(evaluations, most), penalties.count * most)
        return try evaluate($0, penalty)
      }
      try use(solution)
      try settle()
      let correct = try figures.validateWeighted()
      worse = best.map { correct > $0.correct } ?? true ? 0 : worse + 1
      if worse == 0 { best = (solution, correct) }
    }
    try use(best?.solution ?? solution)
    try settle()
  }

  /// Rows of a block, with the slice's output and the pixels as matrices.
  private func inputs(_ rows: [Int]) throws -> [Tensor] {
    let batch = try store.batch(rows, network.evaluation())
    let features = try batch.features.value.reshaped([rows.count, outputs])
    guard pixels > 0, let images = batch.images else { return [features] }
    return [try images.reshaped([rows.count, pixels]), features]
  }

  private func blocks(_ rows: [Int], _ body: ([Int]) throws -> Void) rethrows {
    for begin in stride(from: 0, to: rows.count, by: Self.block) {
      try body(Array(rows[begin..<min(rows.count, begin + Self.block)]))
    }
  }

  /// The logits of a block's rows.
  private func logits(_ inputs: [Tensor], _ rows: Int) throws -> Tensor {
    var sum: Tensor?
    for (x, weight) in zip(inputs, weights) {
      let part = try device.allocate([rows, classes], .float32)
      var p = Matmul(m: rows, n: classes, k: weight.shape[1], transposeB: true)
      if sum == nil { p.bias = .column }
      try device.matmul(p, x, weight, bias: sum == nil ? bias : nil, into: part)
      if let sum { try device.binary(.add, sum, part, into: sum) }
      sum = sum ?? part
    }
    guard let sum else { throw TesseraError.failure("joint fit", found: "no inputs", wanted: "some") }
    return sum
  }

  /// Puts a solution into the weights: those of inputs that are not standardised.
  private func use(_ solution: [Double]) throws {
    let inputs = mean.count
    var biases = [Float](repeating: 0, count: classes)
    var folded = [Float](repeating: 0, count: classes * inputs)
    for c in 0..<classes {
      var shift = 0.0
      for j in 0..<inputs {
        let weight = solution[c * inputs + j] * scale[j]
        folded[c * inputs + j] = Float(weight)
        shift += weight * mean[j]
      }
      biases[c] = Float(solution[classes * inputs + c] - shift)
    }
    try biases.withUnsafeBytes { try device.upload($0, to: bias, offset: 0) }
    var begin = 0
    for tensor in weights {
      let width = tensor.shape[1]
      let part = (0..<classes).flatMap { folded[$0 * inputs + begin..<$0 * inputs + begin + width] }
      try part.withUnsafeBytes { try device.upload($0, to: tensor, offset: 0) }
      begin += width
    }
  }

  /// The mean cross-entropy plus penalty / 2 |W|^2, and its gradient.
  private func evaluate(_ solution: [Double], _ penalty: Double) throws -> (
    value: Double, gradient: [Double]
  ) {
    try use(solution)
    for tensor in gradients + [sums] { try device.fill(tensor, with: 0) }
    try blocks(plan.training) { try add($0) }
    let totals = try device.floats(sums).map { Double($0) }
    let found = try gradients.map { try device.floats($0) }
    let inputs = mean.count
    var (value, gradient) = (
      totals[0] / Double(plan.training.count), [Double](repeating: 0, count: solution.count)
    )
    var norm = 0.0
    for c in 0..<classes {
      var at = c * inputs
      for (tensor, values) in zip(gradients, found) {
        let width = tensor.shape[1]
        for j in 0..<width {
          let weight = solution[at]
          // d/dW of W (x - mean) scale.
          let slope = Double(values[c * width + j]) - totals[1 + c] * mean[at - c * inputs]
          gradient[at] = slope * scale[at - c * inputs] + penalty * weight
          norm += weight * weight
          at += 1
        }
      }
      gradient[classes * inputs + c] = totals[1 + c]
    }
    value += penalty / 2 * norm
    return (value, gradient)
  }

  /// Adds a block's part of loss and gradients.
  private func add(_ rows: [Int]) throws {
    let inputs = try inputs(rows)
    let count = rows.count
    let logits = try logits(inputs, count)
    let labels = try device.tensor(rows.map { plan.labels[$0] }, [count])
    let losses = try device.allocate([count], .float32)
    let slope = try device.allocate([count, classes], .float32)
    try device.crossEntropy(logits, labels: labels, rows: count, classes: classes, into: losses)
    try device.crossEntropyGrad(
      logits, labels: labels, rows: count, classes: classes, smoothing: 0, batch: plan.training.count,
      into: slope)
    if let factors {
      let own = try device.tensor(factors.of(rows.map { plan.labels[$0] }), [count])
      try device.binary(.multiply, losses, own, into: losses)
      try device.binaryChannels(
        .multiply, ChannelLayout(outer: 1, channels: count, inner: classes), slope, own, into: slope)
    }
    let (loss, biases) = (try device.allocate([1], .float32), try device.allocate([classes], .float32))
    try device.channelSum(ChannelLayout(outer: count, channels: 1, inner: 1), losses, into: loss)
    try device.channelSum(ChannelLayout(outer: count, channels: classes, inner: 1), slope, into: biases)
    try device.copy(loss, to: blockSums, region: .whole(1, at: 0))
    try device.copy(biases, to: blockSums, region: .whole(classes, at: 1))
    try device.binary(.add, sums, blockSums, into: sums)
    for (x, (part, gradient)) in zip(inputs, zip(parts, gradients)) {
      var p = Matmul(m: classes, n: part.shape[1], k: count, transposeA: true)
      p.chunk = 8
      try device.matmul(p, slope, x, bias: nil, into: part)
      try device.binary(.add, gradient, part, into: gradient)
    }
  }

  /// Gives the network what was fitted. The head's batch norm, in front of the layer, becomes one that changes
  /// nothing: the scale and shift of the channels' own moments.
  private func settle() throws {
    let layer = network.classifier.parameters.suffix(2).map(\.parameter.value)
    let norm = Dictionary(
      network.head.state.map { ($0.name.split(separator: ".").last.map(String.init) ?? "", $0.state.tensor) },
      uniquingKeysWith: { first, _ in first })
    guard layer.count == 2, layer[0].count == classes * outputs, let fitted = weights.last,
      let channels = norm["weight"]?.count, outputs % channels == 0
    else {
      throw TesseraError.failure("joint fit", found: "another head", wanted: "a linear one")
    }
    let moments = channelMoments(channels)
    for (name, values) in [
      ("running_mean", moments.mean), ("running_var", moments.variance), ("bias", moments.mean),
      ("weight", moments.variance.map { ($0 + 1e-5).squareRoot() }),
    ] {
      guard let tensor = norm[name] else { continue }
      try values.withUnsafeBytes { try device.upload($0, to: tensor, offset: 0) }
    }
    try device.copy(fitted, to: layer[0], region: .whole(fitted.count, at: 0))
    let path = network.bypass?.parameters.map(\.parameter.value) ?? []
    if path.count == 2 {
      try device.copy(weights[0], to: path[0], region: .whole(weights[0].count, at: 0))
      try device.copy(bias, to: path[1], region: .whole(classes, at: 0))
      try device.fill(layer[1], with: 0)
    } else {
      try device.copy(bias, to: layer[1], region: .whole(classes, at: 0))
    }
  }
}
