// SPDX-License-Identifier: Apache-2.0
import TesseraCompute
import TesseraNN

extension ModelDescription {
  /// The patch embedding of a vision transformer (torchvision's `vit_b_16.conv_proj`, Dosovitskiy et al. 2021), with
  /// patches that overlap by half, and ReLU: 768 kernels of 16 x 16 pixels, every 8 pixels. AlexNet's head.
  ///
  /// With kernels drawn by seed they are random features of patches (Rahimi and Recht 2007; Coates and Ng 2011):
  ///
  ///     image 48 x 48        7 x 7 patches        768 features of each
  ///     +--------+
  ///     |[  |  ] |           o o o ...            max(0, w . patch + b)
  ///     |   [  | |  ] -->    o o o ...   -->
  ///     |        |
  ///     +--------+
  ///
  /// A picture of a layout has no edges or textures that ImageNet's kernels could find, while large kernels see
  /// many features at once and one nonlinear layer of them is what a fit of all (`NetworkStart.joint`) can use.
  static let patches16 = ModelDescription(
    slice: { channels, initializer in
      Sequential(named: [
        ("conv_proj", try Conv2d(channels, 768, kernel: 16, .init(stride: 8, padding: 8), initializer)),
        ("relu", Activation(.relu)),
      ])
    }, windows: [(16, 8, 8)], firstWeight: "conv_proj.weight", channels: [768, 192, 192, 192, 64],
    kernel: 2, dropout: 0, pool: 5, hidden: [700, 50], rates: (1e-5, 5e-4))
}
