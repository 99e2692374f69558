// SPDX-License-Identifier: Apache-2.0
import DigitRows
import Foundation
import TesseraNN

// Devices that share every batch of a training, and end with the weights of one device that has it whole; under mpirun
// those of all ranks.
//
//   devices FILE [DEVICE]...        FILE: handwritten digits; cpu cpu: two halves of each batch on one processor
//   mpirun -n 4 devices FILE        needs tools/mpi-shim once

guard let path = CommandLine.arguments.dropFirst().first, let rows = DigitRows(path) else {
  print("usage: devices FILE [DEVICE]...")
  exit(2)
}
let names = CommandLine.arguments.count > 2 ? Array(CommandLine.arguments.dropFirst(2)) : ["auto"]
try Ranks.run { ranks in
  let devices = try names.map { try DeviceSelection.openAll($0, ranks: ranks) }.flatMap(\.all)
  try train(rows, on: DeviceGroup(devices[0], helpers: Array(devices.dropFirst())), ranks)
}
