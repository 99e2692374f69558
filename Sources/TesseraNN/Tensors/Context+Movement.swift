// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

extension Context {
  func permute(_ x: Variable, _ order: [Int]) throws -> Variable {
    let device = device
    return output(try device.permuted(x.value, order), of: [x]) { tape, dy in
      try tape.accumulate(try device.permuted(dy, Axes.inverse(order)), to: x)
    }
  }

  func part(_ part: AxisPart, of x: Variable, _ axis: Int) throws -> Variable {
    let copy = part.copy(x.shape, axis)
    let y = try device.allocate(copy.shape, x.value.elementType)
    try device.copy(x.value, to: y, strided: copy.from)
    let device = device
    return output(y, of: [x]) { tape, dy in
      let dx = try device.allocate(x.shape, .float32)
      try device.fill(dx, with: 0)
      try device.copy(dy, to: dx, strided: copy.back)
      try tape.accumulate(dx, to: x)
    }
  }

  func expand(_ x: Variable, _ shape: [Int]) throws -> Variable {
    guard try Broadcast([x.shape, shape], place: "expand").output == shape else {
      throw TesseraError.failure("expand", found: "\(x.shape)", wanted: "a shape that broadcasts to \(shape)")
    }
    let gradient = broadcastGradient(of: [x])
    return output(try device.expanded(x.value, to: shape), of: [x]) { tape, dy in
      try gradient.pass(tape, dy, to: x)
    }
  }

  func pad(_ x: Variable, _ widths: [(before: Int, after: Int)], _ value: Float) throws -> Variable {
    let bound = 0...Int(Int32.max)
    guard widths.count == x.shape.count,
      widths.allSatisfy({ bound.contains($0.before) && bound.contains($0.after) })
    else {
      throw TesseraError.failure(
        "pad", found: "widths \(widths)", wanted: "two of 0 or more for each axis of \(x.shape)")
    }
    let shape = zip(x.shape, widths).map { $0 + $1.before + $1.after }
    let y = try device.allocate(shape, .float32)
    try device.fill(y, with: value)
    let strides = StridedCopy.strides(shape)
    let offset = x.value.count == 0 ? 0 : zip(strides, widths).reduce(0) { $0 + $1.0 * $1.1.before }
    try device.copy(
      x.value, to: y, strided: StridedCopy(x.shape, destinationOffset: offset, destinationStrides: strides))
    let device = device
    return output(y, of: [x]) { tape, dy in
      let dx = try device.allocate(x.shape, .float32)
      try device.copy(dy, to: dx, strided: StridedCopy(x.shape, sourceOffset: offset, sourceStrides: strides))
      try tape.accumulate(dx, to: x)
    }
  }

  func concatenate(_ parts: [Variable], _ axis: Int) throws -> Variable {
    guard let first = parts.first else {
      throw TesseraError.failure("concatenate", found: "nothing", wanted: "one variable or more")
    }
    let axis = try Axes.one("concatenate", axis, of: first.shape)
    var (shape, places) = (first.shape, [AxisPart]())
    shape[axis] = 0
    for part in parts {
      var other = part.shape
      guard other.count == shape.count, part.value.elementType == .float32 else {
        throw Self.unlike(first, part, axis)
      }
      places.append(AxisPart(first: shape[axis], count: other[axis], step: 1))
      let (sum, overflow) = shape[axis].addingReportingOverflow(other[axis])
      (shape[axis], other[axis]) = (sum, sum)
      guard !overflow, other == shape else { throw Self.unlike(first, part, axis) }
    }
    let y = try device.allocate(shape, .float32)
    let whole = shape
    for (part, place) in zip(parts, places) {
      try device.copy(part.value, to: y, strided: place.copy(whole, axis).back)
    }
    let device = device
    return output(y, of: parts) { tape, dy in
      for (part, place) in zip(parts, places) where part.requiresGradient {
        let dx = try device.allocate(part.shape, .float32)
        try device.copy(dy, to: dx, strided: place.copy(whole, axis).from)
        try tape.accumulate(dx, to: part)
      }
    }
  }

  private static func unlike(_ a: Variable, _ b: Variable, _ axis: Int) -> TesseraError {
    .failure(
      "concatenate", found: "\(a.value.elementType) \(a.shape) and \(b.value.elementType) \(b.shape)",
      wanted: "float32, equal but for axis \(axis)")
  }
}
