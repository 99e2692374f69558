// SPDX-License-Identifier: Apache-2.0
import TesseraCompute
import TesseraNN

/// The stem and the first three block stages of EfficientNet-Lite0 (Tan and Le 2019, without
/// squeeze-and-excite, with ReLU6), with TensorFlow's "same" padding and the published file's names.
/// Output: 40 channels at 1/8.
extension ModelDescription {
  static let efficientNetLite0 = {
    var model = ModelDescription(
      slice: liteSlice, windows: [(1, 2, 0), (1, 2, 0), (1, 2, 0)], firstWeight: "_conv_stem.weight",
      channels: [40, 192, 128, 64, 32])
    model.stages = ["blocks.0", "blocks.1", "blocks.2"]
    model.otherName = timmName
    model.otherNamesNote =
      "timm's names: read as its tf_efficientnet_lite0, with TensorFlow's padding and an epsilon of 1e-3; "
      + "timm's efficientnet_lite0 pads otherwise and has 1e-5"
    return model
  }()

  /// timm's name for a module or tensor: blocks by stage, and in a block convolutions and norms in the
  /// order of their work. The first stage's only block, which does not expand, is timm's depthwise
  /// separable one.
  @_optimize(none)
  private static func timmName(_ name: String) -> String? {
    let parts = name.split(separator: ".", omittingEmptySubsequences: false)
    let stem = ["_conv_stem": "conv_stem", "_bn0": "bn1"]
    if let own = parts.first.flatMap({ stem[String($0)] }) {
      return ([own] + parts.dropFirst().map(String.init)).joined(separator: ".")
    }
    let places = ["0": "0.0", "1": "1.0", "2": "1.1", "3": "2.0", "4": "2.1"]
    guard parts.count > 1, parts[0] == "_blocks", let place = places[String(parts[1])] else { return nil }
    let layers =
      place == "0.0"
      ? ["_depthwise_conv": "conv_dw", "_bn1": "bn1", "_project_conv": "conv_pw", "_bn2": "bn2"]
      : [
        "_expand_conv": "conv_pw", "_bn0": "bn1", "_depthwise_conv": "conv_dw", "_bn1": "bn2",
        "_project_conv": "conv_pwl", "_bn2": "bn3",
      ]
    guard parts.count > 2 else { return "blocks.\(place)" }
    guard let layer = layers[String(parts[2])] else { return nil }
    return (["blocks", place, layer] + parts.dropFirst(3).map(String.init)).joined(separator: ".")
  }

  @_optimize(none)
  private static func liteSlice(_ channels: Int, _ initializer: Initializer) throws -> Sequential {
    let eps: Float = 1e-3
    var layers: [(String, any Module)] = [
      (
        "_conv_stem",
        try Conv2d(channels, 32, kernel: 3, .init(stride: 2, same: true), bias: false, initializer)
      ),
      ("_bn0", try BatchNorm2d(32, eps: eps, initializer)), ("_relu", Activation(.relu6)),
    ]
    // (in, out, expansion, kernel, stride) of blocks 0 to 4: stages of 1, 2 and 2 blocks.
    let blocks = [
      (32, 16, 1, 3, 1), (16, 24, 6, 3, 2), (24, 24, 6, 3, 1), (24, 40, 6, 5, 2), (40, 40, 6, 5, 1),
    ]
    for (index, b) in blocks.enumerated() {
      layers.append(
        (
          "_blocks.\(index)",
          try invertedResidual(b.0, b.1, expansion: b.2, kernel: b.3, stride: b.4, eps, initializer)
        ))
    }
    return Sequential(named: layers)
  }

  /// Expand 1x1, depthwise, project 1x1; plus the input where shapes allow.
  private static func invertedResidual(
    _ ins: Int, _ outs: Int, expansion: Int, kernel: Int, stride: Int, _ eps: Float,
    _ initializer: Initializer
  ) throws -> any Module {
    let wide = ins * expansion
    func conv(_ ins: Int, _ outs: Int, _ kernel: Int = 1, stride: Int = 1, groups: Int = 1) throws -> Conv2d {
      try Conv2d(
        ins, outs, kernel: kernel, .init(stride: stride, groups: groups, same: true), bias: false, initializer
      )
    }
    var layers: [(String, any Module)] = []
    if expansion > 1 {
      layers.append(("_expand_conv", try conv(ins, wide)))
      layers.append(("_bn0", try BatchNorm2d(wide, eps: eps, initializer)))
      layers.append(("_relu0", Activation(.relu6)))
    }
    layers.append(("_depthwise_conv", try conv(wide, wide, kernel, stride: stride, groups: wide)))
    layers.append(("_bn1", try BatchNorm2d(wide, eps: eps, initializer)))
    layers.append(("_relu1", Activation(.relu6)))
    layers.append(("_project_conv", try conv(wide, outs)))
    layers.append(("_bn2", try BatchNorm2d(outs, eps: eps, initializer)))
    let body = Sequential(named: layers)
    return ins == outs && stride == 1 ? Residual(body) : body
  }
}
