// SPDX-License-Identifier: Apache-2.0
import DigitRows
import Foundation
import TesseraNN

// Devices that share every batch of a training, and end with the weights of one device that has it whole.
//
//   devices FILE [DEVICE]...        FILE: handwritten digits; cpu cpu: two halves of each batch on one processor

guard let path = CommandLine.arguments.dropFirst().first, let rows = DigitRows(path) else {
  print("usage: devices FILE [DEVICE]...")
  exit(2)
}
let names = CommandLine.arguments.count > 2 ? Array(CommandLine.arguments.dropFirst(2)) : ["auto"]
let devices = try names.map { try DeviceSelection.open($0) }
try train(rows, on: DeviceGroup(devices[0], helpers: Array(devices.dropFirst())))
