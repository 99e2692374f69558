// SPDX-License-Identifier: Apache-2.0
import Kernels
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
    var p = AdamParameters()
    (p.count, p.lr, p.beta1, p.beta2, p.eps, p.correction1, p.correction2) = (
      4, 0.1, 0.9, 0.999, 1e-8, 0.1, 0.001
    )
    kernel(
      "LossBackend.adam(_:gradient:parameter:firstMoment:secondMoment:)",
      [.floats(4), .out(4), .out(4), .out(4)]
    ) {
      try d.adam(p, gradient: $0[0], parameter: $0[1], firstMoment: $0[2], secondMoment: $0[3])
    }
    let call: (AdamParameters) throws -> Void = {
      try d.adam(
        $0, gradient: try self.floats(4), parameter: try self.floats(4), firstMoment: try self.floats(4),
        secondMoment: try self.floats(4))
    }
    fields(p, [("count", \.count)], [-1, 0, 5, .max, .min], call)
    numbers(
      p,
      [
        ("lr", \.lr), ("beta1", \.beta1), ("beta2", \.beta2), ("eps", \.eps),
        ("weight_decay", \.weight_decay), ("correction1", \.correction1), ("correction2", \.correction2),
      ], call)
    fields(p, [("correction1", \.correction1), ("correction2", \.correction2)], [0], call)
    fields(p, [("beta1", \.beta1), ("beta2", \.beta2)], [1], call)
  }

  /// Parameter structs: what does not fit becomes -1, which every function refuses (as the rows of the
  /// functions show).
  func parameters() {
    let huge = [1 << 31, Int.max, .min, -1]
    function("ChannelsParameters.init(outer:channels:inner:eps:)")
    for value in huge {
      gives("\(value)", [-1, -1, -1]) {
        let p = ChannelsParameters(outer: value, channels: value, inner: value)
        return [p.outer, p.channels, p.inner]
      }
    }
    gives("its count, beyond Int", Int.max) {
      ChannelsParameters(outer: 1 << 30, channels: 1 << 30, inner: 1 << 30).count
    }
    function("RowsParameters.init(rows:columns:eps:)")
    for value in huge {
      gives("\(value)", [-1, -1]) {
        let p = RowsParameters(rows: value, columns: value)
        return [p.rows, p.cols]
      }
    }
    function("AttentionParameters.init(heads:length:span:scale:)")
    for value in huge {
      gives("\(value)", [-1, -1, -1]) {
        let p = AttentionParameters(heads: value, length: value, span: value, scale: 1)
        return [p.heads, p.length, p.span]
      }
    }
    function("PackedAttentionParameters.init(tokens:heads:width:span:scale:)")
    for value in huge {
      gives("\(value)", [-1, -1]) {
        let p = PackedAttentionParameters(tokens: value, heads: value, width: 1, scale: 1)
        return [p.tokens, p.heads]
      }
    }
    function("PoolParameters.init(planes:height:width:kernel:stride:padding:)")
    for value in huge + [0] {
      gives("stride \(value)", -1) {
        PoolParameters(planes: 1, height: 3, width: 3, kernel: 2, stride: value).out_h
      }
    }
    for value in huge {
      gives("padding \(value)", -1) {
        PoolParameters(planes: 1, height: 3, width: 3, kernel: 2, stride: 1, padding: value).out_h
      }
    }
    for value in huge {
      gives("extents \(value)", [-1, -1]) {
        let p = PoolParameters(planes: value, height: value, width: 3, kernel: 2, stride: 1)
        return [p.planes, p.out_h]
      }
    }
    gives("a kernel larger than the plane", 0) {
      PoolParameters(planes: 1, height: 3, width: 3, kernel: 7, stride: 1).outputCount
    }
    function("PoolParameters.init(planes:height:width:outHeight:outWidth:)")
    for value in huge {
      gives("\(value)", [-1, -1]) {
        let p = PoolParameters(planes: 1, height: value, width: 1, outHeight: value, outWidth: 1)
        return [p.height, p.out_h]
      }
    }
    function("MatmulParameters.init(m:n:k:transposeA:transposeB:)")
    for value in huge {
      gives("\(value)", [-1, -1, -1]) {
        let p = MatmulParameters(m: value, n: value, k: value)
        return [p.m, p.n, p.k]
      }
    }
  }
}
