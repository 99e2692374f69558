// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

/// A short training run of a network on drawn images from drawn weights: every device, instruction set and
/// thread count gives the published SHA-256 of its state.
public enum TrainingCheck {
  /// Steps of a run: 5 epochs of 4 batches of 9 rows, more than a batch group each.
  public static let steps = 20

  /// The state's fingerprint after those steps.
  public static func fingerprint(_ architecture: Architecture, on device: any Backend) throws -> String {
    // The smallest images that the model takes, for time's sake.
    let pixels = architecture.model.smallestPixels(NetworkOptions())
    let (batch, epochs, held) = (9, 5, 3)
    let rows = steps / epochs * batch + held
    var plan = TrainingPlan(
      images: try images(rows * pixels * pixels, on: device), labels: (0..<rows).map { Int32($0 % 3) },
      training: Array(0..<rows - held), validation: Array(rows - held..<rows))
    (plan.options.epochs, plan.options.batch) = (epochs, batch)
    let network = try ImageClassifier(architecture, classes: 3, pixels: pixels, seed: 1701, device: device)
    try Trainer(network, plan).run()
    var print = Fingerprint()
    for (name, tensor) in network.state {
      print.add(name)
      try device.floats(tensor).withUnsafeBytes { print.add($0) }
    }
    return print.digits()
  }

  private static func images(_ count: Int, on device: any Backend) throws -> [Float] {
    let drawn = try device.allocate([count], .float32)
    try device.randomUniform(RandomStream(seed: 1701, stream: 1 << 58), low: -1, high: 1, into: drawn)
    return try device.floats(drawn)
  }

  /// What every device gives (NUMERICS.md, version 3).
  public static let published: [Architecture: String] = [
    .alexnet: "e1b54f1a7514eb69b4467404861d0c39c7dde29c13cf1e8d6a476905e1d4a7ad",
    .alexnetBVLC: "910511dc10d78f27ea91d104831c2bd7ee8a41a300afa4abb66a688cec5d8398",
    .efficientnetLite0: "cc3a0fc3b1fa77dca5b0507f507999810e0d391e583e29b1c536dd684d0d1529",
    .resnet18: "62b99e52644c7aee076a40a91ef47691c1b1e4cf7d0b9a588761078e97cea3fd",
    .resnext50: "13266aaf71353b5f0150c2b8eaaedafae05c37cd8e6a6a2d4b8148f4bc7dd949",
    .shuffleNet: "47a5e4007d572c4c1abf2e0463812ba8d7f8ef43b222ec4df7b7c0cd88acbb7b",
    .vgg16: "27dd596505fe7d5555f02e53a270db73d29f0d9ab3b03df1cf308f0dbce8a345",
    .wideResNet50: "2ddc2b01c6d1a1b14d17aa9b4e06e45eb0169cd19c677215d47b428e39c8206d",
  ]
}
