// SPDX-License-Identifier: Apache-2.0

/// What a sum of products is. Each mode has bits of its own, the same on every device.
public enum Products: String, NamedOption {
  /// Chains of fused products of fp32 numbers (NUMERICS.md rule 4).
  case fp32
  /// Exact sums of integers of three digits of eight bits (rule 12): as good as fp32 within twice its error
  /// where the magnitudes of a row are alike.
  case s3
  /// The same with two digits: between TF32 and fp32, in two thirds of the multiplications.
  case s2

  /// Digits of an operand; nil where it has none.
  var digits: Int? {
    switch self {
    case .fp32: nil
    case .s3: 3
    case .s2: 2
    }
  }
}

/// How files hold them: those that are fp32's are not named, as before there were others. The codings that the
/// compiler writes call these.
extension KeyedDecodingContainer {
  /// Products by their name; fp32's where there is none.
  package func decode(_ type: Products.Type, forKey key: Key) throws -> Products {
    try decodeIfPresent(type, forKey: key) ?? .fp32
  }
}

extension KeyedEncodingContainer {
  /// The name of products that are not fp32's.
  package mutating func encode(_ products: Products, forKey key: Key) throws {
    try encodeIfPresent(products == .fp32 ? nil : products, forKey: key)
  }
}
