// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

extension Context {
  /// x divided by (k + alpha / size times the sum of squares of `size` neighbouring channels)^beta, as
  /// PyTorch's LocalResponseNorm.
  public func localResponseNorm(
    _ x: Variable, size: Int, alpha: Float = 1e-4, beta: Float = 0.75, k: Float = 1
  ) throws -> Variable {
    let extents = try Channels(x, "localResponseNorm")
    let p = LocalResponseNormalization(
      outer: extents.batch, channels: extents.channels, inner: extents.inner, size: size, alpha: alpha,
      beta: beta, k: k)
    let (y, scale) = (try device.empty(x.shape), try device.empty(x.shape))
    try device.localResponseNorm(p, x.value, into: y, scale: scale)
    let device = device
    return output(y, of: [x]) { tape, dy in
      let dx = try device.allocate(x.shape, .float32)
      try device.localResponseNormGrad(p, x.value, dy, scale: scale, into: dx)
      try tape.accumulate(dx, to: x)
    }
  }

  /// Deals the channels of x (batch, channels, ...) out over `groups`, as PyTorch's channel_shuffle.
  public func channelShuffle(_ x: Variable, groups: Int) throws -> Variable {
    let extents = try Channels(x, "channelShuffle")
    guard groups > 0, extents.channels % groups == 0 else {
      throw TesseraError.failure(
        "channelShuffle", found: "\(groups) groups of \(extents.channels) channels", wanted: "a divisor")
    }
    let (size, y) = (extents.channels / groups, try device.empty(x.shape))
    try device.swapAxes(x.value, outer: extents.batch, a: groups, b: size, inner: extents.inner, into: y)
    let device = device
    return output(y, of: [x]) { tape, dy in
      let dx = try device.allocate(x.shape, .float32)
      try device.swapAxes(dy, outer: extents.batch, a: size, b: groups, inner: extents.inner, into: dx)
      try tape.accumulate(dx, to: x)
    }
  }

  /// Channels `range` of x (batch, channels, ...).
  public func channels(_ range: Range<Int>, of x: Variable) throws -> Variable {
    let extents = try Channels(x, "channels")
    guard range.lowerBound >= 0, range.upperBound <= extents.channels else {
      throw TesseraError.failure("channels", found: "\(range)", wanted: "within 0..<\(extents.channels)")
    }
    let (row, part) = (extents.channels * extents.inner, range.count * extents.inner)
    let region = CopyRegion(
      rows: extents.batch, columns: part, sourceOffset: range.lowerBound * extents.inner, sourceStride: row,
      destinationStride: part)
    var shape = x.shape
    shape[1] = range.count
    let y = try device.empty(shape)
    try device.copy(x.value, to: y, region: region)
    let device = device
    return output(y, of: [x]) { tape, dy in
      let dx = try device.allocate(x.shape, .float32)
      try device.fill(dx, with: 0)
      try device.copy(dy, to: dx, region: region.reversed)
      try tape.accumulate(dx, to: x)
    }
  }

  /// The channels of a, then those of b.
  public func concatenateChannels(_ a: Variable, _ b: Variable) throws -> Variable {
    let (first, second) = (try Channels(a, "concatenateChannels"), try Channels(b, "concatenateChannels"))
    guard first.batch == second.batch, first.inner == second.inner, a.shape.count == b.shape.count else {
      throw TesseraError.failure(
        "concatenateChannels", found: "\(a.shape) and \(b.shape)", wanted: "equal but for the channels")
    }
    let row = (first.channels + second.channels) * first.inner
    func region(_ part: Channels, at offset: Int) -> CopyRegion {
      CopyRegion(
        rows: part.batch, columns: part.channels * part.inner, sourceStride: part.channels * part.inner,
        destinationOffset: offset, destinationStride: row)
    }
    let parts = [(a, region(first, at: 0)), (b, region(second, at: first.channels * first.inner))]
    var shape = a.shape
    shape[1] += second.channels
    let y = try device.empty(shape)
    for (x, region) in parts { try device.copy(x.value, to: y, region: region) }
    let device = device
    return output(y, of: [a, b]) { tape, dy in
      for (x, region) in parts where x.requiresGradient {
        let dx = try device.allocate(x.shape, .float32)
        try device.copy(dy, to: dx, region: region.reversed)
        try tape.accumulate(dx, to: x)
      }
    }
  }
}

/// The extents of (batch, channels, ...), what follows the channels taken together.
struct Channels {
  let batch: Int, channels: Int, inner: Int

  init(_ x: Variable, _ place: String) throws {
    guard x.shape.count >= 2 else {
      throw TesseraError.failure(place, found: "\(x.shape)", wanted: "(batch, channels, ...)")
    }
    (batch, channels, inner) = (x.shape[0], x.shape[1], x.shape[2...].reduce(1, *))
  }
}

extension CopyRegion {
  /// The copy back.
  fileprivate var reversed: CopyRegion {
    CopyRegion(
      rows: rows, columns: columns, sourceOffset: destinationOffset, sourceStride: destinationStride,
      destinationOffset: sourceOffset, destinationStride: sourceStride)
  }
}
