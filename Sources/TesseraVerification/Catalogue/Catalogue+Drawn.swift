// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

extension Catalogue {
  /// Cases of every primitive with drawn shapes and attributes: the same for the same seed, and the first
  /// of more.
  public static func drawn(_ count: Int, seed: UInt64) -> [CatalogueCase] {
    var draw = CaseInputs(seed: seed)
    var cases: [CatalogueCase] = []
    while cases.count < count {
      for family in families { cases += family(&draw) }
    }
    return Array(cases.prefix(max(0, count)))
  }

  private static let families: [@Sendable (inout CaseInputs) -> [CatalogueCase]] = [
    drawnMatmul, drawnConvolution, drawnBroadcasts, drawnRows, drawnChannels, drawnPooling, drawnMaps,
    drawnTraining,
    drawnMemory,
    drawnLayout, drawnWinograd,
  ]

  private static func drawnMatmul(_ draw: inout CaseInputs) -> [CatalogueCase] {
    let long = draw.int(0, 3) == 0
    let (m, n) = (draw.int(0, long ? 40 : 150), draw.int(0, long ? 70 : 150))
    return [
      matmul(
        m, n, draw.int(0, long ? 1600 : 90), batch: draw.int(1, 3), transposeA: draw.flag(),
        transposeB: draw.flag(),
        bias: draw.element(BiasKind.allCases), activation: draw.activation(),
        chunk: draw.flag() ? 512 : draw.int(1, 40),
        accumulate: draw.flag(), specials: draw.int(0, 9) == 0)
    ]
  }

  private static func drawnConvolution(_ draw: inout CaseInputs) -> [CatalogueCase] {
    let groups = [1, 1, 2, 3, draw.int(1, 20)][draw.int(0, 4)]
    let (stride, dilation) = (draw.int(1, 4), [1, 1, 2, 3][draw.int(0, 3)])
    let kernel = (draw.int(1, 5), draw.int(1, 5))
    // Never smaller than the dilated kernel.
    let (height, width) = (
      draw.int(0, 18) + dilation * (kernel.0 - 1) + 1, draw.int(0, 18) + dilation * (kernel.1 - 1) + 1
    )
    let p = Convolution(
      batch: draw.int(1, 18), inChannels: groups * draw.int(1, groups > 3 ? 3 : 24), size: (height, width),
      outChannels: groups * draw.int(1, groups > 3 ? 4 : 20), kernel: kernel, stride: stride,
      padding: draw.int(0, min(kernel.0, kernel.1) - 1), dilation: dilation, groups: groups)
    return [
      convolution(p, bias: draw.int(0, 1) == 1, activation: draw.activation()), gradData(p),
      gradWeight(p),
    ]
  }

  private static func drawnWinograd(_ draw: inout CaseInputs) -> [CatalogueCase] {
    let kernel = draw.int(2, 5), padding = draw.int(0, kernel - 1)
    let p = winogradShape(
      draw.int(1, 18), draw.int(16, draw.flag() ? 20 : 140), (draw.int(kernel, 22), draw.int(kernel, 30)),
      draw.int(16, draw.flag() ? 20 : 140), kernel, padding: padding)
    return [
      convolution(p, bias: draw.flag(), activation: draw.activation()), gradData(p), gradWeight(p),
    ]
  }

  private static func drawnRows(_ draw: inout CaseInputs) -> [CatalogueCase] {
    let (rows, columns) = (draw.int(1, 40), draw.int(1, 700))
    let (heads, length) = (draw.int(1, 4), draw.int(1, 140))
    return [
      rowSum(rows, columns, specials: draw.flag()), rowMax(rows, columns, specials: draw.flag()),
      rowArgmax(rows, columns), distanceSoftmax(heads, length, length + draw.int(0, 40)),
      attention(
        [length, draw.int(0, 20)], heads: heads, width: draw.int(1, 70), bias: draw.flag(),
        specials: draw.int(0, 9) == 0),
      layerNorm(rows, columns),
      crossEntropy(rows, columns, smoothing: Float(draw.int(0, 3)) / 8, outside: draw.flag()),
    ] + softmaxes(rows, columns)
  }

  private static func drawnChannels(_ draw: inout CaseInputs) -> [CatalogueCase] {
    let (outer, channels, inner) = (draw.int(1, 35), draw.int(1, 12), draw.int(1, 260))
    return [
      channelSum(outer, channels, inner), moments(outer, inner),
      // One number has no unbiased variance.
      batchNorm(outer, channels, inner + 1, training: draw.flag()),
      responseNorm((draw.int(1, 4), draw.int(1, 20), draw.int(1, 90), draw.int(1, 9))),
    ]
  }

  private static func drawnPooling(_ draw: inout CaseInputs) -> [CatalogueCase] {
    let (planes, height, width) = (draw.int(1, 6), draw.int(1, 24), draw.int(1, 90))
    let kernel = draw.int(1, min(5, height, width))
    let window = Pooling(
      planes: planes, height: height, width: width, kernel: kernel, stride: draw.int(1, 4),
      padding: draw.int(0, kernel / 2))
    let adaptive = Pooling(
      planes: planes, height: height, width: width, outHeight: draw.int(1, 12), outWidth: draw.int(1, 12))
    return [
      maxPool(window, holes: draw.flag()), averagePool(window), adaptivePool(adaptive),
      upsampleCase((planes, draw.int(1, 12), draw.int(1, 30), draw.int(1, 4))),
    ]
  }

  private static func drawnMaps(_ draw: inout CaseInputs) -> [CatalogueCase] {
    let operation = draw.element(BinaryOperation.allCases)
    return [
      unary(draw.element(UnaryOperation.allCases), draw.int(1, 5000)),
      unaryGrad(draw.element(UnaryOperation.differentiable), draw.int(1, 2000)),
      binary(operation, draw.int(1, 3000)),
      binaryChannels(operation, draw.int(1, 9), draw.int(1, 40), draw.int(1, 90)),
    ]
  }

  private static func drawnBroadcasts(_ draw: inout CaseInputs) -> [CatalogueCase] {
    let whole = (0..<draw.int(0, 4)).map { _ in draw.int(1, 9) }
    func part(_ draw: inout CaseInputs) -> [Int] {
      let shape = whole.map { draw.flag() ? $0 : 1 }
      return Array(shape.dropFirst(draw.int(0, shape.count)))
    }
    var order = Array(whole.indices)
    for place in order.indices { order.swapAt(place, draw.int(place, order.count - 1)) }
    let strides = StridedCopy.strides(whole)
    let count = whole.reduce(1, *)
    let permuted = StridedCopy(order.map { whole[$0] }, sourceStrides: order.map { strides[$0] })
    return [
      broadcast(draw.element(BinaryOperation.allCases), part(&draw), part(&draw)),
      select([part(&draw), part(&draw), part(&draw)]), stridedCopy(permuted, count, count),
    ]
  }

  private static func drawnTraining(_ draw: inout CaseInputs) -> [CatalogueCase] {
    let stream = RandomStream(seed: draw.next(), stream: draw.next())
    return [
      randomUniform(
        draw.int(1, 3000), low: -Float(draw.int(0, 9)), high: Float(draw.int(1, 9)), stream: stream),
      randomNormal(draw.int(1, 3000), stream: stream),
      dropout(draw.int(1, 3000), specials: draw.flag(), stream: stream),
      gatherRows(draw.int(1, 60), draw.int(1, 40), draw.int(1, 200), outside: draw.flag()),
      gatherRowsGrad(draw.int(1, 60), draw.int(1, 40), draw.int(1, 200), group: draw.int(1, 70)),
      sgd(draw.int(1, 4000), nesterov: draw.flag()), rmsprop(draw.int(1, 4000)), lion(draw.int(1, 4000)),
      adam(draw.int(1, 4000)),
    ]
  }

  private static func drawnMemory(_ draw: inout CaseInputs) -> [CatalogueCase] {
    let columns = draw.int(1, 70)
    return [
      copyRegion(draw.int(1, 40), columns, columns + draw.int(0, 9), columns + draw.int(0, 9)),
      transpose(draw.int(1, 130), draw.int(1, 130)),
      swapAxes(draw.int(1, 4), draw.int(1, 12), draw.int(1, 12), draw.int(1, 90)),
    ]
  }

  private static func drawnLayout(_ draw: inout CaseInputs) -> [CatalogueCase] {
    [
      distances(draw.int(1, 90), draw.int(1, 600)),
      tsne(draw.int(4, 100), leastGain: Float(draw.int(1, 9)) / 10, farApart: draw.int(0, 3) == 0),
    ] + drawnNeighbours(&draw)
  }

  private static func drawnNeighbours(_ draw: inout CaseInputs) -> [CatalogueCase] {
    let (points, begin) = (draw.int(1, 300), draw.int(0, 3))
    let rows = min(begin, points - 1)..<min(points, begin + draw.int(1, 5))
    return [
      distances(points, rows: rows, columns: 0..<draw.int(1, points), dims: draw.int(0, 80)),
      nearest((points, rows, draw.int(1, 100), draw.int(1, points)), draw.flag() ? .ties : .specials),
      neighbourAffinities(draw.int(1, 5), draw.int(1, 140)), neighbourSteps(draw.int(1, 100)),
    ]
  }
}
