// SPDX-License-Identifier: Apache-2.0

extension MemoryBackend {
  /// A tensor's elements as text, nested by axes as NumPy prints them; of large tensors the first and last
  /// three of an axis.
  ///
  /// - Parameters:
  ///   - tensor: of this device.
  ///   - most: elements up to which all are shown.
  /// - Throws: `TesseraError` for a tensor of another device.
  public func text(of tensor: Tensor, most: Int = 1000) throws -> String {
    let words =
      tensor.elementType.isInteger
      ? try ints(tensor).map { "\($0)" } : try floats(tensor).map { "\($0)" }
    let text = TensorText(shape: tensor.shape, words: words, isWhole: words.count <= most)
    return text.nested(axis: 0, from: 0)
  }
}

/// Words of equal width in nested brackets.
private struct TensorText {
  let shape: [Int], words: [String], isWhole: Bool
  private let width: Int
  private static let edge = 3

  init(shape: [Int], words: [String], isWhole: Bool) {
    (self.shape, self.words, self.isWhole) = (shape, words, isWhole)
    width = isWhole ? words.map(\.count).max() ?? 0 : 0
  }

  func nested(axis: Int, from first: Int) -> String {
    guard axis < shape.count else {
      let word = first < words.count ? words[first] : ""
      return shape.isEmpty ? word : String(repeating: " ", count: max(0, width - word.count)) + word
    }
    let (extent, inner) = (shape[axis], shape[(axis + 1)...].reduce(1, *))
    let isCut = !isWhole && extent > 2 * Self.edge
    let places = isCut ? Array(0..<Self.edge) + Array(extent - Self.edge..<extent) : Array(0..<extent)
    var parts = places.map { nested(axis: axis + 1, from: first + $0 * inner) }
    if isCut { parts.insert("...", at: Self.edge) }
    let isLast = axis == shape.count - 1
    let separator = isLast ? ", " : ",\n" + String(repeating: " ", count: axis + 1)
    return "[" + parts.joined(separator: separator) + "]"
  }
}
