extension Catalogue {
  /// Losses and optimiser steps.
  static var lossCases: [CatalogueCase] {
    let shapes: [(Int, Int, Float)] = [
      (0, 2, 0), (1, 2, 0), (9, 2, 0), (5, 63, 0), (4, 65, 0), (33, 10, 0), (1, 2, 0.1), (7, 64, 0.25),
    ]
    let losses = shapes.map { rows, classes, smoothing in
      CatalogueCase("crossEntropy", "\(rows)x\(classes) smoothing \(smoothing) with gradient") { device in
        var inputs = CaseInputs(seed: 71)
        let logits = try device.tensor(inputs.floats(rows * classes, -12, 12), [rows, classes])
        let labels = try device.tensor(inputs.ints(rows, below: classes), [rows])
        let losses = try device.empty(rows)
        let gradient = try device.empty(rows, classes)
        try device.crossEntropy(
          logits, labels: labels, rows: rows, classes: classes, smoothing: smoothing, into: losses)
        try device.crossEntropyGrad(
          logits, labels: labels, rows: rows, classes: classes, smoothing: smoothing, into: gradient)
        return [try device.output("losses", losses), try device.output("dlogits", gradient)]
      }
    }
    let adam = [0, 1, 17, 1000].map { count in
      CatalogueCase("adam", "\(count), 3 steps") { device in
        var inputs = CaseInputs(seed: 72)
        let parameter = try device.tensor(inputs.floats(count), [count])
        let first = try device.tensor([Float](repeating: 0, count: count), [count])
        let second = try device.tensor([Float](repeating: 0, count: count), [count])
        var p = AdamParameters()
        (p.lr, p.beta1, p.beta2, p.eps, p.weight_decay) = (1e-3, 0.9, 0.999, 1e-8, 0.01)
        p.count = Int32(count)
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
    return losses + adam
  }

  /// Random numbers, dropout and gathers.
  static var randomCases: [CatalogueCase] {
    let stream = RandomStream(seed: 0x1234_5678_9abc_def0, stream: 0x1_0000_0007)
    let counts = [0, 1, 2, 3, 4, 5, 63, 1025].flatMap { count in
      [
        CatalogueCase("randomUniform", "\(count)") { device in
          let y = try device.empty(count)
          try device.randomUniform(stream, low: -2, high: 3, into: y)
          return [try device.output("y", y)]
        },
        CatalogueCase("randomNormal", "\(count)") { device in
          let y = try device.empty(count)
          try device.randomNormal(stream, mean: 0.5, deviation: 1e-4, into: y)
          return [try device.output("y", y)]
        },
        CatalogueCase("dropout", "\(count)") { device in
          var inputs = CaseInputs(seed: 81)
          let x = try device.tensor(inputs.floats(count), [count])
          let y = try device.empty(count)
          try device.dropout(stream, rate: 0.3, x, into: y)
          return [try device.output("y", y)]
        },
      ]
    }
    let gathers = [(5, 1, 1), (11, 7, 3), (100, 9, 384), (3, 0, 5)].map { entries, rows, columns in
      CatalogueCase("gatherRows", "\(rows) of \(entries)x\(columns)") { device in
        var inputs = CaseInputs(seed: 82)
        let table = try device.tensor(inputs.floats(entries * columns), [entries, columns])
        let ids = try device.tensor(inputs.ints(rows, below: entries), [rows])
        let y = try device.empty(rows, columns)
        try device.gatherRows(table, ids: ids, columns: columns, into: y)
        return [try device.output("y", y)]
      }
    }
    return counts + gathers
  }

  /// Fills, copies and transpositions.
  static var memoryCases: [CatalogueCase] {
    let regions = [(1, 1, 1, 1), (3, 5, 9, 7), (7, 4, 4, 6), (0, 3, 3, 3), (2, 0, 3, 3)].map {
      rows, columns, from, to in
      CatalogueCase("copy", "\(rows)x\(columns) stride \(from) to \(to)") { device in
        var inputs = CaseInputs(seed: 91)
        let source = try device.tensor(inputs.anyBits(rows * from + 3), [rows * from + 3])
        let target = try device.empty(rows * to + 2)
        try device.fill(target, with: 0.25)
        try device.copy(
          source, to: target,
          region: CopyRegion(
            rows: rows, columns: columns, sourceOffset: 3, sourceStride: from, destinationOffset: 2,
            destinationStride: to))
        return [try device.output("target", target)]
      }
    }
    let transposes = [(1, 1), (15, 17), (16, 16), (33, 7), (64, 65), (0, 4)].map { rows, columns in
      CatalogueCase("transpose", "\(rows)x\(columns)") { device in
        var inputs = CaseInputs(seed: 92)
        let x = try device.tensor(inputs.anyBits(rows * columns), [rows, columns])
        let y = try device.empty(columns, rows)
        try device.transpose(x, rows: rows, columns: columns, into: y)
        return [try device.output("y", y)]
      }
    }
    let swaps = [(1, 1, 1, 1), (2, 2, 3, 5), (3, 7, 2, 65), (1, 2, 58, 361), (0, 2, 2, 2)].map {
      outer, a, b, inner in
      CatalogueCase("swapAxes", "\(outer)x\(a)x\(b)x\(inner)") { device in
        var inputs = CaseInputs(seed: 93)
        let count = outer * a * b * inner
        let x = try device.tensor(inputs.anyBits(count), [count])
        let y = try device.empty(count)
        try device.swapAxes(x, outer: outer, a: a, b: b, inner: inner, into: y)
        return [try device.output("y", y)]
      }
    }
    return regions + transposes + swaps
  }
}
