// SPDX-License-Identifier: Apache-2.0
import TesseraNN
import TesseraCompute
import TesseraPipeline

extension Rows {
  func variable(_ shape: [Int], trained: Bool = false) throws -> Variable {
    Variable(try floats(shape.reduce(1, *)).reshaped(shape), requiresGradient: trained)
  }

  var drawn: Initializer { Initializer(device: device, seed: 1) }

  func autograd() {
    let d = device
    let context = { Context(device: d, training: true, differentiable: true) }
    function("Variable.init(_:requiresGradient:)")
    gives("of integers, which have no gradient yet", true) {
      Variable(try self.ints(2), requiresGradient: true).gradient == nil
    }
    function("Parameter.init(_:isTrainable:)")
    gives("without a pass", true) { Parameter(try self.floats(2)).gradient == nil }
    function("Parameter.leaf()")
    gives("the same leaf for every use", true) {
      let p = Parameter(try self.floats(2))
      return p.leaf() === p.leaf()
    }
    function("Tape.init(device:)")
    refuses("backward over nothing") {
      try Tape(device: d).backward(from: try self.variable([2]), gradient: try self.floats(2))
    }
    function("Tape.record(_:pass:)")
    gives("an output that wanted no gradient wants one", true) {
      let y = try self.variable([1])
      Tape(device: d).record(y) { _ in }
      return y.requiresGradient
    }
    refuses("a pass that throws") {
      let (tape, y) = (Tape(device: d), try self.variable([1]))
      tape.record(y) { _ in throw TesseraError.failure("here", found: "it") }
      try tape.backward(from: y, gradient: try self.floats(1))
    }
    function("Tape.accumulate(_:to:)")
    let leaf = { try self.variable([2], trained: true) }
    refuses("another size") { try Tape(device: d).accumulate(try self.floats(3), to: try leaf()) }
    refuses("integers") { try Tape(device: d).accumulate(try self.ints(2), to: try leaf()) }
    for s in strangers {
      refuses("a second one of \(s.name)") {
        let (tape, leaf) = (Tape(device: d), try leaf())
        try tape.accumulate(try self.floats(2), to: leaf)
        try tape.accumulate(try s.make(2, .float32), to: leaf)
      }
    }
    function("Tape.backward(from:gradient:)")
    let sum: (Context) throws -> Variable = { try $0.add(try leaf(), try leaf()) }
    refuses("a gradient of another shape") {
      try context().tape?.backward(from: try leaf(), gradient: try self.floats(3)) as Any
    }
    refuses("twice") {
      let c = context()
      let y = try sum(c)
      for _ in 0..<2 { try c.tape?.backward(from: y, gradient: try self.floats(2)) }
    }
    refuses("another tape's output") {
      let y = try sum(context())
      try context().tape?.backward(from: y, gradient: try self.floats(2))
    }
    refuses("a gradient of integers") {
      let c = context()
      try c.tape?.backward(from: try sum(c), gradient: try self.ints(2))
    }
    function("Context.init(device:training:differentiable:seed:step:dropout:part:products:)")
    refuses("a step beyond the streams", ) { try Context(device: d, step: .max).nextStream(for: [1]) }
    function("Context.nextStream(for:)")
    refuses("the 65,537th draw") {
      let c = context()
      for _ in 0...65_536 { _ = try c.nextStream(for: [1]) }
    }
    parts()
    optimizer()
  }

  private func parts() {
    function("AllReduce.init(parts:)")
    for parts in [0, -1, Int.max, .min] { refuses("\(parts) parts") { try AllReduce(parts: parts) } }
    function("AllReduce.cancel()")
    works("nobody waits") { try AllReduce(parts: 1).cancel() }
    function("BatchShard.Staging.init()")
    works("nothing yet") { _ = BatchShard.Staging() }
    function("BatchShard.Staging.restart()")
    works("at the start") { BatchShard.Staging().restart() }
    function("BatchShard.init(_:of:_:number:memory:)")
    for (samples, batch, number) in [
      (0..<8, 4, 0), (4..<16, 16, 0), (0..<9, 16, 0), (-8..<8, 16, 0), (0..<8, -1, 0), (0..<8, 16, 1),
      (0..<8, 16, -1), (0..<8, .max, 0), (Int.min..<0, 16, 0),
    ] as [(Range<Int>, Int, Int)] {
      refuses("\(samples) of \(batch), number \(number)") {
        try BatchShard(samples, of: batch, try AllReduce(parts: 1), number: number, memory: .init())
      }
    }
    refuses("a draw for what no tensor can be") {
      let part = try BatchShard(0..<8, of: 8, try AllReduce(parts: 1), number: 0, memory: .init())
      return try Context(device: self.device, part: part).nextStream(for: [1, .max, .max])
    }
  }

  private func optimizer() {
    let d = device
    let parameter = { Parameter(try self.floats(2)) }
    function("ParameterGroup.init(_:learningRate:)")
    gives("no parameters", 0) { try Adam(device: d, [.init([], learningRate: 1)]).state.count }
    function("Adam.init(device:_:weightDecay:decoupled:)")
    for value in [Float.nan, -1, .infinity] {
      refuses("learning rate \(value)") {
        try Adam(device: d, [.init([("w", try parameter())], learningRate: value)])
      }
      refuses("weight decay \(value)") {
        try Adam(device: d, [.init([("w", try parameter())], learningRate: 1)], weightDecay: value)
      }
    }
    refuses("one parameter under two rates") {
      let p = try parameter()
      return try Adam(device: d, [.init([("w", p)], learningRate: 1), .init([("w", p)], learningRate: 2)])
    }
    refuses("two parameters over one tensor") {
      let t = try self.floats(2)
      return try Adam(device: d, [.init([("a", Parameter(t)), ("b", Parameter(t))], learningRate: 1)])
    }
    function("Adam.step(factor:)")
    for value in [Float.nan, -1, .infinity] {
      refuses("factor \(value)") { try Adam(device: d, []).step(factor: value) }
    }
    for s in strangers {
      refuses("a parameter of \(s.name)") {
        let p = Parameter(try s.make(2, .float32))
        let adam = try Adam(device: d, [.init([("w", p)], learningRate: 1)])
        try Tape(device: d).accumulate(try self.floats(2), to: p.leaf())
        try adam.step()
      }
    }
    works("without gradients") {
      try Adam(device: d, [.init([("w", try parameter())], learningRate: 1)]).step()
    }
    function("Adam.restore(steps:)")
    for steps in [-1, Int.max, .min] {
      refuses("\(steps) steps") { try Adam(device: d, []).restore(steps: steps) }
    }
  }
}
