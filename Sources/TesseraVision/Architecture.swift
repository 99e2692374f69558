// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

/// The networks, by the names that the command line takes.
public enum Architecture: String, NamedOption {
  case alexnet, vgg16, resnet18
  case resnext50 = "resnext50_32x4d"
  case wideResNet50 = "wide_resnet50_2"
  case shuffleNet = "shufflenet_v2_x1_0"
  case efficientnetLite0 = "efficientnet_lite0"
  case alexnetBVLC = "alexnet_bvlc"

  /// What the network is made of.
  var model: ModelDescription {
    switch self {
    case .alexnet: .alexNet
    case .vgg16: .vgg16
    case .resnet18: .resNet18
    case .resnext50: .resNeXt50
    case .wideResNet50: .wideResNet50
    case .shuffleNet: .shuffleNetV2
    case .efficientnetLite0: .efficientNetLite0
    case .alexnetBVLC: .alexNetBVLC
    }
  }
}

extension Architecture {
  /// Learning rates of the head's convolutions and of the classifier: the paper's for its head; a linear
  /// head has tens of thousands of inputs and measured best at 3e-5.
  public func learningRates(_ head: Head) -> (convolutions: Float, classifier: Float) {
    (model.rates.convolutions, head == .linear ? 3e-5 : model.rates.classifier)
  }

  /// - Throws: `TesseraError` for images that are too small or above 4,096 pixels a side, and for options
  ///   out of range.
  public func check(pixels: Int, _ options: NetworkOptions) throws {
    try options.check()
    guard pixels <= 4096 else {
      throw TesseraError.input("pixels", found: "\(pixels)", wanted: "4096 at most")
    }
    let least = model.smallestPixels(options)
    guard pixels >= least else {
      throw TesseraError.input("pixels", found: "\(pixels)", wanted: "\(least) or more for \(rawValue)")
    }
  }
}
