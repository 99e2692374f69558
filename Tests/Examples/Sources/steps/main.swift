// SPDX-License-Identifier: Apache-2.0
import Foundation
import TesseraBenchmark
import TesseraNN

// Training steps to be timed beside another library's (tools/compare/library).
//
//   steps [DEVICE] [--kernels]   reads lines NAME COUNT; answers each with seconds a step and the last mean loss, and
//                                with the seconds of each kernel since the beginning, if they are wanted

let arguments = CommandLine.arguments.dropFirst()
let profiler = arguments.contains("--kernels") ? Profiler(capacity: 0) : nil
let device = try DeviceSelection.open(arguments.first { $0 != "--kernels" } ?? "cpu", profiler: profiler)
let makers = ["cnn": convolutional, "transformer": transformer, "mlp": perceptron]
var trainings: [String: Training] = [:]
var steps: [String: Int] = [:]
while let line = readLine() {
  let words = line.split(separator: " ").map(String.init)
  guard words.count == 2, let count = Int(words[1]), count >= 1, let make = makers[words[0]] else {
    print("found \(line), wanted one of \(makers.keys.sorted().joined(separator: ", ")) and a count")
    exit(2)
  }
  let training = try trainings[words[0]] ?? make(device)
  trainings[words[0]] = training
  let start = ContinuousClock.now
  var losses: Tensor?
  for _ in 0..<count {
    losses = try training.step(steps[words[0], default: 0])
    steps[words[0], default: 0] += 1
  }
  try device.synchronize()
  let seconds = (ContinuousClock.now - start) / .seconds(1) / Double(count)
  let values = try losses.map { try device.floats($0) } ?? []
  print(seconds, values.reduce(0, +) / Float(max(1, values.count)))
  if let profiler {
    let kernels = profiler.summary().devices.flatMap(\.kernels)
    print(kernels.map { "\($0.name)=\($0.seconds)" }.joined(separator: " "))
  }
  fflush(nil)
}
