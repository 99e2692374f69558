// SPDX-License-Identifier: Apache-2.0
import Foundation
import TesseraNN

// MiniLM-L6, built of this library's layers with its real weights, whose last block learns to tell good reviews from bad
// ones (`tools/fetch minilm-l6 snippets`).
//
//   finetune ENCODER FILE [DEVICE] [ROWS]     ENCODER: its folder; FILE: a sentence and its class in each line

let arguments = CommandLine.arguments
guard arguments.count > 2,
  let reviews = try? Reviews(arguments[2], rows: arguments.count > 4 ? Int(arguments[4]) ?? 512 : 512)
else {
  print("usage: finetune ENCODER FILE [DEVICE] [ROWS]")
  exit(2)
}
let device = try DeviceSelection.open(arguments.count > 3 ? arguments[3] : "auto")
let net = try MiniLM(folder: arguments[1], device)
let training = reviews.texts.count * 3 / 4

/// What the frozen blocks make of texts, computed once: their order stays.
let frozen = try stride(from: 0, to: reviews.texts.count, by: 32).map { begin in
  let end = min(begin + 32, reviews.texts.count)
  return try net.frozen(Array(reviews.texts[begin..<end]))
}

let adam = try Adam(
  device: device,
  [.init(net.lastBlock.parameters, learningRate: 1e-4), .init(net.head.parameters, learningRate: 1e-3)],
  weightDecay: 0.01, decoupled: true)
let batches = training / 32
for epoch in 0..<3 {
  let order = try RandomStream(seed: 1, stream: 1 << 60 + UInt64(epoch)).shuffled(Array(0..<batches))
  var sum = 0.0
  for (number, batch) in order.enumerated() {
    let step = UInt64(epoch * batches + number)
    let context = Context(device: device, training: true, differentiable: true, seed: 1, step: step)
    let labels = try device.tensor(Array(reviews.labels[batch * 32..<batch * 32 + 32]))
    let losses = try Loss.crossEntropy(try net.logits(frozen[batch], context), labels: labels)
    try context.backward(meanOf: losses)
    try adam.step()
    sum += Double(try losses.mean().item())
  }
  print("epoch \(epoch + 1): loss \(sum / Double(batches))")
}
let right = try (batches..<frozen.count).reduce(0) { sum, batch in
  let answers = try device.ints(try net.logits(frozen[batch], Context(device: device)).argmax())
  return sum + zip(answers, reviews.labels[(batch * 32)...]).count { $0 == $1 }
}
print("right: \(right) of \(reviews.texts.count - batches * 32)")
let file = FileManager.default.temporaryDirectory.appendingPathComponent("finetune.safetensors").path
print("weights: SHA-256 \(try net.lastBlock.save(to: file, on: device))")
