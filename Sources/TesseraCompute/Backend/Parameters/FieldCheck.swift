// SPDX-License-Identifier: Apache-2.0

/// Looks at fields of parameters before anything is computed with them, and names the one that is wrong.
struct FieldCheck {
  /// The primitive whose parameters they are.
  let place: String

  /// The greatest extent, stride or offset: kernels count in 32 bits.
  static let most = Int(Int32.max)

  /// Throws unless a field is in a range.
  func require(_ name: String, _ value: Int, in range: ClosedRange<Int> = 0...most) throws {
    guard range.contains(value) else {
      let end = range.upperBound == Self.most ? "2^31 - 1" : "\(range.upperBound)"
      throw TesseraError.failure(place, found: "\(name) \(value)", wanted: "\(range.lowerBound) to \(end)")
    }
  }
}
