// SPDX-License-Identifier: Apache-2.0
/// The buckets that distances between tokens share in a learnt bias (Raffel et al. 2020, T5): of MPNet's
/// 32, half for keys after the query; the near 8 distances have a bucket each, farther ones share theirs up
/// to 128.
enum DistanceBuckets {
  static let count = 32

  /// The bucket of a key's place less the query's.
  ///
  /// Far buckets are defined by 8 + floor(8 log(n / 8) / log(16)), that is floor(log2((n / 8)^2)): whole
  /// numbers alone say the same, (n / 8)^2 >= 2^k, and no logarithm can round differently.
  static func bucket(_ distance: Int) -> Int {
    let n = distance.magnitude
    let side = distance > 0 ? 16 : 0
    guard n >= 8 else { return side + Int(n) }
    return side + 8 + (1...7).count(where: { n * n >= 64 << $0 })
  }

  /// A bias by distance, row-major (heads, 2 span - 1): distance d at column span - 1 + d.
  ///
  /// - Parameter weights: the learnt bias of each bucket, row-major (count, heads).
  static func table(_ weights: [Float], heads: Int, span: Int) -> [Float] {
    let buckets = (1 - span..<span).map(bucket)
    return (0..<heads).flatMap { head in buckets.map { weights[$0 * heads + head] } }
  }
}
