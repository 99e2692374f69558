// SPDX-License-Identifier: Apache-2.0
import DigitRows
import Foundation
import TesseraNN

// A training that anybody can check: every epoch leaves a checkpoint, whose SHA-256 stands in a record. Whoever
// doubts it computes an epoch again from the checkpoint before, on devices of another kind or number.
//
//   proof FILE train FOLDER [DEVICE]...      trains, and leaves checkpoints and record
//   proof FILE check FOLDER [DEVICE]...      computes each epoch again and compares every bit

let arguments = CommandLine.arguments
guard arguments.count > 3, let rows = DigitRows(arguments[1]), ["train", "check"].contains(arguments[2])
else {
  print("usage: proof FILE train|check FOLDER [DEVICE]...")
  exit(2)
}
let names = arguments.count > 4 ? Array(arguments[4...]) : ["auto"]
let devices = try names.map { try DeviceSelection.open($0) }
let training = try Training(rows, DeviceGroup(devices[0], helpers: Array(devices.dropFirst())))
let record = arguments[3] + "/record.txt"
func checkpoint(_ epoch: Int) -> String { arguments[3] + "/epoch-\(epoch).safetensors" }

if arguments[2] == "train" {
  try FileManager.default.createDirectory(atPath: arguments[3], withIntermediateDirectories: true)
  var lines = [try training.save(to: checkpoint(0))]
  for epoch in 1...Training.epochs {
    print("epoch \(epoch): loss \(try training.run(epoch))")
    lines.append(try training.save(to: checkpoint(epoch)))
  }
  try lines.joined(separator: "\n").write(toFile: record, atomically: true, encoding: .utf8)
  print("SHA-256 \(lines[Training.epochs])")
} else {
  let claimed = try String(contentsOfFile: record, encoding: .utf8).split(separator: "\n").map(String.init)
  guard claimed.count == Training.epochs + 1 else {
    print("\(record): found \(claimed.count) lines, wanted \(Training.epochs + 1)")
    exit(1)
  }
  let scratch = FileManager.default.temporaryDirectory.appendingPathComponent("proof-\(UUID().uuidString)")
  for epoch in 1...Training.epochs {
    // What an epoch begins with is what the record says, and what comes of it too.
    try training.load(from: checkpoint(epoch - 1))
    let start = try training.save(to: scratch.path)
    _ = try training.run(epoch)
    let end = try training.save(to: scratch.path)
    guard start == claimed[epoch - 1], end == claimed[epoch] else {
      print("epoch \(epoch): found \(start) to \(end), wanted \(claimed[epoch - 1]) to \(claimed[epoch])")
      exit(1)
    }
    print("epoch \(epoch): as recorded")
  }
  try FileManager.default.removeItem(at: scratch)
}
