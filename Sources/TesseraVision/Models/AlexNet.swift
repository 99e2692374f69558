// SPDX-License-Identifier: Apache-2.0
import TesseraCompute
import TesseraNN

extension ModelDescription {
  /// AlexNet (Krizhevsky 2014, "One weird trick"), torchvision's `features[0:5]`.
  static let alexNet = ModelDescription(
    slice: { channels, initializer in
      Sequential(named: [
        ("features.0", try Conv2d(channels, 64, kernel: 11, .init(stride: 4, padding: 2), initializer)),
        ("features.1", Activation(.relu)), ("features.2", MaxPool2d(kernel: 3, stride: 2)),
        ("features.3", try Conv2d(64, 192, kernel: 5, .init(padding: 2), initializer)),
        ("features.4", Activation(.relu)),
      ])
    }, windows: [(11, 4, 2), (3, 2, 0)], firstWeight: "features.0.weight",
    channels: [192, 192, 192, 192, 64], kernel: 2, dropout: 0, pool: 5, hidden: [700, 50],
    rates: (1e-5, 5e-4))

  /// The original AlexNet (Krizhevsky et al. 2012) as Caffe's BVLC published it: conv1, local response
  /// normalisation, pooling, conv2 in two groups. AlexNet's head, on 256 channels.
  static let alexNetBVLC = ModelDescription(
    slice: { channels, initializer in
      Sequential(named: [
        ("conv1", try Conv2d(channels, 96, kernel: 11, .init(stride: 4), initializer)),
        ("relu1", Activation(.relu)), ("norm1", LocalResponseNorm(5)),
        ("pool1", MaxPool2d(kernel: 3, stride: 2)),
        ("conv2", try Conv2d(96, 256, kernel: 5, .init(padding: 2, groups: 2), initializer)),
        ("relu2", Activation(.relu)),
      ])
    }, windows: [(11, 4, 0), (3, 2, 0)], firstWeight: "conv1.weight", channels: [256, 192, 192, 192, 64],
    kernel: 2, dropout: 0, pool: 5, hidden: [700, 50], rates: (1e-5, 5e-4))
}
