// SPDX-License-Identifier: Apache-2.0
import TesseraNN
import TesseraCompute
import TesseraPipeline

extension Rows {
  /// Ranks and extents that fit no function of images.
  private var notImages: [[Int]] {
    [[], [2], [2, 3], [1, 2, 3], [1, 1, 1, 1, 1], [0, 0, 0, 0], [1, 2, 0, 3]]
  }

  func functions() {
    let d = device
    let c = Context(device: d, training: true, differentiable: true)
    func each(_ shapes: [[Int]], _ call: @escaping (Variable) throws -> Any) {
      for shape in shapes { refuses("\(shape)") { try call(try self.variable(shape, trained: true)) } }
    }
    function("Context.linear(_:weight:bias:)")
    each([[], [2], [1, 2, 4], [2, 4]]) { try c.linear($0, weight: try self.variable([4, 3]), bias: nil) }
    for shape in [[], [3], [4, 2], [4, 3, 1]] {
      refuses("weights \(shape)") {
        try c.linear(try self.variable([2, 3]), weight: try self.variable(shape), bias: nil)
      }
    }
    for shape in [[], [3], [5]] {
      refuses("bias \(shape)") {
        try c.linear(
          try self.variable([2, 3]), weight: try self.variable([4, 3]), bias: try self.variable(shape))
      }
    }
    refuses("integers") {
      try c.linear(
        Variable(try self.ints(6).reshaped([2, 3])), weight: try self.variable([4, 3]), bias: nil)
    }
    for s in strangers {
      refuses("rows of \(s.name)") {
        try c.linear(
          Variable(try s.make(6, .float32).reshaped([2, 3])), weight: try self.variable([4, 3]), bias: nil)
      }
    }
    function("Context.conv2d(_:weight:bias:_:)")
    each(notImages) { try c.conv2d($0, weight: try self.variable([2, 2, 1, 1]), bias: nil, .init()) }
    for shape in [[2], [2, 1, 1, 1], [2, 2, 0, 1], [2, 2, 9, 9]] {
      refuses("weights \(shape)") {
        try c.conv2d(try self.variable([1, 2, 3, 3]), weight: try self.variable(shape), bias: nil, .init())
      }
    }
    refuses("bias [3]") {
      try c.conv2d(
        try self.variable([1, 2, 3, 3]), weight: try self.variable([2, 2, 1, 1]),
        bias: try self.variable([3]), .init())
    }
    refuses("a 7 x 7 kernel on 5 x 5") {
      try c.conv2d(
        try self.variable([1, 1, 5, 5]), weight: try self.variable([2, 1, 7, 7]), bias: nil, .init())
    }
    refuses("images of integers") {
      try c.conv2d(
        Variable(try self.ints(9).reshaped([1, 1, 3, 3])), weight: try self.variable([1, 1, 1, 1]), bias: nil,
        .init())
    }
    function("Context.ConvolutionAttributes.init(stride:padding:dilation:groups:same:)")
    for value in [0, -1, Int.max, .min, 1 << 32] {
      for (name, attributes) in [
        ("stride", Context.ConvolutionAttributes(stride: value)), ("dilation", .init(dilation: value)),
        ("groups", .init(groups: value)),
      ] {
        refuses("\(name) \(value)") {
          try c.conv2d(
            try self.variable([1, 2, 3, 3]), weight: try self.variable([2, 2, 2, 2]), bias: nil, attributes)
        }
      }
    }
    for value in [-1, Int.max, .min] {
      refuses("padding \(value)") {
        try c.conv2d(
          try self.variable([1, 2, 3, 3]), weight: try self.variable([2, 2, 2, 2]), bias: nil,
          .init(padding: value))
      }
    }
    refuses("padding beside same") {
      try c.conv2d(
        try self.variable([1, 2, 3, 3]), weight: try self.variable([2, 2, 2, 2]), bias: nil,
        .init(padding: 1, same: true))
    }
    function("Context.activation(_:_:)")
    for op in UnaryOperation.allCases where !op.hasGradient {
      refuses("\(op)") { try c.activation(op, try self.variable([2])) }
    }
    refuses("integers") { try c.activation(.relu, Variable(try self.ints(2))) }
    function("Context.add(_:_:)")
    each([[], [3], [2, 1]]) { try c.add($0, try self.variable([2])) }
    refuses("integers") { try c.add(Variable(try self.ints(2)), try self.variable([2])) }
    function("Context.reshape(_:_:)")
    for shape in [[-2, -3], [5], [.max, .max], []] {
      refuses("\(shape) of 6") { try c.reshape(try self.variable([6]), shape) }
    }
    function("Context.transpose(_:)")
    each([[], [2], [1, 2, 3]]) { try c.transpose($0) }
    refuses("of a device that nobody knows") {
      try c.transpose(Variable(try self.strangers[0].make(6, .float32).reshaped([2, 3])))
    }
    function("Context.dropout(_:rate:)")
    for rate in [Float.nan, -0.1, 1, .infinity] {
      refuses("rate \(rate)") { try c.dropout(try self.variable([2]), rate: rate) }
      refuses("rate \(rate) in evaluation") {
        try Context(device: d).dropout(try self.variable([2]), rate: rate)
      }
    }
    function("Context.logSoftmax(_:axis:)")
    each([[]]) { try c.logSoftmax($0) }
    losses(c)
    norms(c)
    windows(c)
  }

  private func losses(_ c: Context) {
    let d = device
    function("Context.crossEntropy(_:labels:smoothing:factors:)")
    for shape in [[], [3], [1, 2, 3], [2, 0]] {
      refuses("logits \(shape)") { try c.crossEntropy(try self.variable(shape), labels: try self.ints(2)) }
    }
    refuses("labels of floats") { try c.crossEntropy(try self.variable([2, 3]), labels: try self.floats(2)) }
    for labels in [[0, 3], [-1, 0], [0], [0, 0, 0], [.max, 0], []] as [[Int32]] {
      refuses("labels \(labels)") {
        try c.crossEntropy(try self.variable([2, 3]), labels: try d.tensor(labels, [labels.count]))
      }
    }
    for smoothing in [Float.nan, -1, 2] {
      refuses("smoothing \(smoothing)") {
        try c.crossEntropy(try self.variable([2, 3]), labels: try self.ints(2), smoothing: smoothing)
      }
    }
    for s in strangers {
      refuses("labels of \(s.name)") {
        try c.crossEntropy(try self.variable([2, 3]), labels: try s.make(2, .int32))
      }
    }
    refuses("a factor for two rows") {
      try c.crossEntropy(try self.variable([2, 3]), labels: try self.ints(2), factors: try self.floats(1))
    }
    refuses("factors of integers") {
      try c.crossEntropy(try self.variable([2, 3]), labels: try self.ints(2), factors: try self.ints(2))
    }
    function("Context.backward(from:labels:smoothing:factors:)")
    refuses("three factors for two rows") {
      try c.backward(
        from: try self.variable([2, 3], trained: true), labels: try self.ints(2), factors: try self.floats(3))
    }
    for shape in [[], [3], [1, 2, 3]] {
      refuses("logits \(shape)") {
        try c.backward(from: try self.variable(shape, trained: true), labels: try self.ints(2))
      }
    }
    refuses("labels of floats") {
      try c.backward(from: try self.variable([2, 3], trained: true), labels: try self.floats(2))
    }
    refuses("label 3 of 3") {
      try c.backward(
        from: try self.variable([2, 3], trained: true), labels: try d.tensor([0, 3] as [Int32], [2]))
    }
    refuses("without a tape") {
      try Context(device: d).backward(
        from: try self.variable([2, 3], trained: true), labels: try self.ints(2))
    }
    refuses("of what wants no gradient") {
      try c.backward(from: try self.variable([2, 3]), labels: try self.ints(2))
    }
    refuses("smoothing NaN") {
      try c.backward(
        from: try self.variable([2, 3], trained: true), labels: try self.ints(2), smoothing: .nan)
    }
  }

  private func norms(_ c: Context) {
    function("Context.batchNorm(_:gamma:beta:runningMean:runningVariance:momentum:eps:)")
    func norm(_ x: [Int], _ gamma: Int = 3, _ running: Int = 3, momentum: Float = 0.1, eps: Float = 1) throws
      -> Variable
    {
      try c.batchNorm(
        try self.variable(x), gamma: try self.variable([gamma]), beta: try self.variable([gamma]),
        runningMean: try self.floats(running),
        runningVariance: try self.floats(running), momentum: momentum, eps: eps)
    }
    for shape in [[], [3], [2, 4], [0, 3, 2, 2], [2, 3, 0, 2], [1, 3]] {
      refuses("\(shape)") { try norm(shape) }
    }
    refuses("gamma of 2") { try norm([2, 3], 2) }
    refuses("statistics of 4") { try norm([2, 3], 3, 4) }
    for value in [Float.nan, -1, 2] { refuses("momentum \(value)") { try norm([2, 3], momentum: value) } }
    for value in [Float.nan, -1, .infinity] { refuses("eps \(value)") { try norm([2, 3], eps: value) } }
    refuses("one tensor for both statistics") {
      let t = try self.floats(3)
      return try c.batchNorm(
        try self.variable([2, 3]), gamma: try self.variable([3]), beta: try self.variable([3]),
        runningMean: t, runningVariance: t, momentum: 0.1, eps: 1)
    }
    function("Context.layerNorm(_:gamma:beta:eps:)")
    for shape in [[], [3], [1, 2, 3], [2, 4], [2, 0]] {
      refuses("\(shape)") {
        try c.layerNorm(
          try self.variable(shape), gamma: try self.variable([3]), beta: try self.variable([3]), eps: 1)
      }
    }
    for eps in [Float.nan, -1, .infinity] {
      refuses("eps \(eps)") {
        try c.layerNorm(
          try self.variable([2, 3]), gamma: try self.variable([3]), beta: try self.variable([3]), eps: eps)
      }
    }
    function("Context.localResponseNorm(_:size:alpha:beta:k:)")
    for shape in [[], [3]] {
      refuses("\(shape)") { try c.localResponseNorm(try self.variable(shape), size: 3) }
    }
    for size in [0, -1, Int.min] {
      refuses("size \(size)") { try c.localResponseNorm(try self.variable([1, 3]), size: size) }
    }
    for value in [Float.nan, -1, .infinity] {
      refuses("alpha \(value)") { try c.localResponseNorm(try self.variable([1, 3]), size: 3, alpha: value) }
      refuses("k \(value)") { try c.localResponseNorm(try self.variable([1, 3]), size: 3, k: value) }
    }
    function("Context.channelShuffle(_:groups:)")
    for shape in [[], [4]] {
      refuses("\(shape)") { try c.channelShuffle(try self.variable(shape), groups: 2) }
    }
    for groups in [0, -2, 3, Int.max, .min] {
      refuses("\(groups) groups of 4") { try c.channelShuffle(try self.variable([1, 4]), groups: groups) }
    }
    function("Context.channels(_:of:)")
    for range in [-1..<1, 2..<5, 5..<6, Int.min..<1, 0..<Int.max] {
      refuses("\(range) of 4") { try c.channels(range, of: try self.variable([1, 4])) }
    }
    refuses("of [4]") { try c.channels(0..<1, of: try self.variable([4])) }
    function("Context.concatenateChannels(_:_:)")
    for shape in [[], [3], [2, 3], [1, 3, 2], [1, 3, 1, 1]] {
      refuses("\(shape) to [1, 2, 1]") {
        try c.concatenateChannels(try self.variable(shape), try self.variable([1, 2, 1]))
      }
    }
  }

  private func windows(_ c: Context) {
    for (name, call) in [
      ("maxPool", { try c.maxPool($0, kernel: $1, stride: $2, padding: $3) }),
      ("averagePool", { try c.averagePool($0, kernel: $1, stride: $2, padding: $3) }),
    ] as [(String, (Variable, Int, Int, Int) throws -> Variable)] {
      function("Context.\(name)(_:kernel:stride:padding:)")
      for shape in notImages { refuses("\(shape)") { try call(try self.variable(shape), 1, 1, 0) } }
      for value in [0, -1, Int.max, .min, 1 << 32] {
        refuses("kernel \(value)") { try call(try self.variable([1, 1, 3, 3]), value, 1, 0) }
        refuses("stride \(value)") { try call(try self.variable([1, 1, 3, 3]), 2, value, 0) }
      }
      for value in [-1, 2, Int.max, .min] {
        refuses("padding \(value)") { try call(try self.variable([1, 1, 3, 3]), 2, 1, value) }
      }
      refuses("a 7 x 7 kernel on 5 x 5") { try call(try self.variable([1, 1, 5, 5]), 7, 1, 0) }
    }
    function("Context.adaptiveAveragePool(_:size:)")
    for shape in notImages {
      refuses("\(shape)") { try c.adaptiveAveragePool(try self.variable(shape), size: 1) }
    }
    for size in [0, -1, Int.max, .min, 1 << 20] {
      refuses("size \(size)") { try c.adaptiveAveragePool(try self.variable([1, 1, 3, 3]), size: size) }
    }
  }

  func layers() {
    let d = device
    let c = Context(device: d, training: true)
    function("Initializer.init(device:seed:)")
    gives("any seed", [1, 1]) {
      try Linear(1, 1, Initializer(device: d, seed: .max)).parameters[0].parameter.value.shape
    }
    function("Linear.init(_:_:_:)")
    for (ins, outs) in [(0, 1), (1, 0), (-1, 1), (1, -1), (.max, .max), (1 << 16, 1 << 16), (.min, .min)] {
      refuses("\(ins) to \(outs)") { try Linear(ins, outs, self.drawn) }
    }
    function("Conv2d.init(_:_:kernel:_:bias:_:)")
    for (ins, outs, kernel, groups) in [
      (0, 1, 1, 1), (1, 0, 1, 1), (1, 1, 0, 1), (2, 2, 1, 0), (2, 2, 1, -1), (3, 2, 1, 2), (2, 3, 1, 2),
      (.max, 1, .max, 1), (1, 1, .max, 1), (1 << 10, 1 << 10, 1 << 10, 1), (-2, -2, 1, 1),
    ] {
      refuses("\(ins) to \(outs), kernel \(kernel), \(groups) groups") {
        try Conv2d(ins, outs, kernel: kernel, .init(groups: groups), self.drawn)
      }
    }
    refuses("stride 0") { try Conv2d(1, 1, kernel: 1, .init(stride: 0), self.drawn) }
    function("Conv2d.init(_:_:kernel:stride:padding:bias:_:)")
    for (stride, padding) in [(0, 0), (-1, 0), (1, -1), (.max, 0)] {
      refuses("stride \(stride), padding \(padding)") {
        try Conv2d(1, 1, kernel: 1, stride: stride, padding: padding, Initializer(device: d, seed: 1))(
          try self.variable([1, 1, 2, 2]), Context(device: d))
      }
    }
    function("BatchNorm2d.init(_:eps:momentum:_:)")
    for channels in [0, -1, Int.max, .min] {
      refuses("\(channels) channels") { try BatchNorm2d(channels, self.drawn) }
    }
    for value in [Float.nan, -1, .infinity] {
      refuses("eps \(value)") { try BatchNorm2d(2, eps: value, self.drawn) }
    }
    for value in [Float.nan, -1, 2] {
      refuses("momentum \(value)") { try BatchNorm2d(2, momentum: value, self.drawn) }
    }
    // Those without an initialiser that throws say it when they are first used.
    let makers: [(String, () throws -> any Module)] = [
      ("Linear", { try Linear(3, 2, self.drawn) }),
      ("Conv2d", { try Conv2d(3, 2, kernel: 2, .init(), self.drawn) }),
      ("BatchNorm2d", { try BatchNorm2d(3, self.drawn) }),
      ("MaxPool2d", { MaxPool2d(kernel: 2, stride: 2) }), ("AdaptiveAvgPool2d", { AdaptiveAvgPool2d(2) }),
      ("LocalResponseNorm", { LocalResponseNorm(3) }),
      ("ShuffleUnit", { ShuffleUnit(second: Sequential([])) }),
      ("Residual", { Residual(Sequential([try Linear(3, 2, self.drawn)])) }),
      ("Sequential", { Sequential([try Linear(3, 2, self.drawn)]) }),
      ("Checkpointed", { Checkpointed(try Linear(3, 2, self.drawn)) }),
      ("Module", { try Linear(3, 2, self.drawn) }),
    ]
    for (name, make) in makers {
      let ofRows = ["Linear", "Module", "Sequential", "Residual", "Checkpointed"].contains(name)
      function("\(name).callAsFunction(_:_:)")
      for shape in [[], [4], [2, 5]]
      where !(["LocalResponseNorm", "ShuffleUnit"].contains(name) && shape.count == 2) {
        refuses("\(shape)") { try Self.shape(of: try make(), try self.variable(shape), c) }
      }
      for s in strangers {
        refuses("a tensor of \(s.name)") {
          let x = Variable(try s.make(48, .float32).reshaped(ofRows ? [16, 3] : [1, 3, 4, 4]))
          return try Self.shape(of: try make(), x, c)
        }
      }
    }
    unchecked(c)
  }

  private static func shape(of module: any Module, _ x: Variable, _ context: Context) throws -> [Int] {
    let y = try module(x, context)
    return y.shape
  }

  /// Modules that take any number, and refuse at their first use what makes no sense.
  private func unchecked(_ c: Context) {
    let image = { try self.variable([1, 4, 3, 3]) }
    function("Activation.init(_:)")
    for op in UnaryOperation.allCases where !op.hasGradient {
      refuses("\(op)") { try Activation(op)(try image(), c).shape }
    }
    function("Activation.callAsFunction(_:_:)")
    refuses("integers") { try Activation(.relu)(Variable(try self.ints(2)), c).shape }
    function("Dropout.init(_:)")
    for rate in [Float.nan, -1, 1, .infinity] {
      refuses("rate \(rate)") { try Dropout(rate)(try image(), c).shape }
    }
    function("Dropout.callAsFunction(_:_:)")
    refuses("integers") { try Dropout(0.5)(Variable(try self.ints(2)), c).shape }
    function("MaxPool2d.init(kernel:stride:padding:)")
    for (kernel, stride, padding) in [
      (0, 1, 0), (1, 0, 0), (2, 1, 2), (-1, 1, 0), (.max, 1, 0), (1, .min, 0), (2, 2, -1),
    ] {
      refuses("kernel \(kernel), stride \(stride), padding \(padding)") {
        try MaxPool2d(kernel: kernel, stride: stride, padding: padding)(try image(), c).shape
      }
    }
    function("AdaptiveAvgPool2d.init(_:)")
    for size in [0, -1, Int.max] {
      refuses("size \(size)") { try AdaptiveAvgPool2d(size)(try image(), c).shape }
    }
    function("LocalResponseNorm.init(_:)")
    for size in [0, -1, Int.min] {
      refuses("size \(size)") { try LocalResponseNorm(size)(try image(), c).shape }
    }
    function("Checkpointed.init(_:)")
    refuses("an image that does not fit") {
      let c = Context(device: self.device, differentiable: true)
      return try Checkpointed(try Linear(5, 2, self.drawn))(try image(), c).shape
    }
    function("Flatten.init()")
    works("nothing to get wrong") { _ = Flatten() }
    function("Flatten.callAsFunction(_:_:)")
    refuses("a scalar") { try Flatten()(try self.variable([]), c).shape }
    gives("no rows", [0, 3]) { try Flatten()(try self.variable([0, 3]), c).shape }
    function("Residual.init(_:shortcut:activation:)")
    refuses("a body of another shape") {
      try Residual(Sequential([MaxPool2d(kernel: 2, stride: 2)]))(try image(), c).shape
    }
    refuses("an activation without a gradient") {
      try Residual(Sequential([]), activation: .sinTurn)(try image(), c).shape
    }
    function("ShuffleUnit.init(first:second:)")
    refuses("an odd number of channels in all") {
      try ShuffleUnit(second: Sequential([]))(try self.variable([1, 3, 2, 2]), c).shape
    }
    function("Sequential.init(_:)")
    gives("no modules", [1, 4, 3, 3]) { try Sequential([])(try image(), c).shape }
    function("Sequential.init(named:)")
    gives("one module under two names", ["a.weight", "a.bias"]) {
      let layer = try Linear(1, 1, self.drawn)
      return Sequential(named: [("a", layer), ("b", layer)]).parameters.map(\.name)
    }
    function("Module.setTrainable(_:)")
    gives("a module without parameters", 0) {
      Flatten().setTrainable(true)
      return Flatten().parameters.count
    }
  }
}
