// SPDX-License-Identifier: Apache-2.0
import TesseraCompute
import TesseraNN

/// A pretrained slice with a trained head, as in the paper's table (arXiv 2106.12479).
///
/// How to add a model: the article "Adding a backbone" (`Documentation.docc/AddingABackbone.md`).
struct ModelDescription: Sendable {
  /// The slice's layers for images of some channels.
  let slice: @Sendable (_ channels: Int, Initializer) throws -> Sequential
  /// The slice's windows that shrink an image: kernel, stride, padding.
  let windows: [(kernel: Int, stride: Int, padding: Int)]
  /// The slice's first weight, over whose input channels weights for colours are summed.
  let firstWeight: String
  /// Modules of which the slice's own are all that there are: a file that holds more in them is of another
  /// network.
  var stages: [String] = []
  /// What the slice's modules and tensors are called in files of another origin, by their path; nil where
  /// there is none.
  var otherName: @Sendable (String) -> String? = { _ in nil }
  /// What someone should be told whose file has the other names.
  var otherNamesNote: String?
  /// Channels of the head's convolutions, from the slice's output on, and the side of their kernels.
  let channels: [Int], kernel: Int
  /// Dropout after all of the head's convolutions but the last.
  let dropout: Float
  /// Rows of the adaptive pooling's output.
  let pool: Int
  /// Widths of the classifier's hidden layers: dropout of 0.3 in front of the last two.
  let hidden: [Int]
  /// Learning rates of the head's convolutions and of the classifier.
  let rates: (convolutions: Float, classifier: Float)

  /// The head that VGG16 and its followers share, for a slice of so many channels.
  init(
    slice: @escaping @Sendable (_ channels: Int, Initializer) throws -> Sequential,
    windows: [(kernel: Int, stride: Int, padding: Int)], firstWeight: String, channels: [Int],
    kernel: Int = 4,
    dropout: Float = 0.05, pool: Int = 10, hidden: [Int] = [1600, 700, 50],
    rates: (convolutions: Float, classifier: Float) = (5e-5, 1e-3)
  ) {
    (self.slice, self.windows, self.firstWeight) = (slice, windows, firstWeight)
    (self.channels, self.kernel, self.dropout, self.pool) = (channels, kernel, dropout, pool)
    (self.hidden, self.rates) = (hidden, rates)
  }

  /// Rows of the slice's output for an input of `side` rows; 0 if nothing is left.
  func sliceExtent(_ side: Int) -> Int {
    windows.reduce(side) { side, window in
      let room = side + 2 * window.padding - window.kernel
      return side == 0 || room < 0 ? 0 : room / window.stride + 1
    }
  }

  /// The smallest images, before upsampling, that leave something of the slice and of the head's unpadded
  /// convolutions.
  func smallestPixels(_ options: NetworkOptions) -> Int {
    let needed = options.head == .paper ? (channels.count - 1) * (kernel - 1) + 1 : 1
    return (1...).first { sliceExtent($0 * options.upsampling) >= needed } ?? 1
  }

  /// Batch norm of the slice's output, then all of it side by side.
  func makeLinearHead(_ initializer: Initializer) throws -> Sequential {
    Sequential([try BatchNorm2d(channels.first ?? 0, initializer), Flatten()])
  }

  /// Dropout and one linear layer on the slice's output of `side` rows.
  func makeLinearClassifier(_ classes: Int, side: Int, _ initializer: Initializer) throws -> Sequential {
    Sequential([Dropout(0.3), try Linear((channels.first ?? 0) * side * side, classes, initializer)])
  }

  /// Conv2d -> ReLU -> BatchNorm2d (-> Dropout), ..., adaptive average pooling.
  func makeHead(_ initializer: Initializer) throws -> Sequential {
    var layers: [any Module] = []
    for (index, (ins, outs)) in zip(channels, channels.dropFirst()).enumerated() {
      layers.append(try Conv2d(ins, outs, kernel: kernel, .init(), initializer))
      layers.append(Activation(.relu))
      layers.append(try BatchNorm2d(outs, initializer))
      if dropout > 0, index + 2 < channels.count { layers.append(Dropout(dropout)) }
    }
    layers.append(AdaptiveAvgPool2d(pool))
    layers.append(Flatten())
    return Sequential(layers)
  }

  /// Linear layers with ReLU between.
  func makeClassifier(_ classes: Int, _ initializer: Initializer) throws -> Sequential {
    var width = (channels.last ?? 0) * pool * pool
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
