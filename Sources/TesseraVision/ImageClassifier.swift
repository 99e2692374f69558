// SPDX-License-Identifier: Apache-2.0
import TesseraCompute
import TesseraNN

/// A network on images: upsampling, a pretrained slice, a trained head and classifier, and, if wanted, a
/// linear path from the pixels around them to the logits.
///
///     images --> upsampling --> slice --> head --> classifier --> + --> logits
///        |                                                        |
///        +--------------------- bypass (linear) ------------------+
public final class ImageClassifier {
  /// Which network.
  public let architecture: Architecture
  /// The number of classes.
  public let classes: Int
  /// Pixels a side of the images, before upsampling.
  public let pixels: Int
  /// Channels of the images.
  public let channels: Int
  /// Where it computes.
  public let device: any Backend
  /// Whether batches are standardised as a whole (`ImageNormalization.batch`).
  public var standardizesBatches = false
  /// What it has besides its architecture.
  public let options: NetworkOptions
  let slice: Sequential, head: Sequential, classifier: Sequential, bypass: Linear?

  /// A network with weights drawn by seed; the slice is frozen, a bypass is 0.
  ///
  /// - Parameters:
  ///   - architecture: the network whose slice and head are built.
  ///   - classes: the number of classes.
  ///   - pixels: a side of the images.
  ///   - channels: of the images; grey ones have 1.
  ///   - options: what the network has besides its architecture.
  ///   - seed: what the weights are drawn by.
  ///   - device: the device that holds the weights and computes.
  /// - Throws: `TesseraError` for fewer than 2 classes or 1 channel, images that are too small and options
  ///   out of range.
  public init(
    _ architecture: Architecture, classes: Int, pixels: Int, channels: Int = 1,
    options: NetworkOptions = .init(),
    seed: UInt64, device: any Backend
  ) throws {
    (self.architecture, self.classes, self.pixels, self.device) = (architecture, classes, pixels, device)
    (self.channels, self.options) = (channels, options)
    guard (2...1 << 20).contains(classes), (1...1 << 12).contains(channels) else {
      throw TesseraError.input(
        "network", found: "\(classes) classes, \(channels) channels",
        wanted: "2 classes or more, 1 channel or more")
    }
    try architecture.check(pixels: pixels, options)
    let initializer = Initializer(device: device, seed: seed)
    slice = try architecture.model.slice(channels, initializer)
    let model = architecture.model
    switch options.head {
    case .paper:
      head = try model.makeHead(initializer)
      classifier = try model.makeClassifier(classes, initializer)
    case .linear:
      head = try model.makeLinearHead(initializer)
      classifier = try model.makeLinearClassifier(
        classes, side: model.sliceExtent(pixels * options.upsampling), initializer)
      // Nothing has to break a symmetry, and what is drawn for so many inputs would only have to be unlearnt.
      for (_, parameter) in classifier.parameters { try device.fill(parameter.value, with: 0) }
    }
    slice.setTrainable(false)
    bypass = options.bypass ? try Linear(channels * pixels * pixels, classes, initializer) : nil
    for (_, state) in bypass?.state ?? [] { try device.fill(state.tensor, with: 0) }
    bypass?.setTrainable(false)
  }

  /// The modules with the prefix of their state's names.
  private var parts: [(prefix: String, module: any Module)] {
    [("", slice), ("head.", head), ("classifier.", classifier)] + (bypass.map { [("bypass.", $0)] } ?? [])
  }

  /// Everything the network holds, by name.
  public var state: [(name: String, tensor: Tensor)] {
    parts.flatMap { prefix, module in module.state.map { (prefix + $0.name, $0.state.tensor) } }
  }

  /// What the network computes in evaluation mode behind the upsampling, part by part.
  ///
  /// - Throws: `TesseraError` for a layer that has no description.
  package func descriptions() throws -> (
    slice: LayerDescription, head: LayerDescription, classifier: LayerDescription, bypass: LayerDescription?
  ) {
    (
      try slice.description(), try head.description(), try classifier.description(), bypass?.description()
    )
  }

  /// Gives the bypass known weights (classes, channels x pixels x pixels) and biases, and sets the
  /// classifier's last layer to 0: the network starts as the bypass alone and learns what that leaves over.
  ///
  /// - Throws: `TesseraError` for a network without a bypass or another number of weights.
  public func startFromBypass(weight: [Float], bias: [Float]) throws {
    let parameters = bypass?.parameters.map(\.parameter.value) ?? []
    guard parameters.map(\.count) == [weight.count, bias.count] else {
      throw TesseraError.failure(
        "bypass", found: "\(weight.count) weights and \(bias.count) biases",
        wanted: "\(parameters.map(\.count)) (a network with a bypass)")
    }
    guard (weight + bias).allSatisfy(\.isFinite) else {
      throw TesseraError.failure("bypass", found: "a weight that is not finite", wanted: "finite numbers")
    }
    for (values, tensor) in zip([weight, bias], parameters) {
      try values.withUnsafeBytes { try device.upload($0, to: tensor, offset: 0) }
    }
    for (_, parameter) in classifier.parameters.suffix(2) { try device.fill(parameter.value, with: 0) }
  }

  /// Writes values into the network's state by name.
  public func load(_ file: TensorFile, prefix: String = "") throws {
    for (name, tensor) in state {
      let values = try file.floats(prefix + name, shape: tensor.shape)
      try values.withUnsafeBytes { try device.upload($0, to: tensor, offset: 0) }
    }
  }

  /// Throws unless images on the host are whole and finite.
  ///
  /// - Parameters:
  ///   - count: how many are wanted; nil: any number.
  ///   - rows: the images' numbers, for messages; nil: from 0 on.
  func check(_ place: String, _ images: [Float], count: Int? = nil, rows: ArraySlice<Int>? = nil) throws {
    try Self.check(place, images, count: count, rows: rows, area: channels * pixels * pixels)
  }

  /// The same for images of so many values each.
  static func check(
    _ place: String, _ images: [Float], count: Int? = nil, rows: ArraySlice<Int>? = nil, area: Int
  ) throws {
    guard images.count % area == 0, count == nil || images.count / area == count else {
      throw TesseraError.input(
        place, found: "\(images.count) values",
        wanted: count.map { "\($0) images of \(area)" } ?? "a multiple of \(area)")
    }
    guard let bad = images.firstIndex(where: { !$0.isFinite }) else { return }
    let row = rows.map { $0[$0.startIndex + bad / area] } ?? bad / area
    throw TesseraError.input(
      "\(place): image \(row), value \(bad % area)", found: "\(images[bad])", wanted: "finite numbers")
  }

  /// A context of evaluation mode, with the network's products.
  func evaluation() -> Context { Context(device: device, products: options.products) }

  /// The frozen slice's output for normalised images (batch, pixels, pixels), in evaluation mode: an image's
  /// output has the same bits in any batch.
  func features(_ images: Tensor) throws -> Tensor {
    let batch = images.count / (channels * pixels * pixels)
    return try slice(try upsampled(images, batch), evaluation()).value
  }

  /// The numbers of the slice's output for one image.
  public func featureCount() throws -> Int {
    try features(try tensor([Float](repeating: 0, count: channels * pixels * pixels)[...])).count
  }

  /// The same for images on the host.
  func features(of images: ArraySlice<Float>) throws -> Tensor { try features(try tensor(images)) }

  /// Normalised images on the device, (batch, channels, pixels, pixels).
  func tensor(_ images: ArraySlice<Float>) throws -> Tensor {
    let tensor = try device.allocate(
      [images.count / (channels * pixels * pixels), channels, pixels, pixels], .float32)
    try images.withUnsafeBytes { try device.upload($0, to: tensor, offset: 0) }
    return tensor
  }

  /// Images (batch, channels, pixels, pixels) as the slice takes them.
  func upsampled(_ images: Tensor, _ batch: Int) throws -> Variable {
    let side = pixels * options.upsampling
    let large = try device.allocate([batch, channels, side, side], .float32)
    try device.upsampleNearest(
      planes: batch * channels, height: pixels, width: pixels, scale: options.upsampling, images, into: large)
    if standardizesBatches { try standardize(large, batch) }
    return Variable(large)
  }

  /// (x - mean) / sqrt(deviation^2 + 1e-8) over the whole tensor, the deviation unbiased.
  private func standardize(_ x: Tensor, _ batch: Int) throws {
    let (mean, variance) = (try device.allocate([1], .float32), try device.allocate([1], .float32))
    try device.moments(x, samples: batch, inner: x.count / max(1, batch), mean: mean, variance: variance)
    let unbiased = Float(x.count) / Float(max(1, x.count - 1))
    try device.unary(.affine, variance, alpha: unbiased, beta: 0, into: variance)
    try device.standardize(x, mean: mean, variance: variance, eps: 1e-8, into: x)
  }

  /// The logits for the slice's output.
  ///
  /// - Parameter images: normalised, (batch, channels, pixels, pixels); read by the bypass alone.
  func logits(_ features: Variable, images: Tensor?, _ context: Context) throws -> Variable {
    let y = try classifier(try head(features, context), context)
    guard let bypass, let images else { return y }
    let flat = try images.reshaped([images.shape[0], channels * pixels * pixels])
    return try context.add(y, try bypass(Variable(flat), context))
  }
}
