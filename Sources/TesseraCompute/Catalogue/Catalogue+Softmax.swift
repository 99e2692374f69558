extension Catalogue {
  /// Heads, length, span of the bias.
  private static let attentionShapes = [
    (0, 3, 4), (3, 0, 1), (1, 1, 1), (2, 2, 2), (3, 2, 7), (5, 31, 32), (1, 63, 64), (2, 64, 64), (3, 65, 97),
    (1, 127, 127), (1, 129, 512),
  ]

  /// Softmax of attention scores with a bias by distance.
  static var attentionCases: [CatalogueCase] { attentionShapes.map { distanceSoftmax($0, $1, $2) } }

  static func distanceSoftmax(_ heads: Int, _ length: Int, _ span: Int) -> CatalogueCase {
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

  /// Softmax, log-softmax and their gradients.
  static var softmaxCases: [CatalogueCase] { rowShapes.flatMap { softmaxes($0, $1) } }

  static func softmaxes(_ rows: Int, _ columns: Int) -> [CatalogueCase] {
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
