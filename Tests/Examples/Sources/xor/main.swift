// SPDX-License-Identifier: Apache-2.0
import TesseraNN

// A network that learns the exclusive or: two inputs, eight hidden units, two classes.
//
//   xor [DEVICE]          cpu, opencl, auto (the default)

let device = try DeviceSelection.open(CommandLine.arguments.dropFirst().first ?? "auto")
let draw = Initializer(device: device, seed: 1)
let net = try Sequential {
  try Linear(2, 8, draw)
  Activation(.tanh)
  try Linear(8, 2, draw)
}
let points = Variable(try device.tensor([0, 0, 0, 1, 1, 0, 1, 1], [4, 2]))
let labels = try device.tensor([0, 1, 1, 0] as [Int32])
let adam = try Adam(device: device, [.init(net.parameters, learningRate: 0.05)])
for step in 0..<200 {
  let context = Context(device: device, training: true, differentiable: true, seed: 1, step: UInt64(step))
  let losses = try Loss.crossEntropy(try net(points, context), labels: labels)
  try context.backward(meanOf: losses)
  try adam.step()
  if step % 50 == 49 { print("step \(step + 1): loss \(try losses.mean().item())") }
}
let context = Context(device: device)
print("answers", try device.ints(try net(points, context).argmax()))
