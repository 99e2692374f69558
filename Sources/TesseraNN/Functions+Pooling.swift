// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

extension Context {
  /// The largest element of each window of x (batch, channels, h, w); windows lie side by side, unless a
  /// stride is given.
  public func maxPool(_ x: Variable, kernel: Int, stride: Int? = nil, padding: Int = 0) throws -> Variable {
    let p = try windows("maxPool", x, kernel: kernel, stride: stride ?? kernel, padding: padding)
    let y = try device.empty([x.shape[0], x.shape[1], p.output.height, p.output.width])
    let indices = try device.allocate(y.shape, .int32)
    try device.maxPool(p, x.value, into: y, indices: indices)
    let device = device
    return output(y, of: [x]) { tape, dy in
      let dx = try device.allocate(x.shape, .float32)
      try device.maxPoolGrad(p, dy, indices: indices, into: dx)
      try tape.accumulate(dx, to: x)
    }
  }

  /// The mean of each window of x (batch, channels, h, w), padding counted; windows lie side by side, unless
  /// a stride is given.
  public func averagePool(_ x: Variable, kernel: Int, stride: Int? = nil, padding: Int = 0) throws -> Variable
  {
    let p = try windows("averagePool", x, kernel: kernel, stride: stride ?? kernel, padding: padding)
    let y = try device.empty([x.shape[0], x.shape[1], p.output.height, p.output.width])
    try device.averagePool(p, x.value, into: y)
    let device = device
    return output(y, of: [x]) { tape, dy in
      let dx = try device.allocate(x.shape, .float32)
      try device.averagePoolGrad(p, dy, into: dx)
      try tape.accumulate(dx, to: x)
    }
  }

  /// The mean over windows that share x (batch, channels, h, w) out to size x size, as PyTorch's.
  public func adaptiveAveragePool(_ x: Variable, size: Int) throws -> Variable {
    try requireImage("adaptiveAveragePool", x)
    guard size >= 1, size <= Int(Int32.max) else {
      throw TesseraError.failure("adaptiveAveragePool", found: "size \(size)", wanted: "1 or more")
    }
    let p = Pooling(
      planes: x.shape[0] * x.shape[1], height: x.shape[2], width: x.shape[3], outHeight: size, outWidth: size)
    let y = try device.empty([x.shape[0], x.shape[1], size, size])
    try device.adaptiveAveragePool(p, x.value, into: y)
    let device = device
    return output(y, of: [x]) { tape, dy in
      let dx = try device.allocate(x.shape, .float32)
      try device.adaptiveAveragePoolGrad(p, dy, into: dx)
      try tape.accumulate(dx, to: x)
    }
  }

  /// Windows over the planes of x, of which at least one has room.
  private func windows(
    _ place: String, _ x: Variable, kernel: Int, stride: Int, padding: Int
  ) throws -> Pooling {
    try requireImage(place, x)
    let p = Pooling(
      planes: x.shape[0] * x.shape[1], height: x.shape[2], width: x.shape[3], kernel: kernel, stride: stride,
      padding: padding)
    guard kernel >= 1, stride >= 1, padding >= 0, p.output.height > 0, p.output.width > 0 else {
      throw TesseraError.failure(
        place, found: "kernel \(kernel), stride \(stride), padding \(padding) on \(x.shape)",
        wanted: "kernel and stride of 1 or more, and room for one window")
    }
    return p
  }

  private func requireImage(_ place: String, _ x: Variable) throws {
    try require(place, x, rank: 4, "(batch, channels, height, width)")
    guard x.shape[2] > 0, x.shape[3] > 0 else {
      throw TesseraError.failure(place, found: "\(x.shape)", wanted: "images of one pixel or more")
    }
  }
}
