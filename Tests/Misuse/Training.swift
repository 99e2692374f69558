// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

extension Rows {
  func training() {
    let d = device
    let stream = RandomStream(seed: 1, stream: 2)
    kernel("RandomBackend.randomUniform(_:low:high:into:)", [.out(4)], atLeast: true) {
      try d.randomUniform(stream, low: 0, high: 1, into: $0[0])
    }
    removeLast { $0.what.contains("empty") || $0.what.contains("an element less") }
    for (low, high) in [(1, 0), (.nan, 1), (0, .nan), (0, .infinity), (-.infinity, 0), (-3e38, 3e38)]
      as [(Float, Float)]
    {
      refuses("\(low) to \(high)") {
        try d.randomUniform(stream, low: low, high: high, into: try self.floats(4))
      }
    }
    for first in [-4, 1, 3, Int.max, .min, 1 << 34] {
      refuses("a first number \(first)") {
        var s = stream
        s.first = first
        try d.randomUniform(s, low: 0, high: 1, into: try self.floats(4))
        return "nothing refused"
      }
    }
    kernel("RandomBackend.randomNormal(_:mean:deviation:into:)", [.out(4)], atLeast: true) {
      try d.randomNormal(stream, mean: 0, deviation: 1, into: $0[0])
    }
    removeLast { $0.what.contains("empty") || $0.what.contains("an element less") }
    for (mean, deviation) in [(.nan, 1), (0, .nan), (0, -1), (.infinity, 1), (0, .infinity)]
      as [(Float, Float)]
    {
      refuses("mean \(mean), deviation \(deviation)") {
        try d.randomNormal(stream, mean: mean, deviation: deviation, into: try self.floats(4))
      }
    }
    kernel("RandomBackend.dropout(_:rate:_:into:)", [.floats(4), .shared(4)]) {
      try d.dropout(stream, rate: 0.5, $0[0], into: $0[1])
    }
    for rate in [Float.nan, -0.1, 1, 2, .infinity] {
      refuses("rate \(rate)") {
        try d.dropout(stream, rate: rate, try self.floats(4), into: try self.floats(4))
      }
    }
    kernel("RandomBackend.gatherRows(_:ids:columns:into:)", [.floats(6), .ints(2), .out(4)]) {
      try d.gatherRows($0[0], ids: $0[1], columns: 2, into: $0[2])
    }
    removeLast { $0.what == "operand 0: an element more" }
    for columns in [-1, 0, 4, .max, .min] {
      refuses("\(columns) columns") {
        try d.gatherRows(
          try self.floats(6), ids: try self.ints(2), columns: columns, into: try self.floats(4))
      }
    }
    for id in [-1, 3, Int32.max, .min] {
      refuses("row \(id) of 3") {
        try d.gatherRows(
          try self.floats(6), ids: try d.tensor([0, id], [2]), columns: 2, into: try self.floats(4))
      }
    }
    kernel(
      "RandomBackend.gatherRowsGrad(_:ids:columns:group:into:)", [.floats(4), .ints(2), .out(6)]
    ) { try d.gatherRowsGrad($0[0], ids: $0[1], columns: 2, group: 8, into: $0[2]) }
    for (columns, group) in [(-1, 1), (0, 1), (4, 1), (.max, 1), (2, 0), (2, -1), (2, .max)] {
      refuses("\(columns) columns in groups of \(group)") {
        try d.gatherRowsGrad(
          try self.floats(4), ids: try self.ints(2), columns: columns, group: group, into: try self.floats(6))
      }
    }
    gives("ids outside add nothing", [0, 0] as [Float]) {
      let table = try self.floats(2)
      try d.gatherRowsGrad(
        try self.floats(2), ids: try d.tensor([-1, 9] as [Int32]), columns: 1, group: 8, into: table)
      return try d.floats(table)
    }
    function("RandomStream.init(seed:stream:)")
    gives("any numbers", 0) { RandomStream(seed: .max, stream: .max).first }
    function("RandomStream.words(_:)")
    for count in [-1, Int.max, .min, 1 << 31] { refuses("\(count) words") { try stream.words(count) } }
    gives("none", []) { try stream.words(0) }
    function("RandomStream.shuffled(_:)")
    gives("nothing", []) { try stream.shuffled([Int]()) }
    adam()
  }

  private func adam() {
    let d = device
    let p = AdamStep(count: 4, learningRate: 0.1)
    kernel(
      "LossBackend.adam(_:gradient:parameter:firstMoment:secondMoment:)",
      [.floats(4), .out(4), .out(4), .out(4)]
    ) {
      try d.adam(p, gradient: $0[0], parameter: $0[1], firstMoment: $0[2], secondMoment: $0[3])
    }
    let call: (AdamStep) throws -> Void = {
      try d.adam(
        $0, gradient: try self.floats(4), parameter: try self.floats(4), firstMoment: try self.floats(4),
        secondMoment: try self.floats(4))
    }
    fields(p, [("count", \.count)], [-1, 0, 5, .max, .min], call)
    numbers(
      p,
      [
        ("learningRate", \.learningRate), ("beta1", \.beta1), ("beta2", \.beta2), ("eps", \.eps),
        ("weightDecay", \.weightDecay), ("correction1", \.correction1), ("correction2", \.correction2),
      ], call)
    fields(p, [("correction1", \.correction1), ("correction2", \.correction2)], [0], call)
    fields(p, [("beta1", \.beta1), ("beta2", \.beta2)], [1], call)
  }

  /// Parameter structs hold any numbers: what makes no sense, every function refuses (as the rows of the
  /// functions show), and counts neither trap nor overflow.
  func parameters() {
    let huge = [1 << 31, Int.max, .min, -1]
    function("AdamStep.init(count:learningRate:beta1:beta2:eps:weightDecay:)")
    gives("the corrections of step 1", [0.5, 0.25]) {
      let p = AdamStep(count: 1, learningRate: 1, beta1: 0.5, beta2: 0.75)
      return [p.correction1, p.correction2]
    }
    function("ChannelLayout.init(outer:channels:inner:eps:)")
    for value in huge {
      gives("\(value)", value) { ChannelLayout(outer: value, channels: 1, inner: 1).batch }
    }
    gives("its count, beyond Int", Int.max) {
      ChannelLayout(outer: 1 << 30, channels: 1 << 30, inner: 1 << 30).count
    }
    gives("its count, of nothing", 0) { ChannelLayout(outer: 1 << 40, channels: 0, inner: 1 << 40).count }
    gives("its count, of less than nothing", -1) { ChannelLayout(outer: 1, channels: .min, inner: -1).count }
    function("LayerNormalization.init(rows:columns:eps:)")
    for value in huge { gives("\(value)", value) { LayerNormalization(rows: value, columns: value).rows } }
    function("LocalResponseNormalization.init(outer:channels:inner:size:alpha:beta:k:)")
    for value in huge {
      gives("\(value)", value) {
        LocalResponseNormalization(outer: value, channels: value, inner: value, size: value).size
      }
    }
    function("AttentionScores.init(heads:length:span:scale:)")
    for value in huge {
      gives("\(value)", value) { AttentionScores(heads: value, length: value, span: value, scale: 1).span }
    }
    function("PackedAttention.init(tokens:heads:width:span:scale:)")
    for value in huge {
      gives("\(value)", value) { PackedAttention(tokens: value, heads: value, width: 1, scale: 1).tokens }
    }
    function("Size2D.init(_:)")
    gives("both", [3, 3]) { [Size2D(3).height, Size2D(3).width] }
    function("Size2D.init(height:width:)")
    gives("each", "3x5") { Size2D(height: 3, width: 5).description }
    function("Pooling.init(planes:height:width:kernel:stride:padding:)")
    for value in huge + [0] {
      gives("stride \(value)", -1) {
        Pooling(planes: 1, height: 3, width: 3, kernel: 2, stride: value).output.height
      }
    }
    for value in huge {
      gives("padding \(value)", -1) {
        Pooling(planes: 1, height: 3, width: 3, kernel: 2, stride: 1, padding: value).output.height
      }
    }
    for value in huge {
      gives("extents \(value)", -1) {
        Pooling(planes: value, height: value, width: 3, kernel: 2, stride: 1).output.height
      }
    }
    gives("a kernel larger than the plane", 0) {
      Pooling(planes: 1, height: 3, width: 3, kernel: 7, stride: 1).outputCount
    }
    function("Pooling.init(planes:height:width:outHeight:outWidth:)")
    for value in huge {
      gives("\(value)", value) {
        Pooling(planes: 1, height: value, width: 1, outHeight: value, outWidth: 1).output.height
      }
    }
    function("Matmul.init(m:n:k:transposeA:transposeB:)")
    for value in huge { gives("\(value)", value) { Matmul(m: value, n: value, k: value).c.rowStride } }
  }
}
