// SPDX-License-Identifier: Apache-2.0
import Foundation
import TesseraNN

// A convolutional network that reads handwritten digits of 8 x 8 pixels (`tools/check/examples.d/digits.py
// FILE`).
//
//   digits FILE [DEVICE]          FILE: 64 pixels of 0 to 16 and the digit in each line

let arguments = CommandLine.arguments
guard arguments.count > 1, let text = try? String(contentsOfFile: arguments[1], encoding: .utf8) else {
  print("usage: digits FILE [DEVICE]")
  exit(2)
}
let rows = text.split(separator: "\n").map { $0.split(separator: ",").compactMap { Float($0) } }
guard rows.count > 300, rows.allSatisfy({ $0.count == 65 }) else {
  print("digits: \(arguments[1]) has no rows of 65 numbers")
  exit(2)
}
let device = try DeviceSelection.open(arguments.count > 2 ? arguments[2] : "auto")

/// Images and digits of some rows.
func batch(_ chosen: ArraySlice<Int>) throws -> (x: Variable, labels: Tensor) {
  let pixels = chosen.flatMap { rows[$0].dropLast().map { $0 / 8 - 1 } }
  return (
    Variable(try device.tensor(pixels, [chosen.count, 1, 8, 8])),
    try device.tensor(chosen.map { Int32(rows[$0][64]) })
  )
}

let draw = Initializer(device: device, seed: 1)
let net = try Sequential {
  try Conv2d(1, 16, kernel: 3, padding: 1, draw)
  try BatchNorm2d(16, draw)
  Activation(.relu)
  MaxPool2d(kernel: 2)
  try Conv2d(16, 32, kernel: 3, padding: 1, draw)
  try BatchNorm2d(32, draw)
  Activation(.relu)
  AvgPool2d(kernel: 2)
  Flatten()
  Dropout(0.2)
  try Linear(32 * 2 * 2, 10, draw)
}
let (epochs, size, held) = (12, 64, 300)
let training = rows.count - held
let steps = epochs * (training / size)
let optimizer = try Adam(
  device: device, [.init(net.parameters, learningRate: 1e-2)], weightDecay: 1e-2, decoupled: true)
let schedule = try LearningRateSchedule(.cosine, total: steps, warmup: 20)
var step = 0
for epoch in 0..<epochs {
  // The order depends on seed and epoch alone.
  let order = try RandomStream(seed: 1, stream: 1 << 60 + UInt64(epoch)).shuffled(Array(0..<training))
  var sum = 0.0
  for begin in stride(from: 0, to: training - size + 1, by: size) {
    let (x, labels) = try batch(order[begin..<begin + size])
    let context = Context(device: device, training: true, differentiable: true, seed: 1, step: UInt64(step))
    let losses = try Loss.crossEntropy(try net(x, context), labels: labels)
    try context.backward(meanOf: losses)
    try Parameter.clipGradients(net.parameters, norm: 1, on: device)
    try optimizer.step(factor: schedule.factor(step))
    sum += Double(try losses.mean().item())
    step += 1
  }
  print("epoch \(epoch + 1): loss \(sum / Double(training / size))")
}
let (x, labels) = try batch(Array(training..<rows.count)[...])
let answers = try device.ints(try net(x, Context(device: device)).argmax())
let right = zip(answers, try device.ints(labels)).count { $0 == $1 }
print("right: \(right) of \(held)")
let file = FileManager.default.temporaryDirectory.appendingPathComponent("digits.safetensors").path
print("weights: SHA-256 \(try net.save(to: file, on: device))")
