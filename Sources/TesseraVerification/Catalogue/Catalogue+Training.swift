// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

extension Catalogue {
  /// Losses and optimiser steps.
  static var lossCases: [CatalogueCase] {
    let shapes: [(Int, Int, Float)] = [
      (0, 2, 0), (1, 2, 0), (9, 2, 0), (5, 63, 0), (4, 65, 0), (33, 10, 0), (1, 2, 0.1), (7, 64, 0.25),
    ]
    return shapes.map { crossEntropy($0, $1, smoothing: $2) }
      + [crossEntropy(9, 5, smoothing: 0, outside: true), crossEntropy(9, 5, smoothing: 0.1, outside: true)]
      + [crossEntropy(8, 3, smoothing: 0, batch: 21)] + [0, 1, 17, 1000].map { adam($0) }
      + [0, 1, 17, 1000].flatMap { [sgd($0), sgd($0, nesterov: true), rmsprop($0), lion($0), blend($0)] }
  }

  /// `outside`: with labels below 0 and beyond the classes, by one and by far.
  @inline(never)
  static func crossEntropy(
    _ rows: Int, _ classes: Int, smoothing: Float, outside: Bool = false, batch: Int? = nil
  ) -> CatalogueCase {
    let label =
      "\(rows)x\(classes) smoothing \(smoothing) with gradient\(outside ? ", labels outside" : "")"
      + (batch.map { " of \($0)" } ?? "")
    return CatalogueCase("crossEntropy", label) { device in
      var inputs = CaseInputs(seed: 71)
      let logits = try device.tensor(inputs.floats(rows * classes, -12, 12), [rows, classes])
      var ids = inputs.ints(rows, below: classes)
      if outside {
        for (row, id) in [-1, Int32(classes), .min, .max].enumerated() where row < rows { ids[row] = id }
      }
      let labels = try device.tensor(ids, [rows])
      if outside { labels.assumeGood() }
      let losses = try device.empty(rows)
      let gradient = try device.empty(rows, classes)
      try device.crossEntropy(
        logits, labels: labels, rows: rows, classes: classes, smoothing: smoothing, into: losses)
      try device.crossEntropyGrad(
        logits, labels: labels, rows: rows, classes: classes, smoothing: smoothing, batch: batch ?? rows,
        into: gradient)
      return [try device.output("losses", losses), try device.output("dlogits", gradient)]
    }
  }

  static func adam(_ count: Int) -> CatalogueCase {
    CatalogueCase("adam", "\(count), 3 steps") { device in
      var inputs = CaseInputs(seed: 72)
      let parameter = try device.tensor(inputs.floats(count), [count])
      let first = try device.tensor([Float](repeating: 0, count: count), [count])
      let second = try device.tensor([Float](repeating: 0, count: count), [count])
      var p = AdamStep(count: count, learningRate: 1e-3, weightDecay: 0.01)
      var (power1, power2) = (1.0, 1.0)
      for _ in 0..<3 {
        (power1, power2) = (power1 * 0.9, power2 * 0.999)
        (p.correction1, p.correction2) = (Float(1 - power1), Float(1 - power2))
        let gradient = try device.tensor(inputs.floats(count, -0.1, 0.1), [count])
        try device.adam(
          p, gradient: gradient, parameter: parameter, firstMoment: first, secondMoment: second)
      }
      return [
        try device.output("parameter", parameter), try device.output("m", first),
        try device.output("v", second),
      ]
    }
  }
}
