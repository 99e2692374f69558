// SPDX-License-Identifier: Apache-2.0
import TesseraNN

extension Rows {
  func trainingTools() {
    losses()
    optimizers()
    newLayers()
    modules()
    trainingLoops()
    let d = device
    let parameter = { Parameter(try self.floats(2)) }
    function("Parameter.clipGradients(_:norm:on:)")
    for norm in [Float.nan, -1, .infinity] {
      refuses("a norm of \(norm)") { try Parameter.clipGradients([], norm: norm, on: d) }
    }
    gives("no gradients", [0]) {
      try d.floats(try Parameter.clipGradients([("w", try parameter())], norm: 1, on: d))
    }
    function("Parameter.setGradient(_:)")
    refuses("no pass yet") { try parameter().setGradient(try self.floats(2)) }
    refuses("another shape") { try parameter().setGradient(try self.floats(3)) }
    refuses("integers") { try parameter().setGradient(try self.ints(2)) }
    function("ExponentialAverage.init(device:_:decay:)")
    for decay in [Float.nan, -0.5, 1] {
      refuses("a decay of \(decay)") { try ExponentialAverage(device: d, [], decay: decay) }
    }
    function("ExponentialAverage.update()")
    works("nothing") { try ExponentialAverage(device: d, []).update() }
    function("ExponentialAverage.withAverages(_:)")
    refuses("inside another") {
      let average = try ExponentialAverage(device: d, [("w", try parameter())])
      try average.withAverages { try average.withAverages {} }
    }
    function("LearningRateSchedule.init(_:total:warmup:least:)")
    for (total, warmup, least) in [(-1, 0, 0), (2, 3, 0), (2, -1, 0), (2, 0, 2), (2, 0, .nan)]
      as [(Int, Int, Float)]
    {
      refuses("\(warmup) of \(total) down to \(least)") {
        try LearningRateSchedule(.linear, total: total, warmup: warmup, least: least)
      }
    }
    function("LearningRateSchedule.factor(_:)")
    gives("beyond the end", [1, 0] as [Float]) {
      let schedule = try LearningRateSchedule(.linear, total: .max)
      return [schedule.factor(.min), schedule.factor(.max)]
    }
    function("GradientCheck.run(_:step:seed:_:)")
    for step in [Float.nan, 0, -1, .infinity] {
      refuses("a step of \(step)") { try GradientCheck.run([([1], [1])], step: step) { x, _ in x[0] } }
    }
    refuses("another shape") { try GradientCheck.run([([1], [2])]) { x, _ in x[0] } }
  }

  private func losses() {
    let pairs: [(String, (Variable, Variable) throws -> Variable)] = [
      ("meanSquared(_:_:)", { try Loss.meanSquared($0, $1) }),
      ("meanAbsolute(_:_:)", { try Loss.meanAbsolute($0, $1) }),
      ("huber(_:_:delta:)", { try Loss.huber($0, $1) }),
      ("binaryCrossEntropy(logits:_:)", { try Loss.binaryCrossEntropy(logits: $0, $1) }),
      ("kullbackLeibler(_:_:)", { try Loss.kullbackLeibler($0, $1) }),
      ("cosineDistance(_:_:eps:)", { try Loss.cosineDistance($0, $1) }),
    ]
    let d = device
    for (name, loss) in pairs {
      function("Loss.\(name)")
      for (a, b) in [([2, 3], [3, 2]), ([2, 3], [3]), ([], [])] {
        refuses("\(a) and \(b)") {
          let c = Context(device: d)
          return try withExtendedLifetime(c) {
            try loss(
              c.variable(try self.floats(a.reduce(1, *)).reshaped(a)),
              c.variable(try self.floats(b.reduce(1, *)).reshaped(b)))
          }
        }
      }
    }
    function("Loss.huber(_:_:delta:)")
    function("Loss.cosineDistance(_:_:eps:)")
    function("Loss.tripletMargin(anchor:positive:negative:margin:eps:)")
    for (margin, eps) in [(-1, 1e-6), (.nan, 1), (.infinity, 1), (1, 0), (1, .nan)] as [(Float, Float)] {
      refuses("a margin of \(margin), eps \(eps)") {
        let c = Context(device: d)
        return try withExtendedLifetime(c) {
          let x = c.variable(try self.floats(6).reshaped([2, 3]))
          return try Loss.tripletMargin(anchor: x, positive: x, negative: x, margin: margin, eps: eps)
        }
      }
    }
    function("Loss.cosineEmbedding(_:_:target:margin:eps:)")
    for (rows, margin) in [(3, 0), (0, 0), (2, 1.5), (2, .nan)] as [(Int, Float)] {
      refuses("\(rows) targets, a margin of \(margin)") {
        let c = Context(device: d)
        return try withExtendedLifetime(c) {
          let x = c.variable(try self.floats(6).reshaped([2, 3]))
          return try Loss.cosineEmbedding(x, x, target: c.variable(try self.floats(rows)), margin: margin)
        }
      }
    }
    let calls: [(String, (Variable, Tensor) throws -> Variable)] = [
      ("negativeLogLikelihood", { try Loss.negativeLogLikelihood($0, labels: $1) }),
      ("crossEntropy", { try Loss.crossEntropy($0, labels: $1) }),
    ]
    for (name, loss) in calls {
      function("Loss.\(name)(_:labels:)")
      let row: (_ labels: [Int32], _ shape: [Int]) throws -> Variable = { labels, shape in
        let c = Context(device: d)
        return try withExtendedLifetime(c) {
          try loss(c.variable(try self.floats(6).reshaped(shape)), try d.tensor(labels))
        }
      }
      for label in [-1, 3, Int32.max] { refuses("label \(label)") { try row([0, label], [2, 3]) } }
      refuses("a label too few") { try row([0], [2, 3]) }
      refuses("one axis") { try row([0], [6]) }
    }
  }

  private func optimizers() {
    let d = device
    let group = { [ParameterGroup([("w", Parameter(try self.floats(2)))], learningRate: 0.1)] }
    let makes: [(String, (Float) throws -> any Optimizer)] = [
      (
        "SGD.init(device:_:momentum:nesterov:weightDecay:)", { try SGD(device: d, try group(), momentum: $0) }
      ),
      (
        "RMSprop.init(device:_:decay:momentum:eps:weightDecay:)",
        { try RMSprop(device: d, try group(), decay: $0) }
      ),
      ("Lion.init(device:_:beta1:beta2:weightDecay:)", { try Lion(device: d, try group(), beta2: $0) }),
    ]
    for (name, make) in makes {
      function(name)
      for value in [Float.nan, -1, 1, .infinity] { refuses("a share of \(value)") { try make(value) } }
    }
    function("SGD.init(device:_:momentum:nesterov:weightDecay:)")
    refuses("Nesterov's rule without a momentum") { try SGD(device: d, try group(), nesterov: true) }
    for type in ["Descent", "Optimizer"] {
      function("\(type).step(factor:)")
      for factor in [Float.nan, -1, .infinity] {
        refuses("a factor of \(factor)") { try SGD(device: d, try group()).step(factor: factor) }
      }
      works("no gradients") { try SGD(device: d, try group()).step(factor: 0) }
      function("\(type).restore(steps:)")
      for steps in [-1, Int.max, .min] {
        refuses("\(steps)") { try SGD(device: d, try group()).restore(steps: steps) }
      }
    }
  }

  private func newLayers() {
    let d = device
    let draw = { Initializer(device: d, seed: 1) }
    func call(_ module: any Module, _ shape: [Int]) throws -> Variable {
      let c = Context(device: d)
      return try withExtendedLifetime(c) {
        try module(c.variable(try self.floats(shape.reduce(1, *)).reshaped(shape)), c)
      }
    }
    function("Embedding.init(_:_:_:)")
    for (count, width) in [(0, 1), (1, 0), (-1, 1), (.max, 1), (1 << 16, 1 << 16)] {
      refuses("\(count) of \(width)") { try Embedding(count, width, draw()) }
    }
    function("Embedding.callAsFunction(_:_:)")
    refuses("floats") { try call(try Embedding(2, 2, draw()), [2]) }
    function("LayerNorm.init(_:eps:_:)")
    for (features, eps) in [(0, 0), (-1, 0), (.max, 0), (1, -1), (1, .nan)] as [(Int, Float)] {
      refuses("\(features), eps \(eps)") { try LayerNorm(features, eps: eps, draw()) }
    }
    function("LayerNorm.callAsFunction(_:_:)")
    for shape in [[], [2], [2, 2], [1, 2, 2]] {
      refuses("\(shape)") { try call(try LayerNorm(3, draw()), shape) }
    }
    function("MultiHeadAttention.init(_:heads:causal:_:)")
    for (width, heads) in [(0, 1), (4, 3), (4, 0), (4, -1), (.max, 1), (.min, 1)] {
      refuses("\(width) in \(heads)") { try MultiHeadAttention(width, heads: heads, draw()) }
    }
    for type in ["MultiHeadAttention", "TransformerEncoderBlock"] {
      let make: () throws -> any Module = {
        type == "MultiHeadAttention"
          ? try MultiHeadAttention(4, heads: 2, draw()) : try TransformerEncoderBlock(4, heads: 2, draw())
      }
      function("\(type).callAsFunction(_:_:)")
      for shape in [[4], [2, 4], [1, 2, 3]] { refuses("\(shape)") { try call(try make(), shape) } }
      function("\(type).callAsFunction(_:mask:_:)")
      refuses("a mask of other texts") {
        let c = Context(device: d)
        let (x, mask) = (
          c.variable(try self.floats(8).reshaped([1, 2, 4])), try c.variable(rows: [[1], [1]])
        )
        let layer = try TransformerEncoderBlock(4, heads: 2, draw())
        return try withExtendedLifetime(c) { try layer(x, mask: mask, c) }
      }
    }
    function("TransformerEncoderBlock.init(_:heads:hidden:activation:dropout:normFirst:causal:eps:_:)")
    for (width, hidden, dropout) in [(4, 0, 0), (3, 4, 0), (4, 4, 1), (4, 4, .nan), (.max, 4, 0)]
      as [(Int, Int, Float)]
    {
      refuses("\(width), \(hidden), \(dropout)") {
        try TransformerEncoderBlock(width, heads: 2, hidden: hidden, dropout: dropout, draw())
      }
    }
    for eps in [-1, .nan, .infinity] as [Float] {
      refuses("an eps of \(eps)") { try TransformerEncoderBlock(4, heads: 2, eps: eps, draw()) }
    }
    function("GRU.init(_:_:_:)")
    for (width, hidden) in [(0, 1), (1, 0), (-1, 1), (1, .max), (1 << 20, 1 << 20)] {
      refuses("\(width) to \(hidden)") { try GRU(width, hidden, draw()) }
    }
    function("GRU.callAsFunction(_:_:)")
    for shape in [[], [3], [1, 3], [1, 2, 2], [1, 0, 3]] {
      refuses("\(shape)") { try call(try GRU(3, 2, draw()), shape) }
    }
    function("ConvTranspose2d.init(_:_:kernel:stride:padding:outputPadding:bias:_:)")
    for (channels, kernel, stride, padding, more) in [
      (0, 1, 1, 0, 0), (1, 0, 1, 0, 0), (1, 1, 0, 0, 0), (1, 1, 1, -1, 0), (1, 1, 1, 0, 1), (1, 1, 2, 0, -1),
      (.max, 1, 1, 0, 0), (1, .max, 1, 0, 0),
    ] {
      refuses("\(channels), kernel \(kernel), stride \(stride), padding \(padding), \(more)") {
        try ConvTranspose2d(
          channels, 1, kernel: kernel, stride: stride, padding: padding, outputPadding: more, draw())
      }
    }
    function("ConvTranspose2d.callAsFunction(_:_:)")
    for shape in [[2], [1, 2, 3, 3], [1, 1, 0, 3]] {
      refuses("\(shape)") { try call(try ConvTranspose2d(1, 1, kernel: 2, draw()), shape) }
    }
    refuses("nothing left") {
      try call(try ConvTranspose2d(1, 1, kernel: 1, padding: 2, draw()), [1, 1, 2, 2])
    }
    function("Context.convTranspose2d(_:weight:bias:_:outputPadding:)")
    for (weight, bias, more) in [
      ([1, 1, 2, 2], [2], 0), ([2, 1, 2, 2], [1], 0), ([1, 1, 2], [1], 0), ([1, 1, 2, 2], [1], 1),
    ] {
      refuses("weights \(weight), a bias \(bias), \(more)") {
        let c = Context(device: d)
        return try c.convTranspose2d(
          try self.variable([1, 1, 3, 3]), weight: try self.variable(weight), bias: try self.variable(bias),
          outputPadding: more)
      }
    }
    function("AvgPool2d.init(kernel:stride:padding:)")
    for (kernel, stride) in [(0, 1), (1, 0), (-1, 1), (9, 1), (.max, 1)] {
      refuses("\(kernel) by \(stride)") { try call(AvgPool2d(kernel: kernel, stride: stride), [1, 1, 2, 2]) }
    }
    function("AvgPool2d.callAsFunction(_:_:)")
    refuses("no image") { try call(AvgPool2d(kernel: 1), [2]) }
  }

  private func modules() {
    let d = device
    function("Lambda.init(_:)")
    gives("x itself", [2]) {
      let c = Context(device: d)
      return try Lambda { x, _ in x }(try self.variable([2]), c).shape
    }
    function("Lambda.callAsFunction(_:_:)")
    refuses("what the function throws") {
      let c = Context(device: d)
      return try Lambda { x, _ in try x.transposed() }(try self.variable([2]), c)
    }
    let builders = [
      "buildBlock(_:)", "buildExpression(_:)", "buildOptional(_:)", "buildEither(first:)",
      "buildEither(second:)",
      "buildArray(_:)",
    ]
    for name in builders {
      function("ModuleBuilder.\(name)")
      gives("modules, one a line", 4) {
        let isDeep = self.folder.isEmpty
        let net = Sequential {
          Flatten()
          if isDeep { Flatten() }
          if isDeep { Flatten() } else { Activation(.relu) }
          for _ in 0..<2 { Activation(.tanh) }
        }
        return net.count
      }
    }
    function("Module.save(to:prefix:on:as:metadata:)")
    for type in [ElementType.int32, .int8, .uint8] {
      refuses("weights as \(type)") { try Flatten().save(to: self.folder + "/weights", on: d, as: type) }
    }
    refuses("no such folder") { try Flatten().save(to: "/proc/none/x", on: d) }
    function("Module.load(from:prefix:on:)")
    let layer = { try LayerNorm(2, Initializer(device: d, seed: 1)) }
    for name in ["none", "text", "empty"] {
      refuses("\(name)") { try layer().load(from: self.folder + "/" + name, on: d) }
    }
  }
}
