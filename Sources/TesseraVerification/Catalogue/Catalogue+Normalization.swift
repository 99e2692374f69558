// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

extension Catalogue {
  /// Layer norm, batch norm and z-normalisation, with gradients.
  @_optimize(none)
  static var normalizationCases: [CatalogueCase] {
    let rows = [
      (1, 1), (3, 63), (2, 64), (9, 65), (5, 384), (17, 7), (2, 17), (2, 33), (2, 113), (9, 127), (2, 1025),
      (1, 3100),
      (300, 5),
    ].map {
      layerNorm($0, $1)
    }
    let channels = [
      (1, 1, 2), (2, 3, 4), (8, 2, 64), (9, 5, 65), (20, 3, 49), (17, 7, 1), (8, 2, 129), (9, 1, 1111),
      (300, 2, 3),
    ]
    .flatMap { [batchNorm($0, $1, $2, training: true), batchNorm($0, $1, $2, training: false)] }
    let standardize = [1, 63, 1000].map { count in
      CatalogueCase("standardize", "\(count)") { device in
        var inputs = CaseInputs(seed: 53)
        let x = try device.tensor(inputs.floats(count, 0, 2), [count])
        let mean = try device.tensor([Float(0.75)], [1])
        let variance = try device.tensor([Float(0.01)], [1])
        let y = try device.empty(count)
        try device.standardize(x, mean: mean, variance: variance, eps: 1e-8, into: y)
        return [try device.output("y", y)]
      }
    }
    let responses = [(1, 1, 1, 5), (2, 7, 65, 5), (1, 96, 9, 5), (3, 4, 64, 2), (2, 3, 63, 9), (0, 4, 4, 5)]
    let parts = [batchNorm(8, 3, 5, training: true, batch: 21), batchNorm(0, 3, 5, training: true, batch: 8)]
    return rows + channels + parts + standardize + responses.map { responseNorm($0) }
  }

  static func layerNorm(_ rows: Int, _ columns: Int) -> CatalogueCase {
    CatalogueCase("layerNorm", "\(rows)x\(columns) with gradients") { device in
      var inputs = CaseInputs(seed: 51)
      let p = LayerNormalization(rows: rows, columns: columns, eps: 1e-12)
      let x = try device.tensor(inputs.floats(rows * columns, -2, 3), [rows, columns])
      let gamma = try device.tensor(inputs.floats(columns), [columns])
      let beta = try device.tensor(inputs.floats(columns), [columns])
      let dy = try device.tensor(inputs.floats(rows * columns), [rows, columns])
      let y = try device.empty(rows, columns)
      let dx = try device.empty(rows, columns)
      let mean = try device.empty(rows)
      let rstd = try device.empty(rows)
      let gradGamma = try device.empty(columns)
      let gradBeta = try device.empty(columns)
      try device.layerNorm(p, x, gamma: gamma, beta: beta, into: y, mean: mean, rstd: rstd)
      try device.layerNormGradData(p, x, gamma: gamma, mean: mean, rstd: rstd, dy, into: dx)
      try device.layerNormGradParameters(
        p, x, mean: mean, rstd: rstd, dy, gamma: gradGamma, beta: gradBeta)
      return [
        try device.output("y", y), try device.output("mean", mean), try device.output("rstd", rstd),
        try device.output("dx", dx), try device.output("dgamma", gradGamma),
        try device.output("dbeta", gradBeta),
      ]
    }
  }

  @inline(never)
  static func batchNorm(
    _ outer: Int, _ channels: Int, _ inner: Int, training: Bool, batch: Int? = nil
  ) -> CatalogueCase {
    let label =
      "\(outer)x\(channels)x\(inner) \(training ? "training" : "evaluation")"
      + (batch.map { " of \($0)" } ?? "")
    return CatalogueCase("batchNorm", label) { device in
      var inputs = CaseInputs(seed: 52)
      var p = ChannelLayout(outer: outer, channels: channels, inner: inner)
      p.batch = batch ?? outer
      let x = try device.tensor(inputs.floats(p.count, -1, 4), [p.count])
      let gamma = try device.tensor(inputs.floats(channels), [channels])
      let beta = try device.tensor(inputs.floats(channels), [channels])
      let dy = try device.tensor(inputs.floats(p.count), [p.count])
      let runningMean = try device.tensor(inputs.floats(channels), [channels])
      let runningVariance = try device.tensor(inputs.floats(channels, 0.5, 2), [channels])
      var mean = runningMean
      var variance = runningVariance
      if training, outer > 0 {
        mean = try device.empty(channels)
        variance = try device.empty(channels)
        try device.batchNormStatistics(p, x, mean: mean, variance: variance)
        try device.batchNormUpdateRunning(
          p, momentum: 0.1, mean: mean, variance: variance, runningMean: runningMean,
          runningVariance: runningVariance)
      }
      let y = try device.empty(p.count)
      let dx = try device.empty(p.count)
      let gradGamma = try device.empty(channels)
      let gradBeta = try device.empty(channels)
      try device.batchNorm(p, x, mean: mean, variance: variance, gamma: gamma, beta: beta, into: y)
      try device.batchNormGradParameters(
        p, x, mean: mean, variance: variance, dy, gamma: gradGamma, beta: gradBeta)
      try device.batchNormGradData(
        p, x, mean: mean, variance: variance, gamma: gamma, gradGamma: gradGamma, gradBeta: gradBeta, dy,
        training: training, into: dx)
      return [
        try device.output("mean", mean), try device.output("variance", variance),
        try device.output("running mean", runningMean),
        try device.output("running variance", runningVariance), try device.output("y", y),
        try device.output("dgamma", gradGamma), try device.output("dbeta", gradBeta),
        try device.output("dx", dx),
      ]
    }
  }

  static func responseNorm(_ shape: (Int, Int, Int, Int)) -> CatalogueCase {
    let (outer, channels, inner, size) = shape
    return CatalogueCase("localResponseNorm", "\(outer)x\(channels)x\(inner) size \(size)") { device in
      var inputs = CaseInputs(seed: 54)
      let p = LocalResponseNormalization(
        outer: outer, channels: channels, inner: inner, size: size, alpha: 0.5, beta: 0.75, k: 1)
      let count = outer * channels * inner
      let x = try device.tensor(inputs.floats(count, -3, 3), [count])
      let dy = try device.tensor(inputs.floats(count), [count])
      let (y, scale, dx) = (try device.empty(count), try device.empty(count), try device.empty(count))
      try device.localResponseNorm(p, x, into: y, scale: scale)
      try device.localResponseNormGrad(p, x, dy, scale: scale, into: dx)
      return [
        try device.output("y", y), try device.output("scale", scale), try device.output("dx", dx),
      ]
    }
  }
}
