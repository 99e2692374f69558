// SPDX-License-Identifier: Apache-2.0
import TesseraCompute
import TesseraNN

extension Rows {
  func trainingLoops() {
    let d = device
    function("DataLoader.init(rows:batch:seed:dropsLast:ahead:_:)")
    for (rows, batch, ahead) in [(-1, 1, 0), (1, 0, 0), (1, .min, 0), (1, 1, -1), (.max, 1, 0), (1, 1, .max)]
    {
      refuses("\(rows) rows in batches of \(batch), \(ahead) ahead") {
        try DataLoader(rows: rows, batch: batch, ahead: ahead) { $0 }.batches
      }
    }
    gives("a batch of all rows and more", 1) { try DataLoader(rows: 3, batch: .max) { $0 }.batches }
    function("DataLoader.order(ofEpoch:)")
    for epoch in [-1, Int.min, .max] {
      refuses("epoch \(epoch)") { try DataLoader(rows: 3, batch: 2, seed: 1) { $0 }.order(ofEpoch: epoch) }
    }
    function("DataLoader.forEach(epoch:from:_:)")
    for (epoch, first) in [(-1, 0), (0, -1), (0, 3), (0, .max)] {
      refuses("epoch \(epoch) from batch \(first)") {
        try DataLoader(rows: 3, batch: 2, seed: 1) { $0 }.forEach(epoch: epoch, from: first) { _, _ in }
      }
    }
    refuses("a row that cannot be made") {
      try DataLoader(rows: 3, batch: 1) { (_: [Int]) -> Int in
        throw TesseraError.failure("here", found: "it", wanted: "")
      }.forEach(epoch: 0) { _, _ in }
    }
    checkpoints()
    ranks()
    function("SharedTraining.init(_:ranks:_:)")
    refuses("a device that makes nothing") {
      try SharedTraining(DeviceGroup(d)) { _ -> (module: Flatten, optimizer: any Optimizer) in
        throw TesseraError.failure("here", found: "it", wanted: "")
      }.devices.name
    }
    function("SharedTraining.step(batch:seed:step:factor:clippingTo:_:)")
    for (batch, step, norm) in [(0, 0, 1), (-1, 0, 1), (1, -1, 1), (1, 0, -1), (1, 0, .nan)]
      as [(Int, Int, Float)]
    {
      refuses("\(batch) samples, step \(step), norm \(norm)") {
        try self.sharedTraining().step(batch: batch, step: step, clippingTo: norm) { net, samples, context in
          try net(context.variable(context.device.allocate([samples.count, 2], .float32)), context).sum(1)
        }
      }
    }
    refuses("losses of other rows") {
      try self.sharedTraining().step(batch: 3, step: 0) { net, _, context in
        try net(context.variable(try context.device.allocate([1, 2], .float32)), context).sum(1)
      }
    }
  }

  private func ranks() {
    function("Ranks.run(_:)")
    gives("a process on its own", true) { try Ranks.run { $0 == nil } }
    refuses("a body that fails") {
      try Ranks.run { _ in throw TesseraError.failure("here", found: "it", wanted: "") }
    }
    function("DeviceSelection.openAll(_:ranks:threads:warn:)")
    for (list, threads) in [("", 1), ("nothing", 1), ("cpu,cpu", 1), ("cpu", 0), ("cpu", -1), ("cpu", .max)] {
      refuses("'\(list)' with \(threads) threads") {
        try DeviceSelection.openAll(list, ranks: nil, threads: threads).name
      }
    }
  }

  private func sharedTraining() throws -> SharedTraining<Linear> {
    try SharedTraining(DeviceGroup(device)) { device in
      let net = try Linear(2, 2, Initializer(device: device, seed: 1))
      return (net, try Adam(device: device, [.init(net.parameters, learningRate: 1)]))
    }
  }

  private func checkpoints() {
    let d = device
    function("TrainingCheckpoint.save(to:_:_:average:on:metadata:)")
    for path in unwritable {
      refuses("'\(path.suffix(8))'") {
        let training = try self.sharedTraining()
        return try TrainingCheckpoint.save(to: path, training.module, training.optimizer, on: d)
      }
    }
    function("TrainingCheckpoint.load(from:_:_:average:on:)")
    for path in unreadable {
      refuses("'\(path.suffix(8))'") {
        let training = try self.sharedTraining()
        return try TrainingCheckpoint.load(from: path, training.module, training.optimizer, on: d)
      }
    }
  }
}
