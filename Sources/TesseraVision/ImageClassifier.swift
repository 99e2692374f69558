import TesseraCompute
import TesseraNN

/// A network on images: upsampling x3, a frozen slice, a trained head and classifier.
public final class ImageClassifier {
  /// Which network.
  public let architecture: Architecture
  /// The number of classes.
  public let classes: Int
  /// Pixels a side of the images, before upsampling, and their channels.
  public let pixels: Int, channels: Int
  /// Where it computes.
  public let device: any Backend
  /// Whether batches are standardised as a whole (`ImageNormalization.batch`).
  public var standardizesBatches = false
  let slice: Sequential, head: Sequential, classifier: Sequential

  /// The factor of the nearest upsampling in front of the slice.
  public static let upsampling = 3

  /// A network with weights drawn by seed; the slice is frozen.
  ///
  /// - Parameter channels: of the images; grey ones have 1.
  public init(
    _ architecture: Architecture, classes: Int, pixels: Int, channels: Int = 1, seed: UInt64,
    device: any Backend
  ) throws {
    (self.architecture, self.classes, self.pixels, self.device) = (architecture, classes, pixels, device)
    self.channels = channels
    try architecture.check(pixels: pixels)
    let initializer = Initializer(device: device, seed: seed)
    slice = try architecture.model.slice(channels, initializer)
    head = try architecture.model.makeHead(initializer)
    classifier = try architecture.model.makeClassifier(classes, initializer)
    slice.setTrainable(false)
  }

  /// Everything the network holds, by name.
  public var state: [(name: String, tensor: Tensor)] {
    [("", slice), ("head.", head), ("classifier.", classifier)].flatMap { prefix, module in
      module.state.map { (prefix + $0.name, $0.state.tensor) }
    }
  }

  /// Loads the slice by the names of the published weights. Images of three channels take the place of the published
  /// colours. Of any other number, each channel is taken for grey, as three equal colours: the first convolution's kernels
  /// are summed over the colours in ascending order, once, and divided by the number of channels. To a slice that stays as
  /// it is, images of one channel and the means over several are then the same.
  ///
  /// - Throws: `TesseraError` for a missing tensor or another shape.
  public func loadSlice(_ file: TensorFile) throws {
    for (name, state) in slice.state {
      var shape = state.tensor.shape
      var values: [Float]
      if name == architecture.model.firstWeight, channels != 3, try file.shape(name).dropFirst().first == 3 {
        shape[1] = 3
        let colours = try file.floats(name, shape: shape)
        let area = shape[2] * shape[3]
        values = []
        for out in 0..<shape[0] {
          let base = out * 3 * area
          let grey = (base..<base + area).map { at in
            (colours[at] + colours[at + area] + colours[at + 2 * area]) / Float(channels)
          }
          for _ in 0..<channels { values += grey }
        }
      } else {
        values = try file.floats(name, shape: shape)
      }
      try values.withUnsafeBytes { try device.upload($0, to: state.tensor, offset: 0) }
    }
  }

  /// Writes values into the network's state by name.
  public func load(_ file: TensorFile, prefix: String = "") throws {
    for (name, tensor) in state {
      let values = try file.floats(prefix + name, shape: tensor.shape)
      try values.withUnsafeBytes { try device.upload($0, to: tensor, offset: 0) }
    }
  }

  /// The frozen slice's output for normalised images (batch, pixels, pixels), in evaluation mode: an image's
  /// output has the same bits in any batch.
  func features(_ images: Tensor) throws -> Tensor {
    let batch = images.count / (channels * pixels * pixels)
    return try slice(try upsampled(images, batch), Context(device: device)).value
  }

  /// Images (batch, channels, pixels, pixels) as the slice takes them.
  func upsampled(_ images: Tensor, _ batch: Int) throws -> Variable {
    let side = pixels * Self.upsampling
    let large = try device.allocate([batch, channels, side, side], .float32)
    try device.upsampleNearest(
      planes: batch * channels, height: pixels, width: pixels, scale: Self.upsampling, images, into: large)
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
  func logits(_ features: Variable, _ context: Context) throws -> Variable {
    try classifier(try head(features, context), context)
  }

  /// The class probabilities' logarithms of normalised images, row-major (count, classes).
  public func logProbabilities(_ images: [Float]) throws -> [Float] {
    let area = channels * pixels * pixels
    guard images.count % area == 0 else {
      throw TesseraError.input("images", found: "\(images.count) values", wanted: "a multiple of \(area)")
    }
    var out: [Float] = []
    for begin in stride(from: 0, to: images.count, by: 32 * area) {
      let part = Array(images[begin..<min(images.count, begin + 32 * area)])
      let batch = part.count / area
      let x = try features(try device.tensor(part, [batch, channels, pixels, pixels]))
      let context = Context(device: device)
      let y = try context.logSoftmax(try logits(Variable(x), context))
      out += try device.floats(y.value)
    }
    return out
  }
}
