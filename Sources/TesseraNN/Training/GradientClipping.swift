// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

extension Parameter {
  /// Scales gradients down so that the norm of all of them together is no more than a bound (Pascanu, Mikolov
  /// and Bengio 2013), as PyTorch's `clip_grad_norm_`. Nothing waits for the device.
  ///
  /// - Parameters:
  ///   - parameters: those that have a gradient are scaled.
  ///   - norm: the bound, 0 or more.
  ///   - device: where they are.
  /// - Returns: the norm before, of one element.
  /// - Throws: `TesseraError` for a bound that is no finite number of 0 or more, and what the device does.
  @discardableResult
  public static func clipGradients(
    _ parameters: [(name: String, parameter: Parameter)], norm: Float, on device: any Backend
  ) throws -> Tensor {
    guard norm >= 0, norm.isFinite else {
      throw TesseraError.failure(
        "clipGradients", found: "a norm of \(norm)", wanted: "a finite number, 0 or more")
    }
    var seen: Set<ObjectIdentifier> = []
    let held = parameters.map(\.parameter).filter {
      $0.gradient != nil && seen.insert(ObjectIdentifier($0)).inserted
    }
    let squares = try device.allocate([held.count], .float32)
    for (index, parameter) in held.enumerated() {
      guard let gradient = parameter.gradient else { continue }
      let square = try device.combined(.multiply, gradient, gradient)
      let sum = try device.allocate([1], .float32)
      try device.rowSum(square, rows: 1, columns: square.count, into: sum)
      try device.copy(
        sum, to: squares,
        region: CopyRegion(
          rows: 1, columns: 1, sourceStride: 1, destinationOffset: index, destinationStride: 1))
    }
    let total = try device.allocate([], .float32)
    try device.rowSum(squares, rows: 1, columns: held.count, into: total)
    try device.unary(.sqrt, total, alpha: 0, beta: 0, into: total)
    let bound = try device.combined(
      .divide, try device.scalar(norm), try device.affine(total, scale: 1, shift: 1e-6))
    let factor = try device.combined(.minimum, bound, try device.scalar(1))
    for parameter in held {
      // Not in place: what one gradient's memory is may be another's too.
      try parameter.replaceGradient { try device.combined(.multiply, $0, factor) }
    }
    return total
  }

  /// Puts a gradient of one's own in place of that of the last pass.
  ///
  /// - Parameter gradient: of the value's shape, float32.
  /// - Throws: `TesseraError` for another shape or type, and for a parameter that no pass has reached.
  public func setGradient(_ gradient: Tensor) throws {
    guard gradient.shape == value.shape, gradient.elementType == .float32 else {
      throw TesseraError.failure(
        "setGradient", found: "\(gradient.elementType) \(gradient.shape)", wanted: "float32 \(value.shape)")
    }
    try replaceGradient { _ in gradient }
  }
}
