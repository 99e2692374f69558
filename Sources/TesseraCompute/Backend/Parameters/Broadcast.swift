// SPDX-License-Identifier: Apache-2.0

/// Shapes that NumPy's rules bring to one: aligned at their last axes, an extent of 1 stands for any other,
/// and axes that a shape lacks in front are of extent 1.
public struct Broadcast: Codable, Hashable, Sendable {
  /// The shapes of the operands, in order.
  public let inputs: [[Int]]
  /// The shape of the result.
  public let output: [Int]

  /// The common shape of some.
  ///
  /// - Parameters:
  ///   - inputs: the operands' shapes, one or more.
  ///   - place: what is computed, for the message.
  /// - Throws: `TesseraError` that names the shapes and the axis at which they differ.
  public init(_ inputs: [[Int]], place: String = "broadcast") throws {
    self.inputs = inputs
    let rank = inputs.map(\.count).max() ?? 0
    var output = [Int](repeating: 1, count: rank)
    for shape in inputs {
      for (axis, extent) in shape.enumerated() where extent != 1 {
        let at = rank - shape.count + axis
        guard output[at] == 1 || output[at] == extent else {
          throw TesseraError.failure(
            place, found: inputs.map { "\($0)" }.joined(separator: " and "),
            wanted: "shapes whose extents, from the last axis on, are equal or 1: axis \(at - rank) has "
              + "\(output[at]) and \(extent)")
        }
        output[at] = extent
      }
    }
    _ = try Tensor.elementCount(output, place)
    self.output = output
  }

  /// Elements of the operands, and of the result.
  ///
  /// - Throws: `TesseraError` for shapes that make no tensor, as a value that was read may have them.
  func counts(_ place: String, operands: Int) throws -> (inputs: [Int], output: Int) {
    guard inputs.count == operands else {
      throw TesseraError.failure(place, found: "\(inputs.count) shapes", wanted: "\(operands)")
    }
    guard try Broadcast(inputs, place: place).output == output else {
      throw TesseraError.failure(
        place, found: "a result \(output) of \(inputs)", wanted: "their common shape")
    }
    return (try inputs.map { try Tensor.elementCount($0, place) }, try Tensor.elementCount(output, place))
  }

  /// The operands seen through the result's axes.
  var layout: StridedLayout {
    StridedLayout(
      extents: output,
      arrays: inputs.map { shape in
        var (strides, step) = ([Int](repeating: 0, count: output.count), 1)
        for (axis, extent) in shape.enumerated().reversed() {
          if extent != 1 { strides[output.count - shape.count + axis] = step }
          step *= extent
        }
        return .init(offset: 0, strides: strides)
      })
  }
}
