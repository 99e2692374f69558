// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

extension Catalogue {
  /// Softmax, log-softmax and their gradients.
  @_optimize(none)
  static var softmaxCases: [CatalogueCase] {
    (rowShapes + [(2, 1025), (1, 3073), (2, 5000)]).flatMap { softmaxes($0, $1) }
      + [(3, 63), (7, 65), (2, 15), (1, 17), (15, 129)].flatMap {
        [softmax($0, $1, specials: true), softmax($0, $1, scale: 12), softmax($0, $1, scale: -12)]
      } + [softmax(61, 700, scale: 4), softmax(2, 16, scale: 0), softmax(3, 80, scale: 0, specials: true)]
  }

  static func softmaxes(_ rows: Int, _ columns: Int) -> [CatalogueCase] {
    let label = "\(rows)x\(columns)"
    return [
      softmax(rows, columns),
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

  /// - Parameters:
  ///   - scale: from 3 on, exponentials of most elements vanish or are denormal.
  ///   - specials: a row has one special value, each row another one.
  @inline(never)
  static func softmax(_ rows: Int, _ columns: Int, scale: Float = 0.176_776_7, specials: Bool = false)
    -> CatalogueCase
  {
    let label =
      "\(rows)x\(columns)" + (scale == 0.176_776_7 ? "" : " scale \(scale)") + (specials ? " specials" : "")
    return CatalogueCase("softmax", label) { device in
      var inputs = CaseInputs(seed: 41)
      var values = inputs.floats(rows * columns, -30, 30)
      for row in 0..<(specials ? rows : 0) {
        values[row * columns + columns * row / rows] =
          CaseInputs.specials[(row + 10) % CaseInputs.specials.count]
      }
      let x = try device.tensor(values, [rows, columns])
      let y = try device.empty(rows, columns)
      try device.softmax(x, rows: rows, columns: columns, scale: scale, into: y)
      return [try device.output("y", y)]
    }
  }
}
