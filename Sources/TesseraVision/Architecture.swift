import TesseraCompute
import TesseraNN

/// A pretrained slice with a trained head, as in the paper's table (DESIGN section 3).
public enum Architecture: String, Sendable, CaseIterable {
  case alexnet, vgg16
  case efficientnetLite0 = "efficientnet_lite0"

  /// Learning rates of the head's convolutions and of the classifier.
  public var learningRates: (convolutions: Float, classifier: Float) {
    switch self {
    case .alexnet: (1e-5, 5e-4)
    case .vgg16, .efficientnetLite0: (5e-5, 1e-3)
    }
  }

  /// The head's convolutions: channels from the slice on, kernel, dropout after all but the last; then the
  /// adaptive pooling's size.
  var head: (channels: [Int], kernel: Int, dropout: Float, pool: Int) {
    switch self {
    case .alexnet: ([192, 192, 192, 192, 64], 2, 0, 5)
    case .vgg16: ([256, 192, 128, 64, 32], 4, 0.05, 10)
    case .efficientnetLite0: ([40, 192, 128, 64, 32], 4, 0.05, 10)
    }
  }

  /// The smallest images, before upsampling, that leave something of the head's unpadded convolutions.
  public var smallestPixels: Int {
    let needed = (head.channels.count - 1) * (head.kernel - 1) + 1
    return (1...).first { sliceExtent($0 * ImageClassifier.upsampling) >= needed } ?? 1
  }

  /// Rows of the slice's output for an input of `side` rows.
  private func sliceExtent(_ side: Int) -> Int {
    switch self {
    case .alexnet: side < 15 ? 0 : ((side + 4 - 11) / 4 + 1 - 3) / 2 + 1
    case .vgg16: side / 4
    case .efficientnetLite0: (side + 7) / 8
    }
  }

  /// - Throws: `TesseraError` for images that are too small.
  public func check(pixels: Int) throws {
    guard pixels >= smallestPixels else {
      throw TesseraError.input(
        "pixels", found: "\(pixels)", wanted: "\(smallestPixels) or more for \(rawValue)")
    }
  }

  /// Widths of the classifier's hidden layers; no dropout in front of the first one for 3,200 inputs.
  var hidden: [Int] { self == .alexnet ? [700, 50] : [1600, 700, 50] }

  /// What is taken from the pretrained network, on grey images: its first convolution has one input channel, the
  /// sum over the three equal ones.
  func makeSlice(_ initializer: Initializer) throws -> Sequential {
    switch self {
    case .alexnet:
      return Sequential(named: [
        ("features.0", try Conv2d(1, 64, kernel: 11, .init(stride: 4, padding: 2), initializer)),
        ("features.1", Activation(.relu)), ("features.2", MaxPool2d(kernel: 3, stride: 2)),
        ("features.3", try Conv2d(64, 192, kernel: 5, .init(padding: 2), initializer)),
        ("features.4", Activation(.relu)),
      ])
    case .vgg16:
      var layers: [(String, any Module)] = []
      var channels = 1
      for width in [64, 64, 0, 128, 128, 0, 256] {
        if width == 0 {
          layers.append(("features.\(layers.count)", MaxPool2d(kernel: 2, stride: 2)))
          continue
        }
        layers.append(
          ("features.\(layers.count)", try Conv2d(channels, width, kernel: 3, .init(padding: 1), initializer))
        )
        layers.append(("features.\(layers.count)", Activation(.relu)))
        channels = width
      }
      return Sequential(named: layers)
    case .efficientnetLite0: return try EfficientNetLite0.slice(initializer)
    }
  }

  /// The slice's first weight, whose input channels are summed.
  var firstWeight: String { self == .efficientnetLite0 ? "_conv_stem.weight" : "features.0.weight" }

  func makeHead(_ initializer: Initializer) throws -> Sequential {
    var layers: [any Module] = []
    for (index, (ins, outs)) in zip(head.channels, head.channels.dropFirst()).enumerated() {
      layers.append(try Conv2d(ins, outs, kernel: head.kernel, .init(), initializer))
      layers.append(Activation(.relu))
      layers.append(try BatchNorm2d(outs, initializer))
      if head.dropout > 0, index + 2 < head.channels.count { layers.append(Dropout(head.dropout)) }
    }
    layers.append(AdaptiveAvgPool2d(head.pool))
    layers.append(Flatten())
    return Sequential(layers)
  }

  func makeClassifier(_ classes: Int, _ initializer: Initializer) throws -> Sequential {
    var width = (head.channels.last ?? 0) * head.pool * head.pool
    var layers: [any Module] = []
    for (index, next) in hidden.enumerated() {
      if index + 2 >= hidden.count { layers.append(Dropout(0.3)) }
      layers.append(try Linear(width, next, initializer))
      layers.append(Activation(.relu))
      width = next
    }
    layers.append(try Linear(width, classes, initializer))
    return Sequential(layers)
  }
}
