// SPDX-License-Identifier: Apache-2.0

/// Batched, strided matrix products C = act(A B + bias): extents, where the operands lie, and the epilogue.
public struct Matmul: Codable, Hashable, Sendable {
  /// Where the matrices of an operand lie in its tensor, in elements: element (r, c) of matrix b is at
  /// `offset + b batchStride + r rowStride + c columnStride`.
  public struct Operand: Codable, Hashable, Sendable {
    /// The first element.
    public var offset = 0
    /// From a row to the next.
    public var rowStride: Int
    /// From a column to the next.
    public var columnStride: Int
    /// From a matrix of the batch to the next; 0 where all products share one.
    public var batchStride = 0
  }

  /// Where the matrices of C lie in its tensor, as those of an operand; the columns of a row are neighbours.
  public struct Output: Codable, Hashable, Sendable {
    /// The first element.
    public var offset = 0
    /// From a row to the next; n or more.
    public var rowStride: Int
    /// From a matrix of the batch to the next.
    public var batchStride = 0
  }

  /// Rows of A and C.
  public var m: Int
  /// Columns of B and C.
  public var n: Int
  /// Terms of a sum: columns of A, rows of B.
  public var k: Int
  /// Products.
  public var batch = 1
  /// A (m, k).
  public var a: Operand
  /// B (k, n).
  public var b: Operand
  /// C (m, n).
  public var c: Output
  /// What the bias is added along. A bias that is given to `matmul` under `none` is added per column.
  public var bias = BiasKind.none
  /// Where the bias begins in its tensor.
  public var biasOffset = 0
  /// What is applied to a sum after the bias.
  public var activation = FusedActivation.none
  /// Terms of k that are one chain of fused products (NUMERICS.md rule 4), 1 to 512; 8 where k runs over
  /// samples (rule 6).
  public var chunk = 512
  /// Whether the sums of chunks are added to what C holds (rule 6).
  public var accumulates = false
  /// What a sum of products is: a chain of fp32 numbers, or an exact integer (rule 12). Exact sums have no
  /// chunks: `chunk` is 512 then, and the sum is one over all of k.
  public var products = Products.fp32
  /// Terms of k that are one exact sum with scales of their own, whose results are added in ascending order
  /// (rule 13): the rows of 8 samples, where k runs over samples. 0: all of k is one sum.
  public var sampleGroup = 0

  /// C (m,n) = A (m,k) B (k,n) of dense row-major matrices; a transposed one is stored as (k,m) or (n,k).
  public init(m: Int, n: Int, k: Int, transposeA: Bool = false, transposeB: Bool = false) {
    (self.m, self.n, self.k) = (m, n, k)
    a = Operand(rowStride: transposeA ? 1 : k, columnStride: transposeA ? m : 1)
    b = Operand(rowStride: transposeB ? 1 : n, columnStride: transposeB ? k : 1)
    c = Output(rowStride: n)
  }
}

extension Matmul {
  private enum CodingKeys: String, CodingKey {
    case m, n, k, batch, a, b, c, bias, biasOffset, activation, chunk, accumulates, products
    case sampleGroup
  }

  /// Reads a product; one of fp32 sums says nothing of them, as products did before there were others.
  ///
  /// - Parameter decoder: the file's.
  /// - Throws: `DecodingError` for a field that is missing or no number.
  public init(from decoder: any Decoder) throws {
    let fields = try decoder.container(keyedBy: CodingKeys.self)
    m = try fields.decode(Int.self, forKey: .m)
    n = try fields.decode(Int.self, forKey: .n)
    k = try fields.decode(Int.self, forKey: .k)
    batch = try fields.decode(Int.self, forKey: .batch)
    a = try fields.decode(Operand.self, forKey: .a)
    b = try fields.decode(Operand.self, forKey: .b)
    c = try fields.decode(Output.self, forKey: .c)
    bias = try fields.decode(BiasKind.self, forKey: .bias)
    biasOffset = try fields.decode(Int.self, forKey: .biasOffset)
    activation = try fields.decode(FusedActivation.self, forKey: .activation)
    chunk = try fields.decode(Int.self, forKey: .chunk)
    accumulates = try fields.decode(Bool.self, forKey: .accumulates)
    products = try fields.decodeIfPresent(Products.self, forKey: .products) ?? .fp32
    sampleGroup = try fields.decodeIfPresent(Int.self, forKey: .sampleGroup) ?? 0
  }

  /// Writes it; `products` alone if they are not fp32, `sampleGroup` if there is one.
  ///
  /// - Parameter encoder: the file's.
  public func encode(to encoder: any Encoder) throws {
    var fields = encoder.container(keyedBy: CodingKeys.self)
    try fields.encode(m, forKey: .m)
    try fields.encode(n, forKey: .n)
    try fields.encode(k, forKey: .k)
    try fields.encode(batch, forKey: .batch)
    try fields.encode(a, forKey: .a)
    try fields.encode(b, forKey: .b)
    try fields.encode(c, forKey: .c)
    try fields.encode(bias, forKey: .bias)
    try fields.encode(biasOffset, forKey: .biasOffset)
    try fields.encode(activation, forKey: .activation)
    try fields.encode(chunk, forKey: .chunk)
    try fields.encode(accumulates, forKey: .accumulates)
    if products != .fp32 { try fields.encode(products, forKey: .products) }
    if sampleGroup != 0 { try fields.encode(sampleGroup, forKey: .sampleGroup) }
  }
}
