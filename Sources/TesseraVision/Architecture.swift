// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

/// The networks, by the names that the command line takes.
public enum Architecture: String, NamedOption {
  /// AlexNet as torchvision has it (Krizhevsky 2014).
  case alexnet
  /// VGG16 (Simonyan and Zisserman 2015).
  case vgg16
  /// ResNet-18 (He et al. 2016).
  case resnet18
  /// ResNeXt-50 32x4d (Xie et al. 2017).
  case resnext50 = "resnext50_32x4d"
  /// Wide ResNet-50-2 (Zagoruyko and Komodakis 2016).
  case wideResNet50 = "wide_resnet50_2"
  /// ShuffleNet V2 1.0x (Ma et al. 2018).
  case shuffleNet = "shufflenet_v2_x1_0"
  /// EfficientNet-Lite0 (Tan and Le 2019, without squeeze and excitation).
  case efficientnetLite0 = "efficientnet_lite0"
  /// AlexNet as Caffe has it, with groups and local response normalisation (Krizhevsky et al. 2012).
  case alexnetBVLC = "alexnet_bvlc"
  /// One layer of large patches, a vision transformer's embedding of them (Dosovitskiy et al. 2021).
  case patches16

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
    case .patches16: .patches16
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
