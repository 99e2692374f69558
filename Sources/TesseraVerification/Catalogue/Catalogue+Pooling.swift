// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

extension Catalogue {
  /// Pooling and upsampling with gradients.
  @_optimize(none)
  static var poolingCases: [CatalogueCase] {
    let windows = [
      Pooling(planes: 1, height: 1, width: 1, kernel: 1, stride: 1),
      Pooling(planes: 0, height: 4, width: 4, kernel: 2, stride: 2),
      Pooling(planes: 3, height: 7, width: 9, kernel: 3, stride: 2),
      Pooling(planes: 2, height: 8, width: 5, kernel: 2, stride: 2),
      Pooling(planes: 5, height: 9, width: 9, kernel: 3, stride: 2, padding: 1),
      Pooling(planes: 1, height: 6, width: 6, kernel: 3, stride: 1, padding: 1),
      Pooling(planes: 2, height: 7, width: 7, kernel: 2, stride: 3),
      // Around one vector of columns and several, of 4, 8 and 16.
      Pooling(planes: 2, height: 5, width: 33, kernel: 3, stride: 2, padding: 1),
      Pooling(planes: 2, height: 4, width: 35, kernel: 2, stride: 2),
      Pooling(planes: 1, height: 3, width: 17, kernel: 2, stride: 1),
      Pooling(planes: 3, height: 4, width: 71, kernel: 3, stride: 1, padding: 1),
      Pooling(planes: 1, height: 9, width: 70, kernel: 3, stride: 3, padding: 1),
      // Windows of 16 elements, and of more, whose sums are compensated.
      Pooling(planes: 2, height: 9, width: 40, kernel: 4, stride: 1),
      Pooling(planes: 2, height: 11, width: 40, kernel: 5, stride: 2, padding: 2),
      // Sums so long that a compiler may wish to change their order.
      Pooling(planes: 2, height: 41, width: 83, kernel: 40, stride: 1),
    ]
    let adaptive = [
      Pooling(planes: 3, height: 13, width: 13, outHeight: 5, outWidth: 5),
      Pooling(planes: 2, height: 4, width: 3, outHeight: 5, outWidth: 7),
      Pooling(planes: 7, height: 10, width: 10, outHeight: 10, outWidth: 10),
      Pooling(planes: 2, height: 9, width: 6, outHeight: 1, outWidth: 1),
      Pooling(planes: 1, height: 8, width: 90, outHeight: 11, outWidth: 1),
      Pooling(planes: 2, height: 15, width: 74, outHeight: 3, outWidth: 4),
      Pooling(planes: 2, height: 8, width: 8, outHeight: 2, outWidth: 2),
      Pooling(planes: 2, height: 90, width: 61, outHeight: 1, outWidth: 1),
    ]
    let upsample = [(1, 1, 1, 1), (2, 3, 5, 3), (3, 50, 50, 3), (0, 2, 2, 2)].map { upsampleCase($0) }
    return windows.flatMap { [maxPool($0), averagePool($0)] }
      + windows.suffix(2).map { averagePool($0, infinite: true) }
      + windows.suffix(5).map { maxPool($0, holes: true) } + adaptive.map { adaptivePool($0) } + upsample
  }

  static func label(_ p: Pooling) -> String {
    "\(p.planes)x\(p.height)x\(p.width) -> \(p.output) k\(p.kernel.height) s\(p.stride.height) "
      + "p\(p.padding.height)"
  }

  static func maxPool(_ p: Pooling, holes: Bool = false) -> CatalogueCase {
    CatalogueCase("maxPool", label(p) + (holes ? " with NaN" : " with ties")) { device in
      var inputs = CaseInputs(seed: 61)
      var values = inputs.floats(p.inputCount).map { ($0 * 3).rounded() }
      if holes { for index in values.indices where values[index] == 1 { values[index] = .nan } }
      let x = try device.tensor(values, [p.inputCount])
      let dy = try device.tensor(inputs.floats(p.outputCount), [p.outputCount])
      let y = try device.empty(p.outputCount)
      let indices = try device.allocate([p.outputCount], .int32)
      let dx = try device.empty(p.inputCount)
      try device.maxPool(p, x, into: y, indices: indices)
      try device.maxPoolGrad(p, dy, indices: indices, into: dx)
      return [
        try device.output("y", y), try device.outputInts("indices", indices), try device.output("dx", dx),
      ]
    }
  }

  /// `infinite`: with an infinity, which the means of its windows keep.
  static func averagePool(_ p: Pooling, infinite: Bool = false) -> CatalogueCase {
    CatalogueCase("averagePool", label(p) + (infinite ? " infinite" : "")) { device in
      var inputs = CaseInputs(seed: 62)
      var values = inputs.floats(p.inputCount)
      if infinite { values[p.inputCount / 4] = .infinity }
      let x = try device.tensor(values, [p.inputCount])
      let dy = try device.tensor(inputs.floats(p.outputCount), [p.outputCount])
      let y = try device.empty(p.outputCount)
      let dx = try device.empty(p.inputCount)
      try device.averagePool(p, x, into: y)
      try device.averagePoolGrad(p, dy, into: dx)
      return [try device.output("y", y), try device.output("dx", dx)]
    }
  }

  static func adaptivePool(_ p: Pooling) -> CatalogueCase {
    CatalogueCase("adaptiveAveragePool", label(p)) { device in
      var inputs = CaseInputs(seed: 63)
      let x = try device.tensor(inputs.floats(p.inputCount), [p.inputCount])
      let dy = try device.tensor(inputs.floats(p.outputCount), [p.outputCount])
      let y = try device.empty(p.outputCount)
      let dx = try device.empty(p.inputCount)
      try device.adaptiveAveragePool(p, x, into: y)
      try device.adaptiveAveragePoolGrad(p, dy, into: dx)
      return [try device.output("y", y), try device.output("dx", dx)]
    }
  }

  static func upsampleCase(_ shape: (Int, Int, Int, Int)) -> CatalogueCase {
    let (planes, height, width, scale) = shape
    return CatalogueCase("upsampleNearest", "\(planes)x\(height)x\(width) x\(scale)") { device in
      var inputs = CaseInputs(seed: 64)
      let count = planes * height * width
      let x = try device.tensor(inputs.floats(count), [count])
      let dy = try device.tensor(inputs.floats(count * scale * scale), [count * scale * scale])
      let y = try device.empty(count * scale * scale)
      let dx = try device.empty(count)
      try device.upsampleNearest(planes: planes, height: height, width: width, scale: scale, x, into: y)
      try device.upsampleNearestGrad(
        planes: planes, height: height, width: width, scale: scale, dy, into: dx)
      return [try device.output("y", y), try device.output("dx", dx)]
    }
  }
}
