// SPDX-License-Identifier: Apache-2.0
import TesseraCompute
import TesseraNN

extension ModelDescription {
  /// ResNet-18 (He et al. 2015): torchvision's conv1, bn1, relu, maxpool, layer1.
  static let resNet18 = resNet(outs: 64) { [try basicBlock($0), try basicBlock($0)] }

  /// ResNeXt-50 32x4d (Xie et al. 2017): torchvision's conv1, bn1, relu, maxpool, layer1.
  static let resNeXt50 = resNet(outs: 256) { try bottlenecks(width: 128, groups: 32, $0) }

  /// Wide ResNet-50-2 (Zagoruyko and Komodakis 2016): torchvision's conv1, bn1, relu, maxpool, layer1.
  static let wideResNet50 = resNet(outs: 256, dropout: 0.2, rates: (5e-5, 1e-4)) {
    try bottlenecks(width: 128, groups: 1, $0)
  }

  /// A ResNet as far as `layer1`: the stem that all of them have, to 64 channels, and the blocks.
  ///
  /// - Parameters:
  ///   - outs: channels of `layer1`'s output.
  ///   - dropout: that of the head.
  ///   - rates: learning rates of the head's convolutions and of the classifier.
  ///   - blocks: what `layer1` consists of.
  private static func resNet(
    outs: Int, dropout: Float = 0.05,
    rates: (convolutions: Float, classifier: Float) = (5e-5, 1e-3),
    blocks: @escaping @Sendable (Initializer) throws -> [Residual]
  ) -> ModelDescription {
    var model = ModelDescription(
      slice: { channels, initializer in
        var layers: [(String, any Module)] = [
          (
            "conv1",
            try Conv2d(channels, 64, kernel: 7, .init(stride: 2, padding: 3), bias: false, initializer)
          ),
          ("bn1", try BatchNorm2d(64, initializer)), ("relu", Activation(.relu)),
          ("maxpool", MaxPool2d(kernel: 3, stride: 2, padding: 1)),
        ]
        for (index, block) in try blocks(initializer).enumerated() {
          layers.append(("layer1.\(index)", block))
        }
        return Sequential(named: layers)
      }, windows: [(7, 2, 3), (3, 2, 1)], firstWeight: "conv1.weight", channels: [outs, 192, 128, 64, 32],
      dropout: dropout, rates: rates)
    model.stages = ["layer1"]
    return model
  }

  /// Two 3x3 convolutions on 64 channels; x itself is the shortcut.
  private static func basicBlock(_ initializer: Initializer) throws -> Residual {
    func conv() throws -> Conv2d {
      try Conv2d(64, 64, kernel: 3, .init(padding: 1), bias: false, initializer)
    }
    let body = Sequential(named: [
      ("conv1", try conv()), ("bn1", try BatchNorm2d(64, initializer)),
      ("relu", Activation(.relu)), ("conv2", try conv()), ("bn2", try BatchNorm2d(64, initializer)),
    ])
    return Residual(body, activation: .relu)
  }

  /// Three bottlenecks from 64 channels to 256.
  private static func bottlenecks(width: Int, groups: Int, _ initializer: Initializer) throws -> [Residual] {
    try [64, 256, 256].map { try bottleneck($0, width, groups, initializer) }
  }

  /// 1x1 to `width`, grouped 3x3, 1x1 to 256; the shortcut is a 1x1 convolution where channels change.
  @_optimize(none)
  private static func bottleneck(_ ins: Int, _ width: Int, _ groups: Int, _ initializer: Initializer) throws
    -> Residual
  {
    func conv(_ ins: Int, _ outs: Int, _ kernel: Int, groups: Int = 1) throws -> Conv2d {
      try Conv2d(
        ins, outs, kernel: kernel, .init(padding: kernel / 2, groups: groups), bias: false, initializer)
    }
    let body = Sequential(named: [
      ("conv1", try conv(ins, width, 1)), ("bn1", try BatchNorm2d(width, initializer)),
      ("relu1", Activation(.relu)), ("conv2", try conv(width, width, 3, groups: groups)),
      ("bn2", try BatchNorm2d(width, initializer)), ("relu2", Activation(.relu)),
      ("conv3", try conv(width, 256, 1)), ("bn3", try BatchNorm2d(256, initializer)),
    ])
    guard ins != 256 else { return Residual(body, activation: .relu) }
    return Residual(
      body, shortcut: Sequential([try conv(ins, 256, 1), try BatchNorm2d(256, initializer)]),
      activation: .relu)
  }
}
