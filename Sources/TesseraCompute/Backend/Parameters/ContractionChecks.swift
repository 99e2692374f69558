// SPDX-License-Identifier: Apache-2.0
internal import Kernels

extension Tensor {
  /// Throws unless the tensor holds (points, dims), of which rows and columns of distances are.
  func checkPoints(
    _ place: String, _ rows: Range<Int>, _ columns: Range<Int>, points: Int, dims: Int, distances: Tensor
  ) throws {
    try requireExtents(place, points, dims)
    // Before anything is counted: what a file says may be too far apart for that.
    for range in [rows, columns] where range.lowerBound < 0 || range.upperBound > points {
      throw TesseraError.failure(place, found: "points \(range)", wanted: "some of 0..<\(points)")
    }
    try requireExtents(place, rows.count, columns.count)
    try require(place, [(self, points * dims)], into: [(distances, rows.count * columns.count)])
  }
}

extension Matmul {
  /// The kernels' parameters, with the bias that was given: one without a kind is per column.
  ///
  /// - Throws: `TesseraError` unless every element that the product touches lies inside its tensor, and
  ///   once in C; for a kind of bias without a bias.
  func checked(a: Tensor, b: Tensor, c: Tensor, bias: Tensor?) throws -> tsr_matmul_params {
    try require(
      "matmul", ([a, b] + (bias.map { [$0] } ?? [])).map { ($0, $0.count) }, into: [(c, c.count)])
    var p = self
    if bias != nil, p.bias == .none { p.bias = .column }
    guard bias != nil || p.bias == .none else {
      throw TesseraError.failure("matmul", found: "bias \(p.bias) without a bias", wanted: "none, or a bias")
    }
    try p.checkFields()
    try p.checkReach(a: a.count, b: b.count, c: c.count, bias: bias?.count ?? 0)
    return tsr_matmul_params(p)
  }

  /// The greatest m, n and k of exact products: places among digits then fit 32 bits.
  static let greatestExactExtent = 1 << 28

  private func checkFields() throws {
    let fields = FieldCheck(place: "matmul")
    let numbers = [
      ("m", m), ("n", n), ("k", k), ("batch", batch), ("biasOffset", biasOffset),
      ("a.offset", a.offset), ("a.rowStride", a.rowStride), ("a.columnStride", a.columnStride),
      ("a.batchStride", a.batchStride), ("b.offset", b.offset), ("b.rowStride", b.rowStride),
      ("b.columnStride", b.columnStride), ("b.batchStride", b.batchStride), ("c.offset", c.offset),
      ("c.rowStride", c.rowStride), ("c.batchStride", c.batchStride),
    ]
    for (name, value) in numbers { try fields.require(name, value) }
    try fields.require("chunk", chunk, in: 1...Int(TSR_K_CHUNK))
    guard products == .fp32 || chunk == Int(TSR_K_CHUNK) else {
      throw TesseraError.failure(
        "matmul", found: "products \(products.rawValue) in chunks of \(chunk)",
        wanted: "chunk \(TSR_K_CHUNK), one exact sum over k, or fp32 products")
    }
    guard products == .fp32 || max(m, n, k) <= Self.greatestExactExtent else {
      throw TesseraError.failure(
        "matmul", found: "\(m) x \(n) x \(k) of products \(products.rawValue)",
        wanted: "extents up to \(Self.greatestExactExtent), or fp32 products")
    }
    try checkSampleGroup(fields)
  }

  private func checkSampleGroup(_ fields: FieldCheck) throws {
    guard sampleGroup != 0 else { return }
    try fields.require("sampleGroup", sampleGroup, in: 1...Self.greatestExactExtent)
    guard products != .fp32, batch == 1, bias == .none, activation == .none else {
      throw TesseraError.failure(
        "matmul",
        found: "sampleGroup \(sampleGroup) of products \(products.rawValue), batch \(batch), bias \(bias), "
          + "activation \(activation)",
        wanted: "one product s3 or s2 without bias and activation, or sampleGroup 0")
    }
  }

  private func checkReach(a aCount: Int, b bCount: Int, c cCount: Int, bias biasCount: Int) throws {
    let wanted = bias == .none ? 0 : biasOffset + (bias == .column ? n : m)
    try checkCount("the bias", holds: wanted, of: biasCount)
    guard batch > 0, m > 0, n > 0 else { return }
    if k > 0 {
      try checkCount(
        "a", holds: reach(a.offset, (batch, a.batchStride), (m, a.rowStride), (k, a.columnStride)), of: aCount
      )
      try checkCount(
        "b", holds: reach(b.offset, (batch, b.batchStride), (k, b.rowStride), (n, b.columnStride)), of: bCount
      )
    }
    try checkCount("c", holds: reach(c.offset, (batch, c.batchStride), (m, c.rowStride), (n, 1)), of: cCount)
    // C's products lie one after another, or side by side in its rows.
    let isApart =
      batch == 1 || c.batchStride >= reach(0, (m, c.rowStride), (n, 1))
      || c.batchStride >= n && (m == 1 || reach(0, (batch, c.batchStride), (n, 1)) <= c.rowStride)
    guard c.rowStride >= n, isApart else {
      throw TesseraError.failure(
        "matmul",
        found: "c.rowStride \(c.rowStride), c.batchStride \(c.batchStride) of \(batch) x \(m) x \(n)",
        wanted: "sums that lie apart")
    }
  }

  /// Elements up to the last that extents and strides reach; Int.max where it does not fit.
  private func reach(_ offset: Int, _ axes: (extent: Int, stride: Int)...) -> Int {
    axes.reduce(offset + 1) { sum, axis in
      let (next, overflow) = sum.addingReportingOverflow((axis.extent - 1) * axis.stride)
      return overflow ? Int.max : next
    }
  }

  private func checkCount(_ name: String, holds wanted: Int, of count: Int) throws {
    guard count >= wanted else {
      throw TesseraError.failure(
        "matmul", found: "\(name) of \(count) elements", wanted: "\(wanted), as \(self) reaches")
    }
  }
}
