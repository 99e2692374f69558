// SPDX-License-Identifier: Apache-2.0
import DigitRows
import Foundation
import TesseraNN

/// Trains a network with batch norm and dropout for three epochs. Of several ranks the leader prints losses and the
/// weights' SHA-256.
func train(_ rows: DigitRows, on devices: DeviceGroup, _ ranks: Ranks?) throws {
  let isLeader = ranks?.isLeader ?? true
  let training = try SharedTraining(devices, ranks: ranks) { device in
    let draw = Initializer(device: device, seed: 1)
    let net = try Sequential {
      try Conv2d(1, 8, kernel: 3, padding: 1, draw)
      try BatchNorm2d(8, draw)
      Activation(.relu)
      MaxPool2d(kernel: 2)
      Flatten()
      Dropout(0.2)
      try Linear(8 * 4 * 4, 10, draw)
    }
    return (net, try Adam(device: device, [.init(net.parameters, learningRate: 1e-2)]))
  }
  let loader = try DataLoader(rows: rows.count - 300, batch: 100, seed: 1, dropsLast: true) { chosen in
    (pixels: rows.pixels(chosen), labels: rows.labels(chosen))
  }
  for epoch in 0..<3 {
    var sum = 0.0
    try loader.forEach(epoch: epoch) { number, batch in
      let losses = try training.step(batch: 100, seed: 1, step: epoch * loader.batches + number) {
        net, samples, context in
        // Each device takes its samples of the batch.
        let pixels = Array(batch.pixels[samples.lowerBound * 64..<samples.upperBound * 64])
        let x = try context.variable(pixels, [samples.count, 1, 8, 8])
        let labels = try context.device.tensor(Array(batch.labels[samples]))
        return try Loss.crossEntropy(try net(x, context), labels: labels)
      }
      for loss in losses { sum += Double(loss) }
    }
    if isLeader { print("epoch \(epoch + 1): loss \(sum / Double(loader.batches * 100))") }
  }
  guard isLeader else { return }
  let held = rows.count - 300..<rows.count
  let context = Context(device: devices.main)
  let answers = try training.module(try context.variable(rows.pixels(held), [300, 1, 8, 8]), context).argmax()
  let right = zip(try devices.main.ints(answers), rows.labels(held)).count { $0 == $1 }
  print("right: \(right) of 300")
  let file = FileManager.default.temporaryDirectory.appendingPathComponent("devices.safetensors").path
  print("weights: SHA-256 \(try training.module.save(to: file, on: devices.main))")
}
