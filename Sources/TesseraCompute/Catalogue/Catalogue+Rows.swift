extension Catalogue {
  /// Rows and columns off by one of the 64 lanes.
  private static let rowShapes = [
    (0, 5), (1, 1), (1, 2), (3, 31), (2, 63), (5, 64), (4, 65), (3, 127), (2, 129), (7, 1000), (67, 3),
  ]

  /// Reductions over rows, channels and whole tensors.
  static var reductionCases: [CatalogueCase] {
    let rows = (rowShapes + [(3, 0)]).flatMap { rows, columns in
      [false, true].map { specials in
        CatalogueCase("rowSum", "\(rows)x\(columns)\(specials ? " specials" : "")") { device in
          var inputs = CaseInputs(seed: 31)
          let count = rows * columns
          let x = try device.tensor(
            specials ? inputs.withSpecials(count) : inputs.floats(count), [rows, columns])
          let sum = try device.empty(rows)
          try device.rowSum(x, rows: rows, columns: columns, into: sum)
          return [try device.output("sum", sum)]
        }
      }
    }
    let maxima = rowShapes.flatMap { rows, columns in
      [
        CatalogueCase("rowMax", "\(rows)x\(columns)") { device in
          var inputs = CaseInputs(seed: 32)
          let x = try device.tensor(inputs.floats(rows * columns), [rows, columns])
          let y = try device.empty(rows)
          try device.rowMax(x, rows: rows, columns: columns, into: y)
          return [try device.output("max", y)]
        },
        CatalogueCase("rowArgmax", "\(rows)x\(columns) with ties") { device in
          var inputs = CaseInputs(seed: 33)
          let values = inputs.floats(rows * columns).map { ($0 * 4).rounded() }
          let x = try device.tensor(values, [rows, columns])
          let y = try device.allocate([rows], .int32)
          try device.rowArgmax(x, rows: rows, columns: columns, into: y)
          return [try device.outputInts("argmax", y)]
        },
      ]
    }
    let channels = [(1, 1, 1), (0, 3, 4), (8, 3, 5), (9, 2, 64), (17, 5, 13), (3, 1, 1000), (33, 7, 1)].map {
      outer, channels, inner in
      CatalogueCase("channelSum", "\(outer)x\(channels)x\(inner)") { device in
        var inputs = CaseInputs(seed: 34)
        let p = ChannelsParameters(outer: outer, channels: channels, inner: inner)
        let x = try device.tensor(inputs.floats(p.count), [p.count])
        let y = try device.empty(channels)
        try device.channelSum(p, x, into: y)
        return [try device.output("sum", y)]
      }
    }
    let moments = [(1, 1), (7, 3), (8, 64), (9, 65), (20, 333)].map { samples, inner in
      CatalogueCase("moments", "\(samples)x\(inner)") { device in
        var inputs = CaseInputs(seed: 35)
        let x = try device.tensor(inputs.floats(samples * inner, 3, 5), [samples, inner])
        let mean = try device.empty(1)
        let variance = try device.empty(1)
        try device.moments(x, samples: samples, inner: inner, mean: mean, variance: variance)
        return [try device.output("mean", mean), try device.output("variance", variance)]
      }
    }
    return rows + maxima + channels + moments
  }

  /// Heads, length, span of the bias.
  private static let attentionShapes = [
    (0, 3, 4), (3, 0, 1), (1, 1, 1), (2, 2, 2), (3, 2, 7), (5, 31, 32), (1, 63, 64), (2, 64, 64), (3, 65, 97),
    (1, 127, 127), (1, 129, 512),
  ]

  /// Softmax of attention scores with a bias by distance.
  static var attentionCases: [CatalogueCase] {
    attentionShapes.map { heads, length, span in
      CatalogueCase("distanceSoftmax", "\(heads)x\(length)x\(length), span \(span)") { device in
        var inputs = CaseInputs(seed: 45)
        let p = AttentionParameters(heads: heads, length: length, span: span, scale: 0.176_776_7)
        let x = try device.tensor(inputs.floats(heads * length * length, -30, 30), [heads, length, length])
        let bias = try device.tensor(inputs.floats(heads * (2 * span - 1), -5, 5), [heads, 2 * span - 1])
        let y = try device.empty(heads, length, length)
        try device.distanceSoftmax(p, x, bias: bias, into: y)
        return [try device.output("y", y)]
      }
    }
  }

  /// Softmax, log-softmax and their gradients.
  static var softmaxCases: [CatalogueCase] {
    rowShapes.flatMap { rows, columns in
      let label = "\(rows)x\(columns)"
      return [
        CatalogueCase("softmax", label) { device in
          var inputs = CaseInputs(seed: 41)
          let x = try device.tensor(inputs.floats(rows * columns, -30, 30), [rows, columns])
          let y = try device.empty(rows, columns)
          try device.softmax(x, rows: rows, columns: columns, scale: 0.176_776_7, into: y)
          return [try device.output("y", y)]
        },
        CatalogueCase("logSoftmax", label) { device in
          var inputs = CaseInputs(seed: 42)
          let x = try device.tensor(inputs.floats(rows * columns, -30, 30), [rows, columns])
          let y = try device.empty(rows, columns)
          try device.logSoftmax(x, rows: rows, columns: columns, into: y)
          return [try device.output("y", y)]
        },
        CatalogueCase("softmaxGrad", label) { device in
          var inputs = CaseInputs(seed: 43)
          let y = try device.tensor(inputs.floats(rows * columns, 0, 1), [rows, columns])
          let dy = try device.tensor(inputs.floats(rows * columns), [rows, columns])
          let dx = try device.empty(rows, columns)
          try device.softmaxGrad(y, dy, rows: rows, columns: columns, scale: 0.5, into: dx)
          return [try device.output("dx", dx)]
        },
        CatalogueCase("logSoftmaxGrad", label) { device in
          var inputs = CaseInputs(seed: 44)
          let y = try device.tensor(inputs.floats(rows * columns, -9, 0), [rows, columns])
          let dy = try device.tensor(inputs.floats(rows * columns), [rows, columns])
          let dx = try device.empty(rows, columns)
          try device.logSoftmaxGrad(y, dy, rows: rows, columns: columns, into: dx)
          return [try device.output("dx", dx)]
        },
      ]
    }
  }
}
