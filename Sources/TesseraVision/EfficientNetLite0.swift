import TesseraCompute
import TesseraNN

/// The stem and the first three block stages of EfficientNet-Lite0 (Tan and Le 2019, without squeeze-and-excite,
/// with ReLU6), with TensorFlow's "same" padding and the published file's names. Output: 40 channels at 1/8.
enum EfficientNetLite0 {
  private static let eps: Float = 1e-3

  static func slice(_ initializer: Initializer) throws -> Sequential {
    var layers: [(String, any Module)] = [
      ("_conv_stem", try Conv2d(1, 32, kernel: 3, .init(stride: 2, same: true), bias: false, initializer)),
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
          try InvertedResidual(b.0, b.1, expansion: b.2, kernel: b.3, stride: b.4, eps, initializer)
        ))
    }
    return Sequential(named: layers)
  }
}

/// Expand 1x1, depthwise, project 1x1; plus the input where shapes allow.
final class InvertedResidual: Module {
  private let body: Sequential
  private let residual: Bool

  init(
    _ ins: Int, _ outs: Int, expansion: Int, kernel: Int, stride: Int, _ eps: Float,
    _ initializer: Initializer
  ) throws {
    let wide = ins * expansion
    var layers: [(String, any Module)] = []
    if expansion > 1 {
      layers.append(
        ("_expand_conv", try Conv2d(ins, wide, kernel: 1, .init(same: true), bias: false, initializer)))
      layers.append(("_bn0", try BatchNorm2d(wide, eps: eps, initializer)))
      layers.append(("_relu0", Activation(.relu6)))
    }
    layers.append(
      (
        "_depthwise_conv",
        try Conv2d(
          wide, wide, kernel: kernel, .init(stride: stride, groups: wide, same: true), bias: false,
          initializer)
      ))
    layers.append(("_bn1", try BatchNorm2d(wide, eps: eps, initializer)))
    layers.append(("_relu1", Activation(.relu6)))
    layers.append(
      ("_project_conv", try Conv2d(wide, outs, kernel: 1, .init(same: true), bias: false, initializer)))
    layers.append(("_bn2", try BatchNorm2d(outs, eps: eps, initializer)))
    body = Sequential(named: layers)
    residual = ins == outs && stride == 1
  }

  func callAsFunction(_ x: Variable, _ context: Context) throws -> Variable {
    let y = try body(x, context)
    return residual ? try context.add(y, x) : y
  }

  var state: [(name: String, state: ModuleState)] { body.state }
}
