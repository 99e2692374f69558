import TesseraCompute

extension Context {
  /// The largest element of each window of x (batch, channels, h, w).
  public func maxPool(_ x: Variable, kernel: Int, stride: Int, padding: Int = 0) throws -> Variable {
    try requireImage("maxPool", x)
    let p = PoolParameters(
      planes: x.shape[0] * x.shape[1], height: x.shape[2], width: x.shape[3], kernel: kernel, stride: stride,
      padding: padding)
    let y = try empty([x.shape[0], x.shape[1], Int(p.out_h), Int(p.out_w)])
    let indices = try device.allocate(y.shape, .int32)
    try device.maxPool(p, x.value, into: y, indices: indices)
    let device = device
    return output(y, of: [x]) { tape, dy in
      let dx = try device.allocate(x.shape, .float32)
      try device.maxPoolGrad(p, dy, indices: indices, into: dx)
      try tape.accumulate(dx, to: x)
    }
  }

  /// The mean of each window of x (batch, channels, h, w), padding counted.
  public func averagePool(_ x: Variable, kernel: Int, stride: Int, padding: Int = 0) throws -> Variable {
    try requireImage("averagePool", x)
    let p = PoolParameters(
      planes: x.shape[0] * x.shape[1], height: x.shape[2], width: x.shape[3], kernel: kernel, stride: stride,
      padding: padding)
    let y = try empty([x.shape[0], x.shape[1], Int(p.out_h), Int(p.out_w)])
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
    let p = PoolParameters(
      planes: x.shape[0] * x.shape[1], height: x.shape[2], width: x.shape[3], outHeight: size, outWidth: size)
    let y = try empty([x.shape[0], x.shape[1], size, size])
    try device.adaptiveAveragePool(p, x.value, into: y)
    let device = device
    return output(y, of: [x]) { tape, dy in
      let dx = try device.allocate(x.shape, .float32)
      try device.adaptiveAveragePoolGrad(p, dy, into: dx)
      try tape.accumulate(dx, to: x)
    }
  }

  private func requireImage(_ place: String, _ x: Variable) throws {
    guard x.shape.count == 4 else {
      throw TesseraError.failure(place, found: "\(x.shape)", wanted: "(batch, channels, height, width)")
    }
  }
}
