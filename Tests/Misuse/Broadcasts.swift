// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

extension Rows {
  func broadcasts() {
    let d = device
    function("Broadcast.init(_:place:)")
    for shapes in [
      [[2], [3]], [[2, 3], [3, 2]], [[-1], [-1]], [[.max], [1]], [[1 << 16, 1], [1 << 16]], [[.min], [2]],
    ] {
      refuses("\(shapes)") { try Broadcast(shapes) }
    }
    gives("nothing", []) { try Broadcast([]).output }
    function("StridedCopy.init(_:sourceOffset:sourceStrides:destinationOffset:destinationStrides:)")
    gives("extents that make no tensor", [1, 1, 1]) {
      StridedCopy([.max, .min, 1]).sourceStrides.map { min($0, 1) }
    }
    function("StridedCopy.strides(_:)")
    gives("none", []) { StridedCopy.strides([]) }
    gives("of nothing", [3, 1]) { StridedCopy.strides([0, 3]) }
    kernel("MemoryBackend.copy(_:to:strided:)", [.floats(6), .out(6)], atLeast: true) {
      try d.copy($0[0], to: $0[1], strided: StridedCopy([2, 3], sourceStrides: [1, 2]))
    }
    for p in [
      StridedCopy([3], sourceStrides: [3]), StridedCopy([2], sourceOffset: 6),
      StridedCopy([2], sourceOffset: .min),
      StridedCopy([2], destinationOffset: .max), StridedCopy([2], sourceStrides: []),
      StridedCopy([2], sourceStrides: [.min]), StridedCopy([2], destinationStrides: [0]), StridedCopy([-2]),
      StridedCopy([.max]), StridedCopy([2, 2], destinationStrides: [1, 1]),
    ] {
      refuses("\(p)") { try d.copy(try self.floats(6), to: try self.floats(6), strided: p) }
    }
    refuses("ten axes that are no fewer") {
      let p = StridedCopy(
        [Int](repeating: 2, count: 10), sourceStrides: (0..<10).map { 1 << $0 })
      try d.copy(try self.floats(1024), to: try self.floats(1024), strided: p)
    }
    let pair = { try Broadcast([[2, 1], [3]]) }
    kernel("MapBackend.binary(_:_:_:_:into:)", [.floats(2), .floats(3), .out(6)]) {
      try d.binary(.add, try pair(), $0[0], $0[1], into: $0[2])
    }
    refuses("three shapes") {
      try d.binary(
        .add, try Broadcast([[2], [2], [2]]), try self.floats(2), try self.floats(2), into: try self.floats(2)
      )
    }
    kernel("MapBackend.select(_:_:_:_:into:)", [.floats(2), .floats(3), .floats(1), .out(6)]) {
      try d.select(try Broadcast([[2, 1], [3], []]), $0[0], $0[1], $0[2], into: $0[3])
    }
    refuses("two shapes") {
      try d.select(
        try pair(), try self.floats(2), try self.floats(3), try self.floats(3), into: try self.floats(6))
    }
    function("MemoryBackend.text(of:most:)")
    gives("one of no axes", "0.25") { try d.text(of: try self.floats(1).reshaped([])) }
    gives("fewer than none", "[0.25, 0.375]") { try d.text(of: try self.floats(2), most: -1) }
    for s in strangers { refuses(s.name) { try d.text(of: try s.make(2, .float32)) } }
    descent()
    ownKernels()
  }

  private func ownKernels() {
    let d = device
    let make: () throws -> OwnKernel = {
      let source = """
        __kernel void twice(const int items, __global const float *x, __global float *y) {
          if ((int)get_global_id(0) < items) y[get_global_id(0)] = 2.0f * x[get_global_id(0)];
        }
        """
      return try OwnKernel(name: "twice", source: source) { items, arguments in
        for i in items { arguments.outputs[0][i] = 2 * arguments.inputs[0][i] }
      }
    }
    function("OwnKernel.init(name:source:twin:)")
    for name in ["", "2", "twice;", "thrice"] {
      refuses("\(name)") { try OwnKernel(name: name, source: "__kernel void twice() {}") { _, _ in } }
    }
    function("OwnKernel.run(on:numbers:inputs:outputs:items:)")
    for items in [-1, 1 << 31, .max, .min] {
      refuses("\(items) items") {
        try make().run(on: d, inputs: [try self.floats(2)], outputs: [try self.floats(2)], items: items)
      }
    }
    refuses("integers") { try make().run(on: d, inputs: [try self.ints(2)], outputs: [try self.floats(2)]) }
    refuses("an output that is read") {
      let x = try self.floats(2)
      try make().run(on: d, inputs: [x], outputs: [x])
    }
    for s in strangers {
      refuses(s.name) {
        try make().run(on: d, inputs: [try s.make(2, .float32)], outputs: [try self.floats(2)])
      }
    }
    gives("nothing to do", []) {
      let y = try d.allocate([0], .float32)
      try make().run(on: d, inputs: [try self.floats(0)], outputs: [y])
      return try d.floats(y)
    }
    function("OwnKernel.check(on:numbers:inputs:outputs:items:)")
    gives("equal twins", 3) { try make().check(on: d, inputs: [[1, 2, .infinity]], outputs: [3]) }
    refuses("less than no outputs") { try make().check(on: d, inputs: [[1]], outputs: [-1]) }
  }

  private func descent() {
    let d = device
    let p = DescentStep(count: 4, learningRate: 0.1, momentum: 0.5)
    function("DescentStep.init(count:learningRate:momentum:decay:eps:weightDecay:nesterov:)")
    gives("as usual", 0.99) { DescentStep(count: .min, learningRate: .nan).decay }
    kernel("LossBackend.sgd(_:gradient:parameter:velocity:)", [.floats(4), .out(4), .out(4)]) {
      try d.sgd(p, gradient: $0[0], parameter: $0[1], velocity: $0[2])
    }
    steps(p) { try d.sgd($0, gradient: $1[0], parameter: $1[1], velocity: $1[2]) }
    kernel(
      "LossBackend.rmsprop(_:gradient:parameter:squares:velocity:)", [.floats(4), .out(4), .out(4), .out(4)]
    ) { try d.rmsprop(p, gradient: $0[0], parameter: $0[1], squares: $0[2], velocity: $0[3]) }
    steps(p) { try d.rmsprop($0, gradient: $1[0], parameter: $1[1], squares: $1[2], velocity: $1[3]) }
    kernel("LossBackend.lion(_:gradient:parameter:momentum:)", [.floats(4), .out(4), .out(4)]) {
      try d.lion(p, gradient: $0[0], parameter: $0[1], momentum: $0[2])
    }
    steps(p) { try d.lion($0, gradient: $1[0], parameter: $1[1], momentum: $1[2]) }
    kernel("LossBackend.blend(_:share:into:)", [.floats(4), .out(4)]) {
      try d.blend($0[0], share: 0.5, into: $0[1])
    }
    for share in [Float.nan, .infinity] {
      refuses("a share of \(share)") {
        try d.blend(try self.floats(2), share: share, into: try self.floats(2))
      }
    }
  }

  private func steps(_ p: DescentStep, _ step: @escaping (DescentStep, [Tensor]) throws -> Void) {
    let call: (DescentStep) throws -> Void = { try step($0, try (0..<4).map { _ in try self.floats(4) }) }
    fields(p, [("count", \.count)], [-1, 0, 5, .max, .min], call)
    numbers(
      p,
      [
        ("learningRate", \.learningRate), ("momentum", \.momentum), ("decay", \.decay), ("eps", \.eps),
        ("weightDecay", \.weightDecay),
      ], call)
    fields(p, [("momentum", \.momentum), ("decay", \.decay)], [1], call)
  }
}
