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

  /// What every device gives (NUMERICS.md, version 4).
  public static let published: [Architecture: String] = [
    .alexnet: "e142ec50120d09997c98baf442aa11eb096d169ccc6080e5250d8974ca2f22a3",
    .alexnetBVLC: "49b2c36268d554410c2f7b46164c288554c204fb3a83179e42d6aeb1af3901ac",
    .efficientnetLite0: "a75be4b8e8b34e7ef698831b1879d2b4cec880729b3c807dfbbf7bfffdce62bb",
    .patches16: "241f115e53a44e6e752e0bd5540312f2053bd16642c5256356f36f1351a0f6f9",
    .resnet18: "7dc05db36f9aa3025f03549baf7a39ea8e5ace185b203368df2122f4a8c4e5f8",
    .resnext50: "ddac379c5607d239dd9ba236c30287971c2dcec425a3bb11d7d8d0e95374ed74",
    .shuffleNet: "542810d1cbe7987aac37e533f02438b2d26e904e981aac55d94c2705c37b4d4f",
    .vgg16: "830fb402a42f53a9759471f39ceebc934dd51e5cefb017fc23c7388c27169d31",
    .wideResNet50: "1b6e45965c3b6cb888b84efc5074ec020c27ff60571045ec4c5cc4279d759727",
  ]
}
