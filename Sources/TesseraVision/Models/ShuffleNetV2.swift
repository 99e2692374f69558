// SPDX-License-Identifier: Apache-2.0
import TesseraCompute
import TesseraNN

extension ModelDescription {
  /// ShuffleNet V2 x1.0 (Ma et al. 2018): torchvision's conv1, maxpool, stage2 (116 channels).
  static let shuffleNetV2 = {
    var model = shuffleNet
    model.stages = ["stage2"]
    return model
  }()

  private static let shuffleNet = ModelDescription(
    slice: { channels, initializer in
      let stem = Sequential([
        try Conv2d(channels, 24, kernel: 3, .init(stride: 2, padding: 1), bias: false, initializer),
        try BatchNorm2d(24, initializer), Activation(.relu),
      ])
      var layers: [(String, any Module)] = [
        ("conv1", stem), ("maxpool", MaxPool2d(kernel: 3, stride: 2, padding: 1)),
      ]
      layers.append(
        (
          "stage2.0",
          ShuffleUnit(
            first: Sequential(try spatial(24, stride: 2, initializer) + pointwise(24, initializer)),
            second: try branch(24, stride: 2, initializer))
        ))
      for index in 1...3 {
        layers.append(("stage2.\(index)", ShuffleUnit(second: try branch(58, stride: 1, initializer))))
      }
      return Sequential(named: layers)
    }, windows: [(3, 2, 1), (3, 2, 1), (3, 2, 1)], firstWeight: "conv1.0.weight",
    channels: [116, 192, 128, 64, 32], rates: (5e-4, 1e-3))

  private static func branch(_ ins: Int, stride: Int, _ initializer: Initializer) throws -> Sequential {
    Sequential(
      try pointwise(ins, initializer) + spatial(58, stride: stride, initializer) + pointwise(58, initializer))
  }

  /// 1x1 convolution to 58 channels, batch norm, ReLU.
  private static func pointwise(_ ins: Int, _ initializer: Initializer) throws -> [any Module] {
    [
      try Conv2d(ins, 58, kernel: 1, .init(), bias: false, initializer), try BatchNorm2d(58, initializer),
      Activation(.relu),
    ]
  }

  /// Depthwise 3x3 convolution, batch norm.
  private static func spatial(_ channels: Int, stride: Int, _ initializer: Initializer) throws
    -> [any Module]
  {
    [
      try Conv2d(
        channels, channels, kernel: 3, .init(stride: stride, padding: 1, groups: channels), bias: false,
        initializer), try BatchNorm2d(channels, initializer),
    ]
  }
}
