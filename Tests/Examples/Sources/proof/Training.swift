// SPDX-License-Identifier: Apache-2.0
import DigitRows
import TesseraNN

/// A perceptron that learns digits on devices that share its batches.
struct Training {
  static let epochs = 4
  private let shared: SharedTraining<Sequential>
  private let loader: DataLoader<(pixels: [Float], labels: [Int32])>

  init(_ rows: DigitRows, _ devices: DeviceGroup) throws {
    shared = try SharedTraining(devices) { device in
      let draw = Initializer(device: device, seed: 3)
      let net = try Sequential {
        try Linear(64, 96, draw)
        Activation(.gelu)
        Dropout(0.1)
        try Linear(96, 10, draw)
      }
      return (net, try Adam(device: device, [.init(net.parameters, learningRate: 3e-3)]))
    }
    loader = try DataLoader(rows: rows.count, batch: 128, seed: 3) { chosen in
      (pixels: rows.pixels(chosen), labels: rows.labels(chosen))
    }
  }

  /// An epoch, from 1 on; its mean loss.
  func run(_ epoch: Int) throws -> Double {
    var (sum, count) = (0.0, 0)
    try loader.forEach(epoch: epoch) { number, batch in
      let step = epoch * loader.batches + number
      let losses = try shared.step(batch: batch.labels.count, seed: 3, step: step, clippingTo: 1) {
        net, samples, context in
        let pixels = Array(batch.pixels[samples.lowerBound * 64..<samples.upperBound * 64])
        let x = try context.variable(pixels, [samples.count, 64])
        let labels = try context.device.tensor(Array(batch.labels[samples]))
        return try Loss.crossEntropy(try net(x, context), labels: labels)
      }
      for loss in losses { sum += Double(loss) }
      count += losses.count
    }
    return sum / Double(count)
  }

  /// Writes a checkpoint; its SHA-256.
  func save(to path: String) throws -> String {
    try TrainingCheckpoint.save(to: path, shared.module, shared.optimizer, on: shared.devices.main)
  }

  /// Goes on from a checkpoint, on every device.
  func load(from path: String) throws {
    try TrainingCheckpoint.load(from: path, shared.module, shared.optimizer, on: shared.devices.main)
    for helper in shared.helpers {
      try TrainingCheckpoint.load(from: path, helper.module, helper.optimizer, on: helper.device)
    }
  }
}
