// SPDX-License-Identifier: Apache-2.0
import Foundation
import TesseraNN

// A small transformer, from scratch, that tells good reviews from bad ones (`tools/fetch snippets`).
//
//   reviews FILE [DEVICE] [STEPS]          FILE: a sentence and its class in each line

let arguments = CommandLine.arguments
guard arguments.count > 1, let reviews = try? Reviews(arguments[1]), reviews.rows.count > 1000 else {
  print("usage: reviews FILE [DEVICE] [STEPS]")
  exit(2)
}
let device = try DeviceSelection.open(arguments.count > 2 ? arguments[2] : "auto")
let steps = arguments.count > 3 ? Int(arguments[3]) ?? 900 : 900

/// Tokens and classes of some rows; token 0 is padding.
func batch(_ chosen: ArraySlice<Int>) throws -> (ids: Variable, labels: Tensor, mask: [Float]) {
  let ids = chosen.flatMap { reviews.rows[$0].tokens }
  return (
    Variable(try device.tensor(ids, [chosen.count, Reviews.length])),
    try device.tensor(chosen.map { reviews.rows[$0].label }), ids.map { $0 == 0 ? 0 : 1 }
  )
}

let net = try Classifier(words: reviews.words, Initializer(device: device, seed: 1))
let optimizer = try Adam(
  device: device, [.init(net.parameters, learningRate: 3e-3)], weightDecay: 0.01, decoupled: true)
let schedule = try LearningRateSchedule(.linear, total: steps, warmup: steps / 10)
let average = try ExponentialAverage(device: device, net.parameters, decay: 0.98)
let order = try RandomStream(seed: 1, stream: 1 << 60).shuffled(Array(reviews.rows.indices))
let (training, held) = (order.dropLast(1000), order.suffix(1000))
for step in 0..<steps {
  let begin = step * 32 % (training.count - 32)
  let (ids, labels, mask) = try batch(training[begin..<begin + 32])
  let context = Context(device: device, training: true, differentiable: true, seed: 1, step: UInt64(step))
  let logits = try net(ids, mask: try context.variable(mask, ids.shape), context)
  let losses = try Loss.crossEntropy(logits, labels: labels)
  try context.backward(meanOf: losses)
  try Parameter.clipGradients(net.parameters, norm: 1, on: device)
  try optimizer.step(factor: schedule.factor(step))
  try average.update()
  if step % 100 == 99 { print("step \(step + 1): loss \(try losses.mean().item())") }
}
let right = try average.withAverages { () throws in
  try stride(from: 0, to: held.count, by: 100).reduce(0) { sum, begin in
    let (ids, labels, mask) = try batch(ArraySlice(held.dropFirst(begin).prefix(100)))
    let context = Context(device: device)
    let answers = try net(ids, mask: try context.variable(mask, ids.shape), context).argmax()
    return sum + zip(try device.ints(answers), try device.ints(labels)).count { $0 == $1 }
  }
}
print("right: \(right) of \(held.count)")
let file = FileManager.default.temporaryDirectory.appendingPathComponent("reviews.safetensors").path
print("weights: SHA-256 \(try net.save(to: file, on: device))")
