// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

@testable import TesseraCompute

@Suite struct PoolingTests {
  private static let windows = [
    Pooling(planes: 1, height: 1, width: 1, kernel: 1, stride: 1),
    Pooling(planes: 3, height: 7, width: 9, kernel: 3, stride: 2),
    Pooling(planes: 5, height: 9, width: 9, kernel: 3, stride: 2, padding: 1),
    Pooling(planes: 2, height: 7, width: 7, kernel: 2, stride: 3),
    // Rows of more than a vector of 16, with strides that vectors take.
    Pooling(planes: 2, height: 5, width: 37, kernel: 3, stride: 1, padding: 1),
    Pooling(planes: 2, height: 6, width: 45, kernel: 3, stride: 2, padding: 1),
  ]

  /// The places inside the plane of the window of an output.
  private func window(_ p: Pooling, _ out: Int) -> [Int] {
    let (row, column) = (out / p.output.width % p.output.height, out % p.output.width)
    var places: [Int] = []
    for y in 0..<p.kernel.height {
      for x in 0..<p.kernel.width {
        let at = (row * p.stride.height + y - p.padding.height, column * p.stride.width + x - p.padding.width)
        if (0..<p.height).contains(at.0), (0..<p.width).contains(at.1) {
          places.append(at.0 * p.width + at.1)
        }
      }
    }
    let plane = out / (p.output.height * p.output.width) * p.height * p.width
    return places.map { plane + $0 }
  }

  @Test(arguments: windows.indices) func maximaGoBackToTheFirstOfEquals(_ index: Int) throws {
    let p = Self.windows[index]
    var reference = try Reference()
    let (random, values) = try reference.input([p.inputCount])
    _ = random
    // Few levels, so that ties occur.
    let xs = values.map { ($0 * 3).rounded() }
    let x = try reference.device.tensor(xs.map { Float($0) }, [p.inputCount])
    let (dy, dys) = try reference.input([p.outputCount])
    let (y, dx) = (try reference.empty(p.outputCount), try reference.empty(p.inputCount))
    let indices = try reference.device.allocate([p.outputCount], .int32)
    try reference.device.maxPool(p, x, into: y, indices: indices)
    try reference.device.maxPoolGrad(p, dy, indices: indices, into: dx)
    var gradient = [Double](repeating: 0, count: p.inputCount)
    var maxima: [Double] = []
    for out in 0..<p.outputCount {
      let places = window(p, out)
      let top = places.map { xs[$0] }.max() ?? 0
      maxima.append(top)
      if let first = places.first(where: { xs[$0] == top }) { gradient[first] += dys[out] }
    }
    try reference.expect(y, maxima, 0, "y")
    try reference.expect(dx, gradient, 1e-6, "dx")
  }

  @Test(arguments: windows.indices) func averagesCountThePadding(_ index: Int) throws {
    let p = Self.windows[index]
    var reference = try Reference()
    let (x, xs) = try reference.input([p.inputCount])
    let (dy, dys) = try reference.input([p.outputCount])
    let (y, dx) = (try reference.empty(p.outputCount), try reference.empty(p.inputCount))
    try reference.device.averagePool(p, x, into: y)
    try reference.device.averagePoolGrad(p, dy, into: dx)
    let area = Double(p.kernel.height * p.kernel.width)
    var gradient = [Double](repeating: 0, count: p.inputCount)
    for out in 0..<p.outputCount { for place in window(p, out) { gradient[place] += dys[out] / area } }
    try reference.expect(
      y, (0..<p.outputCount).map { window(p, $0).reduce(0) { $0 + xs[$1] } / area }, 1e-6, "y")
    try reference.expect(dx, gradient, 1e-6, "dx")
  }

  @Test(arguments: [(3, 13, 13, 5, 5), (2, 4, 3, 5, 7), (1, 10, 10, 10, 10), (2, 9, 6, 1, 1)])
  func adaptiveWindowsAreFloorToCeiling(_ planes: Int, _ h: Int, _ w: Int, _ oh: Int, _ ow: Int) throws {
    let p = Pooling(planes: planes, height: h, width: w, outHeight: oh, outWidth: ow)
    var reference = try Reference()
    let (x, xs) = try reference.input([p.inputCount])
    let (dy, dys) = try reference.input([p.outputCount])
    let (y, dx) = (try reference.empty(p.outputCount), try reference.empty(p.inputCount))
    try reference.device.adaptiveAveragePool(p, x, into: y)
    try reference.device.adaptiveAveragePoolGrad(p, dy, into: dx)
    var gradient = [Double](repeating: 0, count: p.inputCount)
    var means: [Double] = []
    for out in 0..<p.outputCount {
      let (row, column, plane) = (out / ow % oh, out % ow, out / (oh * ow))
      var places: [Int] = []
      for y in row * h / oh..<((row + 1) * h + oh - 1) / oh {
        for x in column * w / ow..<((column + 1) * w + ow - 1) / ow { places.append((plane * h + y) * w + x) }
      }
      means.append(places.reduce(0) { $0 + xs[$1] } / Double(places.count))
      for place in places { gradient[place] += dys[out] / Double(places.count) }
    }
    try reference.expect(y, means, 1e-6, "y")
    try reference.expect(dx, gradient, 1e-6, "dx")
  }

  @Test func upsamplingRepeatsPixelsAndItsGradientSumsThem() throws {
    let (planes, h, w, scale) = (2, 3, 5, 3)
    var reference = try Reference()
    let (x, xs) = try reference.input([planes * h * w])
    let (dy, dys) = try reference.input([planes * h * w * scale * scale])
    let (y, dx) = (try reference.empty(dys.count), try reference.empty(xs.count))
    try reference.device.upsampleNearest(planes: planes, height: h, width: w, scale: scale, x, into: y)
    try reference.device.upsampleNearestGrad(planes: planes, height: h, width: w, scale: scale, dy, into: dx)
    var gradient = [Double](repeating: 0, count: xs.count)
    let large = (0..<dys.count).map { at in
      let (column, row, plane) = (
        at % (w * scale), at / (w * scale) % (h * scale), at / (w * h * scale * scale)
      )
      let from = (plane * h + row / scale) * w + column / scale
      gradient[from] += dys[at]
      return xs[from]
    }
    try reference.expect(y, large, 0, "y")
    try reference.expect(dx, gradient, 1e-6, "dx")
  }
}
