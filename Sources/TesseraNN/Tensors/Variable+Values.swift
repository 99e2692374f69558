// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

extension Variable {
  /// The elements in row-major order, read back from the device.
  ///
  /// - Throws: `TesseraError` for integers, and where the device fails.
  public func values() throws -> [Float] { try device("values").floats(value) }

  /// The device that has the elements; the context may be gone.
  func device(_ place: String) throws -> any Backend {
    guard let home else { return try Context.of([self], place).device }
    return home.device
  }

  /// The one element, read back from the device.
  ///
  /// - Throws: `TesseraError` for more or fewer.
  public func item() throws -> Float {
    let values = try values()
    guard values.count == 1 else {
      throw TesseraError.failure("item", found: "\(values.count) elements of \(shape)", wanted: "one")
    }
    return values[0]
  }

  /// Gradients of this number for everything that it was computed from.
  ///
  /// - Throws: `TesseraError` for more than one element, for a context without a tape, and as
  ///   `Tape.backward(from:gradient:)`.
  public func backward() throws {
    let context = try Context.of([self], "backward")
    guard let tape = context.tape else { throw Context.noTape }
    guard value.count == 1 else {
      throw TesseraError.failure(
        "backward", found: "\(shape)",
        wanted: "one number, such as a mean; context.backward(meanOf:) takes losses")
    }
    let gradient = try context.device.allocate(shape, .float32)
    try context.device.fill(gradient, with: 1)
    try tape.backward(from: self, gradient: gradient)
  }
}

extension Variable: CustomStringConvertible {
  /// The elements, nested by axes, where a context knows the device; else the shape.
  public var description: String {
    let head = "\(value.elementType) \(shape)"
    guard let home, let text = try? home.device.text(of: value) else { return head }
    return "\(text) \(head)"
  }
}
