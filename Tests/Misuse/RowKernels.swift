// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

extension Rows {
  func maps() {
    let d = device
    kernel("MapBackend.unary(_:_:alpha:beta:into:)", [.floats(4), .shared(4)]) {
      try d.unary(.gelu, $0[0], alpha: 0, beta: 0, into: $0[1])
    }
    gives("log of -1 and of NaN", [true, true]) {
      let x = try d.tensor([-1, .nan] as [Float], [2])
      try d.unary(.log, x, alpha: 0, beta: 0, into: x)
      return try d.floats(x).map(\.isNaN)
    }
    kernel("MapBackend.unaryGrad(_:_:_:into:)", [.floats(4), .floats(4), .shared(4)]) {
      try d.unaryGrad(.tanh, $0[0], $0[1], into: $0[2])
    }
    for op in UnaryOperation.allCases where !op.hasGradient {
      refuses("\(op)") {
        try d.unaryGrad(op, try self.floats(2), try self.floats(2), into: try self.floats(2))
      }
    }
    kernel("MapBackend.binary(_:_:_:into:)", [.floats(4), .floats(4), .shared(4)]) {
      try d.binary(.maximum, $0[0], $0[1], into: $0[2])
    }
    gives("division by 0", [true, true]) {
      let (a, b) = (try d.tensor([1, 0] as [Float], [2]), try d.tensor([0, 0] as [Float], [2]))
      try d.binary(.divide, a, b, into: a)
      let y = try d.floats(a)
      return [y[0] == .infinity, y[1].isNaN]
    }
    let p = ChannelLayout(outer: 2, channels: 3, inner: 2)
    kernel("MapBackend.binaryChannels(_:_:_:_:into:)", [.floats(12), .floats(3), .shared(12)]) {
      try d.binaryChannels(.add, p, $0[0], $0[1], into: $0[2])
    }
    fields(p, channelFields, [-1, 0, .max, .min]) {
      try d.binaryChannels(.add, $0, try self.floats(12), try self.floats(3), into: try self.floats(12))
    }
  }

  var channelFields: [(String, WritableKeyPath<ChannelLayout, Int>)] {
    [("outer", \.outer), ("channels", \.channels), ("inner", \.inner)]
  }

  func rowKernels() {
    let d = device
    for (name, call) in [
      ("rowSum", { try d.rowSum($0, rows: $1, columns: $2, into: $3) }),
      ("rowMax", { try d.rowMax($0, rows: $1, columns: $2, into: $3) }),
    ] as [(String, (Tensor, Int, Int, Tensor) throws -> Void)] {
      kernel("ReductionBackend.\(name)(_:rows:columns:into:)", [.floats(12), .out(3)]) {
        try call($0[0], 3, 4, $0[1])
      }
      extents(2) { try call(try self.floats(12), $0[0], $0[1], try self.floats(1)) }
    }
    gives("a NaN, passed over", 1 as Float) {
      let y = try self.floats(1)
      try d.rowMax(try d.tensor([1, .nan] as [Float], [2]), rows: 1, columns: 2, into: y)
      return try d.floats(y)[0]
    }
    refuses("rows of nothing") {
      try d.rowMax(try self.floats(0), rows: 2, columns: 0, into: try self.floats(2))
    }
    kernel("ReductionBackend.rowArgmax(_:rows:columns:into:)", [.floats(12), .intsOut(3)]) {
      try d.rowArgmax($0[0], rows: 3, columns: 4, into: $0[1])
    }
    extents(2) { try d.rowArgmax(try self.floats(12), rows: $0[0], columns: $0[1], into: try self.ints(1)) }
    refuses("rows of nothing") {
      try d.rowArgmax(try self.floats(0), rows: 2, columns: 0, into: try self.ints(2))
    }
    let p = ChannelLayout(outer: 2, channels: 3, inner: 2)
    kernel("ReductionBackend.channelSum(_:_:into:)", [.floats(12), .out(3)]) {
      try d.channelSum(p, $0[0], into: $0[1])
    }
    fields(p, channelFields, [-1, 0, .max, .min]) {
      try d.channelSum($0, try self.floats(12), into: try self.floats(3))
    }
    kernel("ReductionBackend.moments(_:samples:inner:mean:variance:)", [.floats(12), .out(1), .out(1)]) {
      try d.moments($0[0], samples: 3, inner: 4, mean: $0[1], variance: $0[2])
    }
    extents(2) {
      try d.moments(
        try self.floats(12), samples: $0[0], inner: $0[1], mean: try self.floats(1),
        variance: try self.floats(1))
    }
    refuses("of nothing") {
      try d.moments(
        try self.floats(0), samples: 0, inner: 3, mean: try self.floats(1), variance: try self.floats(1))
    }
    softmax()
    losses()
  }

  private func softmax() {
    let d = device
    kernel("SoftmaxBackend.softmax(_:rows:columns:scale:into:)", [.floats(12), .shared(12)]) {
      try d.softmax($0[0], rows: 3, columns: 4, scale: 1, into: $0[1])
    }
    extents(2) {
      try d.softmax(try self.floats(12), rows: $0[0], columns: $0[1], scale: 1, into: try self.floats(12))
    }
    for scale in [Float.nan, .infinity] {
      refuses("scale \(scale)") {
        try d.softmax(try self.floats(4), rows: 1, columns: 4, scale: scale, into: try self.floats(4))
      }
    }
    kernel("SoftmaxBackend.logSoftmax(_:rows:columns:into:)", [.floats(12), .out(12)]) {
      try d.logSoftmax($0[0], rows: 3, columns: 4, into: $0[1])
    }
    extents(2) {
      try d.logSoftmax(try self.floats(12), rows: $0[0], columns: $0[1], into: try self.floats(12))
    }
    kernel("SoftmaxBackend.softmaxGrad(_:_:rows:columns:scale:into:)", [.floats(12), .floats(12), .out(12)]) {
      try d.softmaxGrad($0[0], $0[1], rows: 3, columns: 4, scale: 1, into: $0[2])
    }
    extents(2) {
      try d.softmaxGrad(
        try self.floats(12), try self.floats(12), rows: $0[0], columns: $0[1], scale: 1,
        into: try self.floats(12))
    }
    refuses("scale NaN") {
      try d.softmaxGrad(
        try self.floats(4), try self.floats(4), rows: 1, columns: 4, scale: .nan, into: try self.floats(4))
    }
    kernel("SoftmaxBackend.logSoftmaxGrad(_:_:rows:columns:into:)", [.floats(12), .floats(12), .out(12)]) {
      try d.logSoftmaxGrad($0[0], $0[1], rows: 3, columns: 4, into: $0[2])
    }
    extents(2) {
      try d.logSoftmaxGrad(
        try self.floats(12), try self.floats(12), rows: $0[0], columns: $0[1], into: try self.floats(12))
    }
    let p = AttentionScores(heads: 2, length: 2, span: 2, scale: 1)
    kernel("SoftmaxBackend.distanceSoftmax(_:_:bias:into:)", [.floats(8), .floats(6), .shared(8)]) {
      try d.distanceSoftmax(p, $0[0], bias: $0[1], into: $0[2])
    }
    fields(p, [("heads", \.heads), ("length", \.length), ("span", \.span)], [-1, 0, .max, .min]) {
      try d.distanceSoftmax($0, try self.floats(8), bias: try self.floats(6), into: try self.floats(8))
    }
    fields(p, [("scale", \.scale)], [.nan, .infinity]) {
      try d.distanceSoftmax($0, try self.floats(8), bias: try self.floats(6), into: try self.floats(8))
    }
    refuses("an output in the bias's memory") {
      let bias = try self.floats(3)
      try d.distanceSoftmax(
        AttentionScores(heads: 1, length: 1, span: 2, scale: 1), try self.floats(1), bias: bias,
        into: bias)
    }
  }

  private func losses() {
    let d = device
    kernel(
      "LossBackend.crossEntropy(_:labels:rows:classes:smoothing:into:)", [.floats(12), .ints(3), .out(3)]
    ) {
      try d.crossEntropy($0[0], labels: $0[1], rows: 3, classes: 4, smoothing: 0.1, into: $0[2])
    }
    extents(2) {
      try d.crossEntropy(
        try self.floats(12), labels: try self.ints(1), rows: $0[0], classes: $0[1], smoothing: 0,
        into: try self.floats(1))
    }
    for label in [-1, 4, Int32.max, .min] {
      refuses("label \(label) of 4") {
        try d.crossEntropy(
          try self.floats(4), labels: try d.tensor([label], [1]), rows: 1, classes: 4, smoothing: 0,
          into: try self.floats(1))
      }
      refuses("label \(label) that was written later") {
        let labels = try self.ints(1)
        try [label].withUnsafeBytes { try d.upload($0, to: labels, offset: 0) }
        try d.crossEntropy(
          try self.floats(4), labels: labels, rows: 1, classes: 4, smoothing: 0, into: try self.floats(1))
      }
      refuses("label \(label) that was copied") {
        let labels = try self.ints(1)
        try d.copy(try d.tensor([label], [1]), to: labels)
        try d.crossEntropy(
          try self.floats(4), labels: labels, rows: 1, classes: 4, smoothing: 0, into: try self.floats(1))
      }
    }
    refuses("a label that a kernel computed") {
      let labels = try self.ints(1)
      try d.rowArgmax(try d.tensor([0, 0, 9] as [Float], [3]), rows: 1, columns: 3, into: labels)
      try d.crossEntropy(
        try self.floats(2), labels: labels, rows: 1, classes: 2, smoothing: 0, into: try self.floats(1))
    }
    for smoothing in [Float.nan, -0.1, 1.5, .infinity] {
      refuses("smoothing \(smoothing)") {
        try d.crossEntropy(
          try self.floats(4), labels: try self.ints(1), rows: 1, classes: 4, smoothing: smoothing,
          into: try self.floats(1))
      }
    }
    refuses("no classes") {
      try d.crossEntropy(
        try self.floats(0), labels: try self.ints(1), rows: 1, classes: 0, smoothing: 0,
        into: try self.floats(1))
    }
    kernel("LossBackend.crossEntropy(_:labels:rows:classes:into:)", [.floats(12), .ints(3), .out(3)]) {
      try d.crossEntropy($0[0], labels: $0[1], rows: 3, classes: 4, into: $0[2])
    }
    kernel(
      "LossBackend.crossEntropyGrad(_:labels:rows:classes:smoothing:batch:into:)",
      [.floats(12), .ints(3), .out(12)]
    ) {
      try d.crossEntropyGrad($0[0], labels: $0[1], rows: 3, classes: 4, smoothing: 0.1, batch: 3, into: $0[2])
    }
    for batch in [0, -1, 2, .max, .min] {
      refuses("3 rows of a batch of \(batch)") {
        try d.crossEntropyGrad(
          try self.floats(12), labels: try self.ints(3), rows: 3, classes: 4, smoothing: 0, batch: batch,
          into: try self.floats(12))
      }
    }
    refuses("a label that is none") {
      try d.crossEntropyGrad(
        try self.floats(4), labels: try d.tensor([4] as [Int32], [1]), rows: 1, classes: 4, smoothing: 0,
        batch: 1, into: try self.floats(4))
    }
    extents(2) {
      try d.crossEntropyGrad(
        try self.floats(12), labels: try self.ints(1), rows: $0[0], classes: $0[1], smoothing: 0, batch: 9,
        into: try self.floats(12))
    }
    kernel("LossBackend.crossEntropyGrad(_:labels:rows:classes:into:)", [.floats(12), .ints(3), .out(12)]) {
      try d.crossEntropyGrad($0[0], labels: $0[1], rows: 3, classes: 4, into: $0[2])
    }
  }
}
