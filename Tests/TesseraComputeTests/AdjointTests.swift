// SPDX-License-Identifier: Apache-2.0
import TestSupport
import Testing

@testable import TesseraCompute

/// Identities that hold whatever the numbers are: <A x, y> = <x, A' y> for everything linear with its
/// gradient, and transpositions. Inner products are sums in float64, so that what differs is the rounding
/// of the primitives alone.
@Suite struct AdjointTests {
  /// Device, and tensors by a seed that counts on.
  private final class Source {
    let device: CPUBackend
    private var seed: UInt64 = 0

    init() throws { device = try CPUBackend() }

    func input(_ count: Int) throws -> Tensor {
      seed += 1
      return try device.tensor(drawn(seed, count), [count])
    }

    /// What a primitive writes.
    func output(_ count: Int, _ run: (Tensor) throws -> Void) throws -> Tensor {
      let tensor = try device.allocate([count], .float32)
      try run(tensor)
      return tensor
    }

    func dot(_ a: Tensor, _ b: Tensor) throws -> Double {
      zip(try device.floats(a), try device.floats(b)).reduce(0) { $0 + Double($1.0) * Double($1.1) }
    }

    func size(_ a: Tensor) throws -> Double { try dot(a, a).squareRoot() }

    /// Inner products agree up to rounding: a few ulp of float32 of the norms' product.
    func expectEqual(_ products: [Double], scale: Double, _ what: String) {
      for product in products {
        #expect(abs(product - products[0]) <= 0x1p-21 * scale, "\(what): \(products) of \(scale)")
      }
    }
  }

  private static let convolutions: [Convolution] = [1, 2, 3].flatMap { stride in
    [1, 2, 3].flatMap { dilation in
      [1, 2, 4].flatMap { groups in
        [(1, 1, 0), (3, 2, 0), (3, 3, 2)].map { height, width, padding in
          Convolution(
            batch: 9, inChannels: 4, size: (13, 11), outChannels: 8, kernel: (height, width),
            stride: stride, padding: padding, dilation: dilation, groups: groups)
        }
      }
    }
  }

  @Test func theGradientsOfAConvolutionAreItsAdjoints() throws {
    let source = try Source()
    let device = source.device
    var shapes = Self.convolutions
    // Other steps across than down, and more taps than a chunk.
    var uneven = Convolution(batch: 2, inChannels: 3, size: (12, 17), outChannels: 5, kernel: (3, 4))
    (
      uneven.stride.width, uneven.dilation.height, uneven.padding.width, uneven.output.height,
      uneven.output.width
    ) = (3, 2, 1, 8, 6)
    shapes.append(uneven)
    shapes.append(Convolution(batch: 1, inChannels: 70, size: (6, 6), outChannels: 33, kernel: (3, 3)))
    for p in shapes {
      let (x, w, y) = (
        try source.input(p.inputCount), try source.input(p.weightCount), try source.input(p.outputCount)
      )
      let forward = try source.output(p.outputCount) { try device.conv2d(p, x, w, bias: nil, into: $0) }
      let data = try source.output(p.inputCount) { try device.conv2dGradData(p, y, w, into: $0) }
      let weight = try source.output(p.weightCount) { try device.conv2dGradWeight(p, x, y, into: $0) }
      source.expectEqual(
        [try source.dot(forward, y), try source.dot(x, data), try source.dot(w, weight)],
        scale: try source.size(forward) * source.size(y), "\(p)")
    }
  }

  /// With a stride of 1 the gradient for the data is a convolution with the kernels turned around and their
  /// channels swapped; for one group that for the weights is one with samples in the place of channels,
  /// stride and dilation swapped.
  @Test func theGradientsOfAConvolutionAreConvolutions() throws {
    let source = try Source()
    let device = source.device
    for p in Self.convolutions where p.groups == 1 {
      let (ins, outs, taps) = (p.inChannels, p.outChannels, Int(p.kernel.height * p.kernel.width))
      let (x, w, y) = (
        try source.input(p.inputCount), try source.input(p.weightCount), try source.input(p.outputCount)
      )
      func swapped(_ t: Tensor, _ a: Int, _ b: Int, _ inner: Int) throws -> Tensor {
        try source.output(t.count) { try device.swapAxes(t, outer: 1, a: a, b: b, inner: inner, into: $0) }
      }
      if p.stride.height == 1 {
        let kernels = try device.floats(w)
        let turned = (0..<kernels.count).map { at in
          let (c, o, tap) = (at / (outs * taps), at / taps % outs, at % taps)
          return kernels[(o * ins + c) * taps + taps - 1 - tap]
        }
        var back = p
        (back.inChannels, back.outChannels, back.height, back.width) = (
          p.outChannels, p.inChannels, p.output.height, p.output.width
        )
        (back.output.height, back.output.width) = (p.height, p.width)
        back.padding.height = p.dilation.height * (p.kernel.height - 1) - p.padding.height
        back.padding.width = p.dilation.width * (p.kernel.width - 1) - p.padding.width
        guard back.padding.height >= 0, back.padding.width >= 0 else { continue }
        let wanted = try source.output(p.inputCount) {
          try device.conv2d(back, y, try device.tensor(turned, [turned.count]), bias: nil, into: $0)
        }
        let found = try source.output(p.inputCount) { try device.conv2dGradData(p, y, w, into: $0) }
        #expect(largestDifference(try device.floats(found), try device.floats(wanted)).value < 1e-5, "\(p)")
      }
      var across = p
      (across.batch, across.inChannels, across.outChannels) = (p.inChannels, p.batch, p.outChannels)
      (across.kernel.height, across.kernel.width, across.output.height, across.output.width) = (
        p.output.height, p.output.width, p.kernel.height, p.kernel.width
      )
      (across.stride.height, across.stride.width) = (p.dilation.height, p.dilation.width)
      (across.dilation.height, across.dilation.width) = (p.stride.height, p.stride.width)
      let samples = p.batch
      let wanted = try source.output(p.weightCount) { out in
        let channels = try source.output(p.weightCount) {
          try device.conv2d(
            across, try swapped(x, samples, ins, Int(p.height * p.width)),
            try swapped(y, samples, outs, Int(p.output.height * p.output.width)), bias: nil, into: $0)
        }
        try device.swapAxes(channels, outer: 1, a: ins, b: outs, inner: taps, into: out)
      }
      let found = try source.output(p.weightCount) { try device.conv2dGradWeight(p, x, y, into: $0) }
      #expect(largestDifference(try device.floats(found), try device.floats(wanted)).value < 5e-5, "\(p)")
    }
  }

  /// (A B)' = B' A' to the bit, for fma(a, b, c) is fma(b, a, c); and <A B, C> = <B, A' C>.
  @Test(arguments: [(1, 1, 1), (5, 7, 13), (33, 29, 513), (15, 64, 1100)])
  func aProductsTranspositionsAgree(_ m: Int, _ n: Int, _ k: Int) throws {
    let source = try Source()
    let device = source.device
    let (a, b, c) = (try source.input(m * k), try source.input(k * n), try source.input(m * n))
    func product(_ m: Int, _ n: Int, _ k: Int, _ x: Tensor, _ y: Tensor, _ tx: Bool, _ ty: Bool) throws
      -> Tensor
    {
      try source.output(m * n) {
        try device.matmul(
          Matmul(m: m, n: n, k: k, transposeA: tx, transposeB: ty), x, y, bias: nil, into: $0)
      }
    }
    func transposed(_ x: Tensor, _ rows: Int, _ columns: Int) throws -> Tensor {
      try source.output(x.count) { try device.transpose(x, rows: rows, columns: columns, into: $0) }
    }
    let (at, bt) = (try transposed(a, m, k), try transposed(b, k, n))
    let forward = try product(m, n, k, a, b, false, false)
    let bits = try device.floats(try transposed(forward, m, n)).map(\.bitPattern)
    let ways = [
      try product(n, m, k, bt, at, false, false), try product(n, m, k, b, a, true, true),
      try product(n, m, k, b, at, true, false), try product(n, m, k, bt, a, false, true),
    ]
    for way in ways { #expect(try device.floats(way).map(\.bitPattern) == bits) }
    source.expectEqual(
      [
        try source.dot(forward, c), try source.dot(b, try product(k, n, m, a, c, true, false)),
        try source.dot(a, try product(m, k, n, c, b, false, true)),
      ], scale: try source.size(forward) * source.size(c), "\(m) \(n) \(k)")
  }

  @Test func theGradientsOfPoolingsAreTheirAdjoints() throws {
    let source = try Source()
    let device = source.device
    func check(
      _ p: Pooling, _ what: String, _ forward: (Tensor, Tensor) throws -> Void,
      _ back: (Tensor, Tensor) throws -> Void
    ) throws {
      let (x, y) = (try source.input(p.inputCount), try source.input(p.outputCount))
      let out = try source.output(p.outputCount) { try forward(x, $0) }
      let dx = try source.output(p.inputCount) { try back(y, $0) }
      source.expectEqual(
        [try source.dot(out, y), try source.dot(x, dx)], scale: try source.size(out) * source.size(y), what)
    }
    for (kernel, stride, padding) in [(1, 1, 0), (2, 2, 0), (3, 2, 1), (3, 1, 1), (2, 3, 0)] {
      let p = Pooling(
        planes: 3, height: 11, width: 21, kernel: kernel, stride: stride, padding: padding)
      try check(p, "average \(p)") {
        try device.averagePool(p, $0, into: $1)
      } _: {
        try device.averagePoolGrad(p, $0, into: $1)
      }
      // Linear once the places are chosen: those of x itself.
      let indices = try device.allocate([p.outputCount], .int32)
      try check(p, "max \(p)") {
        try device.maxPool(p, $0, into: $1, indices: indices)
      } _: {
        try device.maxPoolGrad(p, $0, indices: indices, into: $1)
      }
    }
    for (height, width) in [(1, 1), (5, 5), (11, 21), (13, 4)] {
      let p = Pooling(planes: 3, height: 11, width: 21, outHeight: height, outWidth: width)
      try check(p, "adaptive \(p)") {
        try device.adaptiveAveragePool(p, $0, into: $1)
      } _: {
        try device.adaptiveAveragePoolGrad(p, $0, into: $1)
      }
    }
    for scale in 1...4 {
      let p = Pooling(planes: 3, height: 5, width: 7, outHeight: 5 * scale, outWidth: 7 * scale)
      try check(p, "upsampling \(scale)") {
        try device.upsampleNearest(planes: 3, height: 5, width: 7, scale: scale, $0, into: $1)
      } _: {
        try device.upsampleNearestGrad(planes: 3, height: 5, width: 7, scale: scale, $0, into: $1)
      }
    }
  }
}
