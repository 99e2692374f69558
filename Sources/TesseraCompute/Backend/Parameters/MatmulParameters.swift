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
  public var sampleGroup: Int {
    get { group.terms }
    set { group.terms = newValue }
  }
  private var group = Group()

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
    case group = "sampleGroup"
  }

  /// `sampleGroup` in a file: not there where it is 0, as before there were groups.
  fileprivate struct Group: Codable, Hashable {
    var terms = 0
  }
}

extension KeyedDecodingContainer {
  fileprivate func decode(_ type: Matmul.Group.Type, forKey key: Key) throws -> Matmul.Group {
    Matmul.Group(terms: try decodeIfPresent(Int.self, forKey: key) ?? 0)
  }
}

extension KeyedEncodingContainer {
  fileprivate mutating func encode(_ group: Matmul.Group, forKey key: Key) throws {
    try encodeIfPresent(group.terms == 0 ? nil : group.terms, forKey: key)
  }
}
