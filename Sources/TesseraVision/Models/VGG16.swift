// SPDX-License-Identifier: Apache-2.0
import TesseraCompute
import TesseraNN

extension ModelDescription {
  /// VGG16 (Simonyan and Zisserman 2015), torchvision's `features[0:12]`.
  static let vgg16 = ModelDescription(
    slice: { channels, initializer in
      var layers: [(String, any Module)] = []
      var ins = channels
      func add(_ module: any Module) { layers.append(("features.\(layers.count)", module)) }
      for width in [64, 64, 0, 128, 128, 0, 256] {
        if width == 0 {
          add(MaxPool2d(kernel: 2, stride: 2))
          continue
        }
        add(try Conv2d(ins, width, kernel: 3, .init(padding: 1), initializer))
        add(Activation(.relu))
        ins = width
      }
      return Sequential(named: layers)
    }, windows: [(2, 2, 0), (2, 2, 0)], firstWeight: "features.0.weight", channels: [256, 192, 128, 64, 32])
}
