// SPDX-License-Identifier: Apache-2.0
import TestSupport
import Testing

@testable import TesseraCompute

/// Products, maps, rows, copies, Adam and neighbours against PyTorch (tools/golden/primitives.py).
@Suite struct PyTorchTests {
  private let torch = Result { try PyTorchReference() }

  @Test func products() throws {
    let torch = try torch.get()
    let device = torch.device
    let (a, b) = (try torch.input(1, [2, 5, 600]), try torch.input(2, [2, 600, 7]))
    for (name, kind, activation, bias) in [
      ("column", BiasKind.column, FusedActivation.gelu, try torch.input(3, [7])),
      ("row", .row, .relu, try torch.input(4, [5])),
      ("geluTanh", .column, .geluTanh, try torch.input(3, [7])),
    ] {
      var p = Matmul(m: 5, n: 7, k: 600)
      (p.batch, p.bias, p.activation) = (2, kind, activation)
      (p.a.batchStride, p.b.batchStride, p.c.batchStride) = (3000, 4200, 35)
      let c = try torch.empty(2, 5, 7)
      try device.matmul(p, a, b, bias: bias, into: c)
      try torch.expect("matmul.\(name)", c, 1e-5)
    }
    let transposed = try torch.empty(9, 11)
    try device.matmul(
      Matmul(m: 9, n: 11, k: 513, transposeA: true, transposeB: true),
      try torch.input(5, [513, 9]),
      try torch.input(6, [11, 513]), bias: nil, into: transposed)
    try torch.expect("matmul.transposed", transposed, 1e-5)
  }

  @Test func aProductByOffsetsAndStridesLeavesTheRestOfItsOutput() throws {
    let torch = try torch.get()
    var p = Matmul(m: 4, n: 3, k: 7)
    (p.a.offset, p.a.rowStride, p.a.columnStride) = (23, 20, 2)
    (p.b.offset, p.b.rowStride, p.c.offset, p.c.rowStride) = (24, 10, 6, 5)
    let (whole, part) = (try torch.empty(6, 5), try torch.empty(4, 3))
    try torch.device.fill(whole, with: 9)
    try torch.device.matmul(
      p, try torch.input(7, [6, 20]), try torch.input(8, [9, 10]), bias: nil, into: whole)
    try torch.device.copy(
      whole, to: part,
      region: CopyRegion(rows: 4, columns: 3, sourceOffset: 6, sourceStride: 5, destinationStride: 3))
    try torch.expect("matmul.strided", part)
    #expect(try torch.device.floats(whole).count { $0 == 9 } == 18)
  }

  @Test func distancesAndNeighbours() throws {
    let torch = try torch.get()
    let (x, d) = (try torch.input(9, [40, 70]), try torch.empty(40, 40))
    try torch.device.squaredDistances(x, points: 40, dims: 70, into: d)
    try torch.expect("distances.d", d)
    let block = try torch.empty(40, 40)
    for columns in [0..<13, 13..<40] {
      let part = try torch.empty(40, columns.count)
      try torch.device.squaredDistances(
        x, rows: 0..<40, columns: columns, points: 40, dims: 70, into: part)
      try torch.device.copy(
        part, to: block,
        region: CopyRegion(
          rows: 40, columns: columns.count, sourceStride: columns.count,
          destinationOffset: columns.lowerBound, destinationStride: 40))
    }
    try torch.expect("distances.d", block)
    let (nearest, points) = (try torch.empty(50, 7), try torch.device.allocate([50, 7], .int32))
    try torch.device.nearestNeighbours(
      of: try torch.input(150, [50, 4]), points: 50, dims: 4, nearest: nearest, neighbours: points)
    try torch.expect("nearestNeighbours.distances", nearest)
    try torch.expect("nearestNeighbours.points", points, 0)
  }

  @Test func attention() throws {
    let torch = try torch.get()
    let (x, bias) = (try torch.input(50, [20, 3, 2, 9], -2, 2), try torch.input(51, [2, 39]))
    for (name, span) in [("plain", 0), ("biased", 20)] {
      let y = try torch.empty(20, 2, 9)
      let p = PackedAttention(tokens: 20, heads: 2, width: 9, span: span, scale: 0.5)
      try torch.device.attention(p, x, lengths: [3, 17], bias: span == 0 ? nil : bias, into: y)
      try torch.expect("attention.\(name)", y)
    }
  }

  @Test func maps() throws {
    let torch = try torch.get()
    let positive: [UnaryOperation] = [.log, .rsqrt, .sqrt, .reciprocal]
    for operation in UnaryOperation.allCases {
      let x =
        positive.contains(operation) ? try torch.input(61, [97], 0.125, 9) : try torch.input(60, [97], -8, 8)
      let y = try torch.empty(97)
      try torch.device.unary(operation, x, alpha: 0.5, beta: -0.25, into: y)
      try torch.expect("unary.\(operation)", y, 1e-6)
    }
    for operation in UnaryOperation.differentiable {
      let dx = try torch.empty(97)
      let x =
        positive.contains(operation) ? try torch.input(61, [97], 0.125, 9) : try torch.input(60, [97], -8, 8)
      try torch.device.unaryGrad(operation, x, try torch.input(62, [97]), into: dx)
      try torch.expect("unaryGrad.\(operation)", dx)
    }
    for operation in BinaryOperation.allCases {
      let (c, wide) = (try torch.empty(97), try torch.empty(3, 5, 7))
      try torch.device.binary(
        operation, try torch.input(63, [97], -3, 3), try torch.input(64, [97], 0.5, 2), into: c)
      try torch.expect("binary.\(operation)", c, 1e-6)
      try torch.device.binaryChannels(
        operation, ChannelLayout(outer: 3, channels: 5, inner: 7), try torch.input(65, [105], -3, 3),
        try torch.input(66, [5], 0.5, 2), into: wide)
      try torch.expect("binaryChannels.\(operation)", wide, 1e-6)
    }
  }

  @Test func rows() throws {
    let torch = try torch.get()
    let device = torch.device
    let (x, dy) = (try torch.input(70, [5, 130], -9, 9), try torch.input(72, [5, 130]))
    let (sum, greatest, at) = (try torch.empty(5), try torch.empty(5), try device.allocate([5], .int32))
    try device.rowSum(x, rows: 5, columns: 130, into: sum)
    try device.rowMax(x, rows: 5, columns: 130, into: greatest)
    try device.rowArgmax(x, rows: 5, columns: 130, into: at)
    try torch.expect("rows.sum", sum, 1e-5)
    try torch.expect("rows.max", greatest, 0)
    try torch.expect("rows.argmax", at, 0)
    let c = try torch.input(71, [19, 3, 7], 1, 4)
    let (sums, mean, variance) = (try torch.empty(3), try torch.empty(1), try torch.empty(1))
    try device.channelSum(ChannelLayout(outer: 19, channels: 3, inner: 7), c, into: sums)
    try device.moments(c, samples: 19, inner: 21, mean: mean, variance: variance)
    try torch.expect("rows.channels", sums)
    try torch.expect("rows.mean", mean)
    try torch.expect("rows.variance", variance)
    let (y, dx) = (try torch.empty(5, 130), try torch.empty(5, 130))
    try device.softmax(x, rows: 5, columns: 130, scale: 0.5, into: y)
    try device.softmaxGrad(y, dy, rows: 5, columns: 130, scale: 0.5, into: dx)
    try torch.expect("softmax.y", y, 1e-6)
    try torch.expect("softmax.dx", dx, 1e-6)
    try device.logSoftmax(x, rows: 5, columns: 130, into: y)
    try device.logSoftmaxGrad(y, dy, rows: 5, columns: 130, into: dx)
    try torch.expect("logSoftmax.y", y)
    try torch.expect("logSoftmax.dx", dx)
    let z = try torch.empty(2, 17, 17)
    try device.distanceSoftmax(
      AttentionScores(heads: 2, length: 17, span: 20, scale: 0.5),
      try torch.input(73, [2, 17, 17], -9, 9), bias: try torch.input(74, [2, 39], -4, 4), into: z)
    try torch.expect("distanceSoftmax.y", z, 1e-6)
  }

  @Test func crossEntropy() throws {
    let torch = try torch.get()
    let logits = try torch.input(75, [9, 4], -9, 9)
    let labels = try torch.device.tensor((0..<9).map { Int32($0 * 3 % 4) }, [9])
    for (name, smoothing) in [("plain", Float(0)), ("smoothed", 0.125)] {
      let (losses, gradient) = (try torch.empty(9), try torch.empty(9, 4))
      try torch.device.crossEntropy(
        logits, labels: labels, rows: 9, classes: 4, smoothing: smoothing, into: losses)
      try torch.device.crossEntropyGrad(
        logits, labels: labels, rows: 9, classes: 4, smoothing: smoothing, batch: 9, into: gradient)
      try torch.expect("crossEntropy.\(name).losses", losses)
      try torch.expect("crossEntropy.\(name).gradient", gradient, 1e-6)
      // A device that has a part of the batch makes that part of the gradient.
      let part = try torch.empty(5, 4)
      try torch.device.crossEntropyGrad(
        try torch.device.tensor(Array(drawn(75, 36, -9, 9)[16...]), [5, 4]),
        labels: try torch.device.tensor((4..<9).map { Int32($0 * 3 % 4) }, [5]), rows: 5, classes: 4,
        smoothing: smoothing, batch: 9, into: part)
      #expect(try torch.device.floats(part) == Array(torch.device.floats(gradient)[16...]))
    }
  }

  @Test func copiesAndGathers() throws {
    let torch = try torch.get()
    let device = torch.device
    let (turned, swapped) = (try torch.empty(33, 17), try torch.empty(2, 15, 12))
    try device.transpose(try torch.input(130, [17, 33]), rows: 17, columns: 33, into: turned)
    try torch.expect("memory.transpose", turned, 0)
    try device.swapAxes(try torch.input(131, [2, 15, 4, 3]), outer: 2, a: 5, b: 3, inner: 12, into: swapped)
    try torch.expect("memory.swap", swapped, 0)
    let gathered = try torch.empty(13, 3)
    try device.gatherRows(
      try torch.input(132, [11, 3]), ids: try device.tensor((0..<13).map { Int32($0 * 5 % 11) }, [13]),
      columns: 3, into: gathered)
    try torch.expect("memory.gather", gathered, 0)
    let (source, target) = (try torch.input(133, [7, 8]), try torch.empty(6, 9))
    try device.fill(target, with: 0.25)
    try device.copy(
      source, to: target,
      region: CopyRegion(
        rows: 4, columns: 5, sourceOffset: 19, sourceStride: 8, destinationOffset: 11, destinationStride: 9))
    try torch.expect("memory.copy", target, 0)
  }

  @Test func adam() throws {
    let torch = try torch.get()
    let (parameter, first, second) = (
      try torch.input(140, [67]), try torch.empty(67), try torch.empty(67)
    )
    for moment in [first, second] { try torch.device.fill(moment, with: 0) }
    var p = AdamStep(count: 67, learningRate: 1e-2, weightDecay: 0.1)
    var (power1, power2) = (1.0, 1.0)
    for step in 0..<5 {
      (power1, power2) = (power1 * 0.9, power2 * 0.999)
      (p.correction1, p.correction2) = (Float(1 - power1), Float(1 - power2))
      try torch.device.adam(
        p, gradient: try torch.input(141 + UInt64(step), [67], -0.1, 0.1), parameter: parameter,
        firstMoment: first, secondMoment: second)
    }
    try torch.expect("adam.parameter", parameter)
    try torch.expect("adam.first", first, 1e-7)
    try torch.expect("adam.second", second, 1e-7)
  }
}
