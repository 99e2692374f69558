// SPDX-License-Identifier: Apache-2.0
import Foundation
import TesseraNN

// A kernel of one's own, softsign(x) = x / (1 + |x|), with its twin for the CPU and its gradient; and a network with it
// that fits a curve.
//
//   kernel [DEVICE]

let device = try DeviceSelection.open(CommandLine.arguments.dropFirst().first ?? "auto")
let softsign = try Softsign()

// The kernel and its twin give the same bits, on numbers of every kind.
let special: [Float] = [0, -0.0, 1, -1, 0x1p-149, -0x1p-126, 1e38, .infinity, -.infinity, .nan]
let numbers = try special + RandomStream(seed: 1, stream: 0).words(10_000).map { Float(bitPattern: $0) }
print("bits compared: \(try softsign.check(on: device, numbers))")
let slope = try GradientCheck.run([([-2, -0.5, 0.25, 3], [4])]) { try softsign($0[0], $1) }
print("gradient's error: \(slope.error < 1e-3 ? "below 1e-3" : "\(slope.error)")")

let draw = Initializer(device: device, seed: 1)
let (first, second) = (try Linear(1, 32, draw), try Linear(32, 1, draw))
let parameters =
  first.parameters
  + second.parameters.map {
    (name: "second." + $0.name, parameter: $0.parameter)
  }
let adam = try Adam(device: device, [.init(parameters, learningRate: 0.02)])
let places = (0..<64).map { Float($0) / 32 - 1 }
let x = Variable(try device.tensor(places, [64, 1]))
let curve = Variable(try device.tensor(places.map { 4 * $0 * $0 * $0 - 3 * $0 }, [64, 1]))
for step in 0..<600 {
  let context = Context(device: device, training: true, differentiable: true, seed: 1, step: UInt64(step))
  let y = try second(try softsign(try first(x, context), context), context)
  let losses = try Loss.meanSquared(y, try context(curve))
  try context.backward(meanOf: losses)
  try adam.step()
  if step % 200 == 199 { print("step \(step + 1): loss \(try losses.mean().item())") }
}
let context = Context(device: device)
let fitted = try second(try softsign(try first(x, context), context), context)
let right = zip(try fitted.values(), try device.floats(curve.value)).count { abs($0 - $1) < 0.1 }
print("right: \(right) of 64")
