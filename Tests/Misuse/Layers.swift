// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

extension Rows {
  func normalization() {
    let d = device
    let p = LayerNormalization(rows: 3, columns: 4)
    let paths: [(String, WritableKeyPath<LayerNormalization, Int>)] = [
      ("rows", \.rows), ("columns", \.columns),
    ]
    kernel(
      "NormalizationBackend.layerNorm(_:_:gamma:beta:into:mean:rstd:)",
      [.floats(12), .floats(4), .floats(4), .shared(12), .out(3), .out(3)]
    ) {
      try d.layerNorm(p, $0[0], gamma: $0[1], beta: $0[2], into: $0[3], mean: $0[4], rstd: $0[5])
    }
    let layerNorm: (LayerNormalization) throws -> Void = {
      try d.layerNorm(
        $0, try self.floats(12), gamma: try self.floats(4), beta: try self.floats(4),
        into: try self.floats(12), mean: try self.floats(3), rstd: try self.floats(3))
    }
    fields(p, paths, [-1, 0, .max, .min], layerNorm)
    numbers(p, [("eps", \.eps)], layerNorm)
    kernel(
      "NormalizationBackend.layerNormGradData(_:_:gamma:mean:rstd:_:into:)",
      [.floats(12), .floats(4), .floats(3), .floats(3), .floats(12), .out(12)]
    ) {
      try d.layerNormGradData(p, $0[0], gamma: $0[1], mean: $0[2], rstd: $0[3], $0[4], into: $0[5])
    }
    fields(p, paths, [-1, 0, .max, .min]) {
      try d.layerNormGradData(
        $0, try self.floats(12), gamma: try self.floats(4), mean: try self.floats(3),
        rstd: try self.floats(3), try self.floats(12), into: try self.floats(12))
    }
    kernel(
      "NormalizationBackend.layerNormGradParameters(_:_:mean:rstd:_:gamma:beta:)",
      [.floats(12), .floats(3), .floats(3), .floats(12), .out(4), .out(4)]
    ) {
      try d.layerNormGradParameters(p, $0[0], mean: $0[1], rstd: $0[2], $0[3], gamma: $0[4], beta: $0[5])
    }
    fields(p, paths, [-1, 0, .max, .min]) {
      try d.layerNormGradParameters(
        $0, try self.floats(12), mean: try self.floats(3), rstd: try self.floats(3), try self.floats(12),
        gamma: try self.floats(4), beta: try self.floats(4))
    }
    batchNorm()
    kernel(
      "NormalizationBackend.standardize(_:mean:variance:eps:into:)",
      [.floats(4), .floats(1), .floats(1), .shared(4)]
    ) {
      try d.standardize($0[0], mean: $0[1], variance: $0[2], eps: 1, into: $0[3])
    }
    for eps in [Float.nan, -1, .infinity] {
      refuses("eps \(eps)") {
        try d.standardize(
          try self.floats(4), mean: try self.floats(1), variance: try self.floats(1), eps: eps,
          into: try self.floats(4))
      }
    }
    let r = LocalResponseNormalization(outer: 2, channels: 3, inner: 2, size: 3, alpha: 1, beta: 0.5)
    kernel("NormalizationBackend.localResponseNorm(_:_:into:scale:)", [.floats(12), .out(12), .out(12)]) {
      try d.localResponseNorm(r, $0[0], into: $0[1], scale: $0[2])
    }
    let response: (LocalResponseNormalization) throws -> Void = {
      try d.localResponseNorm($0, try self.floats(12), into: try self.floats(12), scale: try self.floats(12))
    }
    fields(
      r, [("outer", \.outer), ("channels", \.channels), ("inner", \.inner)], [-1, 0, .max, .min], response)
    fields(r, [("size", \.size)], [-1, 0, .min], response)
    numbers(r, [("alpha", \.alpha), ("k", \.k)], response)
    fields(r, [("beta", \.beta)], [.nan, .infinity], response)
    kernel(
      "NormalizationBackend.localResponseNormGrad(_:_:_:scale:into:)",
      [.floats(12), .floats(12), .floats(12), .out(12)]
    ) {
      try d.localResponseNormGrad(r, $0[0], $0[1], scale: $0[2], into: $0[3])
    }
    fields(
      r, [("outer", \.outer), ("channels", \.channels), ("inner", \.inner), ("size", \.size)], [-1, 0, .min]
    ) {
      try d.localResponseNormGrad(
        $0, try self.floats(12), try self.floats(12), scale: try self.floats(12), into: try self.floats(12))
    }
  }

  private func batchNorm() {
    let d = device
    let p = ChannelLayout(outer: 2, channels: 3, inner: 2)
    kernel("NormalizationBackend.batchNormStatistics(_:_:mean:variance:)", [.floats(12), .out(3), .out(3)]) {
      try d.batchNormStatistics(p, $0[0], mean: $0[1], variance: $0[2])
    }
    fields(p, channelFields, [-1, 0, .max, .min]) {
      try d.batchNormStatistics(
        $0, try self.floats(12), mean: try self.floats(3), variance: try self.floats(3))
    }
    refuses("of nothing") {
      try d.batchNormStatistics(
        ChannelLayout(outer: 0, channels: 3, inner: 2), try self.floats(0), mean: try self.floats(3),
        variance: try self.floats(3))
    }
    kernel(
      "NormalizationBackend.batchNorm(_:_:mean:variance:gamma:beta:into:)",
      [.floats(12), .floats(3), .floats(3), .floats(3), .floats(3), .shared(12)]
    ) {
      try d.batchNorm(p, $0[0], mean: $0[1], variance: $0[2], gamma: $0[3], beta: $0[4], into: $0[5])
    }
    let call: (ChannelLayout) throws -> Void = {
      try d.batchNorm(
        $0, try self.floats(12), mean: try self.floats(3), variance: try self.floats(3),
        gamma: try self.floats(3), beta: try self.floats(3), into: try self.floats(12))
    }
    fields(p, channelFields, [-1, 0, .max, .min], call)
    numbers(p, [("eps", \.eps)], call)
    kernel(
      "NormalizationBackend.batchNormGradParameters(_:_:mean:variance:_:gamma:beta:)",
      [.floats(12), .floats(3), .floats(3), .floats(12), .out(3), .out(3)]
    ) {
      try d.batchNormGradParameters(p, $0[0], mean: $0[1], variance: $0[2], $0[3], gamma: $0[4], beta: $0[5])
    }
    fields(p, channelFields, [-1, 0, .max, .min]) {
      try d.batchNormGradParameters(
        $0, try self.floats(12), mean: try self.floats(3), variance: try self.floats(3), try self.floats(12),
        gamma: try self.floats(3), beta: try self.floats(3))
    }
    kernel(
      "NormalizationBackend.batchNormGradData(_:_:mean:variance:gamma:gradGamma:gradBeta:_:training:into:)",
      [.floats(12)] + [Operand](repeating: .floats(3), count: 5) + [.floats(12), .out(12)]
    ) {
      try d.batchNormGradData(
        p, $0[0], mean: $0[1], variance: $0[2], gamma: $0[3], gradGamma: $0[4], gradBeta: $0[5], $0[6],
        training: true, into: $0[7])
    }
    fields(p, channelFields + [("batch", \.batch)], [-1, 0, .min]) {
      let c = try (0..<5).map { _ in try self.floats(3) }
      try d.batchNormGradData(
        $0, try self.floats(12), mean: c[0], variance: c[1], gamma: c[2], gradGamma: c[3], gradBeta: c[4],
        try self.floats(12), training: true, into: try self.floats(12))
    }
    kernel(
      "NormalizationBackend.batchNormUpdateRunning(_:momentum:mean:variance:runningMean:runningVariance:)",
      [.floats(3), .floats(3), .out(3), .out(3)]
    ) {
      try d.batchNormUpdateRunning(
        p, momentum: 0.1, mean: $0[0], variance: $0[1], runningMean: $0[2], runningVariance: $0[3])
    }
    func update(_ p: ChannelLayout, _ momentum: Float) throws -> String {
      let c = try (0..<4).map { _ in try self.floats(3) }
      try d.batchNormUpdateRunning(
        p, momentum: momentum, mean: c[0], variance: c[1], runningMean: c[2], runningVariance: c[3])
      return "nothing refused"
    }
    for momentum in [Float.nan, -0.1, 1.1, .infinity] {
      refuses("momentum \(momentum)") { try update(p, momentum) }
    }
    refuses("one value a channel, which has no unbiased variance") {
      try update(ChannelLayout(outer: 1, channels: 3, inner: 1), 0.1)
    }
    fields(p, channelFields, [-1, 0, .max, .min]) { _ = try update($0, 0.1) }
  }

  func pooling() {
    let d = device
    let p = Pooling(planes: 2, height: 3, width: 3, kernel: 2, stride: 1)
    let paths: [(String, WritableKeyPath<Pooling, Int>)] = [
      ("planes", \.planes), ("height", \.height), ("width", \.width),
      ("output.height", \.output.height), ("output.width", \.output.width),
    ]
    let windows: [(String, WritableKeyPath<Pooling, Int>)] = [
      ("kernel.height", \.kernel.height), ("kernel.width", \.kernel.width),
      ("stride.height", \.stride.height), ("stride.width", \.stride.width),
    ]
    kernel("PoolingBackend.maxPool(_:_:into:indices:)", [.floats(18), .out(8), .intsOut(8)]) {
      try d.maxPool(p, $0[0], into: $0[1], indices: $0[2])
    }
    let maximum: (Pooling) throws -> Void = {
      try d.maxPool($0, try self.floats(18), into: try self.floats(8), indices: try self.ints(8))
    }
    fields(p, paths, [-1, 0, .max, .min], maximum)
    fields(p, windows, [-1, 0, .min], maximum)
    fields(
      p, [("padding.height", \.padding.height), ("padding.width", \.padding.width)], [-1, 2, .max, .min],
      maximum)
    kernel("PoolingBackend.maxPoolGrad(_:_:indices:into:)", [.floats(8), .ints(8), .out(18)]) {
      try d.maxPoolGrad(p, $0[0], indices: $0[1], into: $0[2])
    }
    fields(p, paths + windows, [-1, 0, .min]) {
      try d.maxPoolGrad($0, try self.floats(8), indices: try self.ints(8), into: try self.floats(18))
    }
    kernel("PoolingBackend.averagePool(_:_:into:)", [.floats(18), .out(8)]) {
      try d.averagePool(p, $0[0], into: $0[1])
    }
    fields(p, paths + windows, [-1, 0, .min]) {
      try d.averagePool($0, try self.floats(18), into: try self.floats(8))
    }
    kernel("PoolingBackend.averagePoolGrad(_:_:into:)", [.floats(8), .out(18)]) {
      try d.averagePoolGrad(p, $0[0], into: $0[1])
    }
    fields(p, paths + windows, [-1, 0, .min]) {
      try d.averagePoolGrad($0, try self.floats(8), into: try self.floats(18))
    }
    let a = Pooling(planes: 2, height: 3, width: 3, outHeight: 2, outWidth: 2)
    kernel("PoolingBackend.adaptiveAveragePool(_:_:into:)", [.floats(18), .out(8)]) {
      try d.adaptiveAveragePool(a, $0[0], into: $0[1])
    }
    fields(a, paths, [-1, 0, .max, .min]) {
      try d.adaptiveAveragePool($0, try self.floats(18), into: try self.floats(8))
    }
    refuses("of planes without a pixel") {
      try d.adaptiveAveragePool(
        Pooling(planes: 1, height: 0, width: 0, outHeight: 1, outWidth: 1), try self.floats(0),
        into: try self.floats(1))
    }
    refuses("windows of an adaptive pooling") {
      try d.adaptiveAveragePool(p, try self.floats(18), into: try self.floats(8))
      return "nothing refused"
    }
    kernel("PoolingBackend.adaptiveAveragePoolGrad(_:_:into:)", [.floats(8), .out(18)]) {
      try d.adaptiveAveragePoolGrad(a, $0[0], into: $0[1])
    }
    fields(a, paths, [-1, 0, .max, .min]) {
      try d.adaptiveAveragePoolGrad($0, try self.floats(8), into: try self.floats(18))
    }
    kernel("PoolingBackend.upsampleNearest(planes:height:width:scale:_:into:)", [.floats(4), .out(16)]) {
      try d.upsampleNearest(planes: 1, height: 2, width: 2, scale: 2, $0[0], into: $0[1])
    }
    extents(4) {
      try d.upsampleNearest(
        planes: $0[0], height: $0[1], width: $0[2], scale: $0[3], try self.floats(4), into: try self.floats(4)
      )
    }
    refuses("scale 0") {
      try d.upsampleNearest(
        planes: 1, height: 2, width: 2, scale: 0, try self.floats(4), into: try self.floats(0))
    }
    kernel("PoolingBackend.upsampleNearestGrad(planes:height:width:scale:_:into:)", [.floats(16), .out(4)]) {
      try d.upsampleNearestGrad(planes: 1, height: 2, width: 2, scale: 2, $0[0], into: $0[1])
    }
    extents(4) {
      try d.upsampleNearestGrad(
        planes: $0[0], height: $0[1], width: $0[2], scale: $0[3], try self.floats(4), into: try self.floats(4)
      )
    }
  }
}
