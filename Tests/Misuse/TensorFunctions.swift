// SPDX-License-Identifier: Apache-2.0
import TesseraNN

extension Rows {
  /// A variable of a context of its own, which stays for the call.
  private func with<R>(_ shape: [Int], _ body: (Variable, Context) throws -> R) throws -> R {
    let context = Context(device: device, training: true, differentiable: true)
    let x = context.variable(
      try floats(shape.reduce(1, *)).reshaped(shape), requiresGradient: true)
    return try withExtendedLifetime(context) { try body(x, context) }
  }

  func tensorFunctions() {
    contexts()
    arithmetic()
    elementwise()
    reductions()
    movements()
    products()
  }

  private func contexts() {
    let d = device
    function("Context.variable(_:requiresGradient:)")
    gives("integers", true) {
      try self.with([1]) { "\($1.variable(try self.ints(2)))".contains("int32 [2]") }
    }
    for s in strangers {
      refuses(s.name) { try self.with([2]) { try $1.variable(try s.make(2, .float32)) + $0 } }
    }
    function("Context.variable(_:_:requiresGradient:)")
    for shape in [[3], [-1], [.max, .max], []] {
      refuses("two numbers as \(shape)") { try self.with([1]) { try $1.variable([1, 2], shape) } }
    }
    function("Context.variable(rows:requiresGradient:)")
    refuses("rows of two lengths") { try self.with([1]) { try $1.variable(rows: [[1, 2], [3]]) } }
    gives("no rows", [0, 0]) { try self.with([1]) { try $1.variable(rows: []).shape } }
    function("Context.callAsFunction(_:)")
    refuses("what another context computed") {
      try self.with([1]) { x, _ in try Context(device: d)(try x * 2) }
    }
    gives("a parameter", [2]) { try self.with([1]) { $1(Parameter(try self.floats(2))).shape } }
    function("Context.function(_:of:gradients:)")
    refuses("no gradients for an input") {
      try self.with([1]) { x, c in try c.function(x.value, of: [x]) { _ in [] }.backward() }
    }
    refuses("a gradient of another size") {
      try self.with([1]) { x, c in try c.function(x.value, of: [x]) { _ in [try self.floats(2)] }.backward() }
    }
    function("Context.checkpoint(_:_:)")
    refuses("another shape when computed again") {
      try self.with([2]) { x, c in
        var times = 0
        try c.checkpoint(x) { x, _ in
          times += 1
          return times == 1 ? try x.sum() : x
        }.backward()
      }
    }
    refuses("a segment that throws") {
      try self.with([2]) { try $1.checkpoint([$0]) { x, _ in try x[0].reshaped(3) } }
    }
    refuses("what another context computed") {
      try self.with([1]) { x, _ in try Context(device: d).checkpoint([try x * 2]) { x, _ in x[0] } }
    }
    function("Context.withoutGradient(_:)")
    gives("nothing wants a gradient", false) {
      try self.with([1]) { x, c in try c.withoutGradient { try x * 2 }.requiresGradient }
    }
    function("Context.backward(meanOf:)")
    refuses("a matrix") { try self.with([2, 2]) { try $1.backward(meanOf: $0) } }
    refuses("no tape") {
      let c = Context(device: d)
      try c.backward(meanOf: try c.variable([1]))
    }
    function("Variable.backward()")
    refuses("two numbers") { try self.with([2]) { x, _ in try x.backward() } }
    refuses("no context") { try self.variable([1], trained: true).backward() }
    function("Variable.values()")
    refuses("no context") { try self.variable([1]).values() }
    refuses("integers") { try self.with([1]) { try $1.variable(try self.ints(1)).values() } }
    function("Variable.item()")
    refuses("two numbers") { try self.with([2]) { x, _ in try x.item() } }
    function("Variable.detached()")
    gives("no gradient", false) { try self.with([1]) { x, _ in x.detached().requiresGradient } }
  }

  private func arithmetic() {
    typealias Operation = (Variable, Variable) throws -> Variable
    let operations: [(String, Operation)] = [
      ("+(a:b:)", { try $0 + $1 }), ("-(a:b:)", { try $0 - $1 }), ("*(a:b:)", { try $0 * $1 }),
      ("/(a:b:)", { try $0 / $1 }), ("maximum(_:)", { try $0.maximum($1) }),
      ("minimum(_:)", { try $0.minimum($1) }), ("less(than:)", { try $0.less(than: $1) }),
      ("lessOrEqual(to:)", { try $0.lessOrEqual(to: $1) }), ("greater(than:)", { try $0.greater(than: $1) }),
      ("equal(to:)", { try $0.equal(to: $1) }),
    ]
    for (name, operation) in operations {
      function("Variable.\(name)")
      refuses("shapes that do not fit") {
        try self.with([2]) { try operation($0, try $1.variable([1, 2, 3])) }
      }
      refuses("integers") { try self.with([2]) { try operation($0, $1.variable(try self.ints(2))) } }
      refuses("no context") { try operation(try self.variable([1]), try self.variable([1])) }
      refuses("two contexts") {
        try self.with([2]) { x, _ in try self.with([2]) { y, _ in try operation(x, y) } }
      }
      gives("nothing", [0]) { try self.with([0]) { x, _ in try operation(x, x).shape } }
    }
    let numbers: [(String, (Variable, Float) throws -> Variable)] = [
      ("+(x:number:)", { try $0 + $1 }), ("+(number:x:)", { try $1 + $0 }), ("-(x:number:)", { try $0 - $1 }),
      ("-(number:x:)", { try $1 - $0 }), ("*(x:number:)", { try $0 * $1 }), ("*(number:x:)", { try $1 * $0 }),
      ("/(x:number:)", { try $0 / $1 }), ("/(number:x:)", { try $1 / $0 }),
    ]
    for (name, operation) in numbers {
      function("Variable.\(name)")
      refuses("no context") { try operation(try self.variable([1]), 2) }
      refuses("integers") { try self.with([1]) { try operation($1.variable(try self.ints(2)), 2) } }
      gives("NaN", true) { try self.with([1]) { x, _ in try operation(x, .nan).item().isNaN } }
    }
    function("Variable.-(x:)")
    refuses("no context") { try -(try self.variable([1])) }
    function("Variable.select(_:_:)")
    refuses("shapes that do not fit") {
      try self.with([2]) { try $0.select($0, try $1.variable([1, 2, 3])) }
    }
    refuses("integers") { try self.with([2]) { try $1.variable(try self.ints(2)).select($0, $0) } }
  }

  private func elementwise() {
    let functions: [(String, (Variable) throws -> Variable)] = [
      ("exp()", { try $0.exp() }), ("log()", { try $0.log() }), ("sqrt()", { try $0.sqrt() }),
      ("square()", { try $0.square() }), ("abs()", { try $0.abs() }), ("tanh()", { try $0.tanh() }),
      ("sigmoid()", { try $0.sigmoid() }), ("relu()", { try $0.relu() }), ("gelu()", { try $0.gelu() }),
      ("softplus()", { try $0.softplus() }), ("silu()", { try $0.silu() }),
      ("applying(_:)", { try $0.applying(.erf) }),
    ]
    for (name, call) in functions {
      function("Variable.\(name)")
      refuses("no context") { try call(try self.variable([1])) }
      refuses("integers") { try self.with([1]) { try call($1.variable(try self.ints(2))) } }
      gives("nothing", [0, 2]) { try self.with([0, 2]) { x, _ in try call(x).shape } }
    }
    function("Variable.applying(_:)")
    refuses("an operation without a gradient") { try self.with([1]) { x, _ in try x.applying(.sinTurn) } }
    for (name, call) in [
      ("softmax(axis:)", { try $0.softmax(axis: $1) }),
      ("logSoftmax(axis:)", { try $0.logSoftmax(axis: $1) }),
    ] as [(String, (Variable, Int) throws -> Variable)] {
      function("Variable.\(name)")
      for axis in [2, -3, .max, .min] {
        refuses("axis \(axis)") { try self.with([2, 3]) { x, _ in try call(x, axis) } }
      }
      refuses("a scalar") { try self.with([]) { x, _ in try call(x, 0) } }
    }
  }

  private func reductions() {
    let calls: [(String, (Variable, Int, Int) throws -> Variable)] = [
      ("sum", { try $0.sum($1, $2) }), ("mean", { try $0.mean($1, $2) }), ("max", { try $0.max($1, $2) }),
      ("min", { try $0.min($1, $2) }),
    ]
    for (name, call) in calls {
      function("Variable.\(name)(_:keepDims:)")
      for (a, b) in [(0, 2), (-3, 1), (0, 0), (1, -1), (.max, 0), (.min, 0)] {
        refuses("axes \(a) and \(b)") { try self.with([2, 3]) { x, _ in try call(x, a, b) } }
      }
      refuses("no context") { try call(try self.variable([1, 1]), 0, 1) }
      refuses("integers") {
        try self.with([1]) { try call($1.variable(try self.ints(2).reshaped([1, 2])), 0, 1) }
      }
      refuses("the rows of a shared batch") {
        let part = try BatchShard(0..<8, of: 8, try AllReduce(parts: 1), number: 0, memory: .init())
        let c = Context(device: self.device, part: part)
        return try call(c.variable(try self.floats(8).reshaped([8, 1])), 0, 1)
      }
      guard name != "sum" else { continue }
      refuses("of nothing") { try self.with([0, 3]) { x, _ in try call(x, 0, 1) } }
    }
    function("Variable.argmax(axis:)")
    for axis in [2, -3, .max] {
      refuses("axis \(axis)") { try self.with([2, 3]) { x, _ in try x.argmax(axis: axis) } }
    }
    refuses("of nothing") { try self.with([2, 0]) { x, _ in try x.argmax() } }
  }

  private func movements() {
    function("Variable.reshaped(_:)")
    for shape in [[4], [-1, -1], [-2, -3], [0, -1], [.max], [4, -1]] {
      refuses("\(shape)") { try self.with([2, 3]) { x, _ in try x.reshaped(shape) } }
    }
    function("Variable.permuted(_:)")
    for order in [[0], [0, 0], [0, 2], [-3, 0]] {
      refuses("\(order)") {
        try self.with([2, 3]) { x, _ in
          order.count == 1 ? try x.permuted(order[0]) : try x.permuted(order[0], order[1])
        }
      }
    }
    function("Variable.transposed(_:_:)")
    for (a, b) in [(0, 2), (-3, 0), (.max, 0), (0, .min)] {
      refuses("\(a) and \(b)") { try self.with([2, 3]) { x, _ in try x.transposed(a, b) } }
    }
    refuses("one axis") { try self.with([2]) { x, _ in try x.transposed() } }
    function("Variable.slice(_:axis:step:)")
    for (range, axis, step) in [
      (0..<4, 1, 1), (-1..<1, 1, 1), (0..<1, 2, 1), (0..<1, 0, 0), (0..<1, 0, -1), (5..<5, 0, 1),
    ] {
      refuses("\(range) of \(axis) by \(step)") {
        try self.with([2, 3]) { x, _ in try x.slice(range, axis: axis, step: step) }
      }
    }
    gives("nothing", [0, 3]) { try self.with([2, 3]) { x, _ in try x.slice(2..<2, step: .max).shape } }
    function("Variable.split(_:axis:)")
    for parts in [[1], [3], [-1, 3], [.max, .max], [.min]] {
      refuses("\(parts)") { try self.with([2, 3]) { x, _ in try x.split(parts) } }
    }
    function("Variable.expanded(to:)")
    for shape in [[2], [2, 2], [-1, 3], [.max, 2, 3], []] {
      refuses("\(shape)") { try self.with([1, 3]) { x, _ in try x.expanded(to: shape) } }
    }
    function("Variable.padded(_:with:)")
    for widths in [[], [(0, -1)], [(0, 0), (0, 0)], [(.max, 0)], [(1 << 31 - 1, 1)]] as [[(Int, Int)]] {
      refuses("\(widths)") {
        try self.with([3]) { x, _ in try x.padded(widths.map { (before: $0.0, after: $0.1) }) }
      }
    }
    function("Variable.concatenated(_:axis:)")
    refuses("nothing") { try Variable.concatenated([]) }
    refuses("other extents") {
      try self.with([2, 3]) { try Variable.concatenated([$0, try $1.variable([1])]) }
    }
    refuses("integers") {
      try self.with([2]) { try Variable.concatenated([$0, $1.variable(try self.ints(2))]) }
    }
    refuses("an axis too many") { try self.with([2]) { x, _ in try Variable.concatenated([x], axis: 1) } }
    function("Variable.stacked(_:axis:)")
    refuses("nothing") { try Variable.stacked([]) }
    refuses("other extents") { try self.with([2]) { try Variable.stacked([$0, try $1.variable([1])]) } }
    refuses("an axis too many") { try self.with([2]) { x, _ in try Variable.stacked([x], axis: 2) } }
    function("Variable.taking(_:axis:)")
    for index in [-1, 2, .max, .min] {
      refuses("index \(index)") { try self.with([2, 3]) { x, _ in try x.taking([index]) } }
    }
    refuses("floats") { try self.with([2]) { x, _ in try x.taking(try self.floats(1)) } }
    refuses("a scalar") { try self.with([]) { x, _ in try x.taking([0]) } }
  }

  private func products() {
    function("Variable.matmul(_:)")
    for (a, b) in [
      ([2, 3], [2, 3]), ([], [2]), ([2], [3]), ([2, 2, 3], [3, 3, 1]), ([2, 3], [3, 3, 3, 0, 1]),
    ] {
      refuses("\(a) and \(b)") {
        try self.with(a) { try $0.matmul($1.variable(try self.floats(b.reduce(1, *)).reshaped(b))) }
      }
    }
    gives("nothing to add", [0, 0]) {
      try self.with([2, 0]) { x, _ in try x.matmul(try x.transposed()).slice(0..<1).sum(0).values() }
    }
    function("Variable.attention(key:value:mask:)")
    refuses("keys of another width") {
      try self.with([2, 3]) { x, _ in try x.attention(key: try x.transposed(), value: x) }
    }
    refuses("one axis") { try self.with([2]) { x, _ in try x.attention(key: x, value: x) } }
    refuses("a mask of another shape") {
      try self.with([2, 3]) { try $0.attention(key: $0, value: $0, mask: try $1.variable([1, 0, 1])) }
    }
    gives("a query that sees nothing sees all alike", true) {
      try self.with([2, 3]) {
        let y = try $0.attention(key: $0, value: $0, mask: try $1.variable([0]))
        return try y.values().allSatisfy(\.isFinite)
      }
    }
  }
}
