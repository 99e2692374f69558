extension Catalogue {
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
