// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

extension Variable {
  /// The matrix product of the last two axes; those before them are batches that broadcast, as NumPy's
  /// `matmul`. A variable of one axis is a row on the left and a column on the right, without that axis in
  /// the result.
  ///
  /// - Parameter other: (..., k, n) for this (..., m, k).
  /// - Returns: (..., m, n).
  /// - Throws: `TesseraError` for shapes that do not fit.
  public func matmul(_ other: Variable) throws -> Variable {
    let context = try Context.of([self, other], "matmul")
    let (a, b) = (shape, other.shape)
    guard let k = a.last, let columns = b.last, k == (b.count > 1 ? b[b.count - 2] : columns) else {
      throw TesseraError.failure("matmul", found: "\(a) and \(b)", wanted: "(..., m, k) and (..., k, n)")
    }
    let left = a.count > 1 ? self : try context.reshape(self, [1, k])
    let right = b.count > 1 ? other : try context.reshape(other, [k, 1])
    let product =
      right.shape.count == 2
      ? try context.product(left, with: right) : try context.batchedProducts(left, right)
    guard a.count == 1 || b.count == 1 else { return product }
    var shape = product.shape
    if b.count == 1 { shape.removeLast() }
    if a.count == 1 { shape.remove(at: shape.count - (b.count == 1 ? 1 : 2)) }
    return try context.reshape(product, shape)
  }
}

extension Context {
  /// (..., m, k) by one matrix (k, n): a product of all rows. `transposed`: the matrix is stored as (n, k),
  /// as layers have their weights. A bias (n) is added to the sums, with the bits of an addition of its own.
  func product(
    _ a: Variable, with b: Variable, transposed: Bool = false, bias: Variable? = nil
  ) throws -> Variable {
    let (k, n) = (b.shape[transposed ? 1 : 0], b.shape[transposed ? 0 : 1])
    let rows = a.shape.dropLast().reduce(1, *)
    let y = try device.allocate(a.shape.dropLast() + [n], .float32)
    var product = Matmul(m: rows, n: n, k: k, transposeB: transposed)
    product.products = products
    try device.matmul(product, a.value, b.value, bias: bias?.value, into: y)
    let biasGradient = broadcastGradient(of: [a, b] + (bias.map { [$0] } ?? []))
    let isOfWeights = b.isOfParameters && !a.isOfParameters
    let (device, products) = (device, products)
    let batch = BatchSums(device: device, part: isOfWeights ? part : nil)
    return output(y, of: [a, b] + (bias.map { [$0] } ?? [])) { tape, dy in
      if let bias { try biasGradient.pass(tape, dy, to: bias) }
      if a.requiresGradient {
        let da = try device.allocate(a.shape, .float32)
        var p = Matmul(m: rows, n: k, k: n, transposeB: !transposed)
        p.products = products
        try device.matmul(p, dy, b.value, bias: nil, into: da)
        try tape.accumulate(da, to: a)
      }
      guard b.requiresGradient else { return }
      let samples = a.shape.first ?? 1
      let perSample = samples > 0 ? rows / samples : 0
      guard isOfWeights else {
        let db = try device.allocate(b.shape, .float32)
        var p = Matmul(m: b.shape[0], n: b.shape[1], k: rows, transposeA: true)
        p.products = products
        try device.matmul(
          p, transposed ? dy : a.value, transposed ? a.value : dy, bias: nil, into: db)
        return try tape.accumulate(db, to: b)
      }
      try batch.pass(tape, to: [b], transposed ? [dy, a.value] : [a.value, dy], by: .chain) {
        inputs, samples in
        let sums = WeightSums(samples: samples, perSample: perSample, products: products)
        return [try device.weightGradient(inputs[0], inputs[1], sums, b.shape[0], b.shape[1])]
      }
    }
  }

  /// Batches of products.
  fileprivate func batchedProducts(_ a: Variable, _ b: Variable) throws -> Variable {
    let lead = try Broadcast([Array(a.shape.dropLast(2)), Array(b.shape.dropLast(2))], place: "matmul").output
    let (m, k, n) = (a.shape[a.shape.count - 2], a.shape[a.shape.count - 1], b.shape[b.shape.count - 1])
    let shapes = (a: lead + [m, k], b: lead + [k, n], c: lead + [m, n])
    let batch = lead.reduce(1, *)
    let (left, right) = (try device.whole(a.value, shapes.a), try device.whole(b.value, shapes.b))
    let y = try device.allocate(shapes.c, .float32)
    try device.matmul(.batched(batch, m, n, k), left, right, bias: nil, into: y)
    let (device, gradient) = (device, broadcastGradient(of: [a, b]))
    return output(y, of: [a, b]) { tape, dy in
      if a.requiresGradient {
        let da = try device.allocate(shapes.a, .float32)
        try device.matmul(.batched(batch, m, k, n, transposeB: true), dy, right, bias: nil, into: da)
        try gradient.pass(tape, da, to: a)
      }
      if b.requiresGradient {
        let db = try device.allocate(shapes.b, .float32)
        try device.matmul(.batched(batch, k, n, m, transposeA: true), left, dy, bias: nil, into: db)
        try gradient.pass(tape, db, to: b)
      }
    }
  }
}

/// The rows that a gradient for weights is a sum over, so many of each sample, and what its products are.
private struct WeightSums {
  let samples: Int, perSample: Int
  let products: Products
}

extension Matmul {
  /// k runs over rows of samples, so many in each group (NUMERICS.md rule 6): chains of fp32, or exact sums
  /// (rule 13).
  mutating func sum(groupsOf rows: Int, by products: Products) {
    self.products = products
    if products == .fp32 { chunk = rows } else { sampleGroup = rows }
  }

  /// Dense batches of equal products.
  fileprivate static func batched(
    _ batch: Int, _ m: Int, _ n: Int, _ k: Int, transposeA: Bool = false, transposeB: Bool = false
  ) -> Matmul {
    var p = Matmul(m: m, n: n, k: k, transposeA: transposeA, transposeB: transposeB)
    p.batch = batch
    (p.a.batchStride, p.b.batchStride, p.c.batchStride) = (m * k, k * n, m * n)
    return p
  }
}

extension Backend {
  /// The elements, repeated where the shape asks for it.
  fileprivate func whole(_ x: Tensor, _ shape: [Int]) throws -> Tensor {
    try x.count == Tensor.elementCount(shape, "matmul") ? x.reshaped(shape) : expanded(x, to: shape)
  }

  /// The gradient x^T dy of weights (k, n) over rows of samples: chains in groups of 8 samples, as rule 6 has
  /// it. A group of more rows than one chain may have is a product of its own.
  fileprivate func weightGradient(
    _ x: Tensor, _ dy: Tensor, _ sums: WeightSums, _ k: Int, _ n: Int
  ) throws -> Tensor {
    let (rows, group) = (sums.samples * sums.perSample, BatchShard.group * sums.perSample)
    let total = try allocate([k, n], .float32)
    var p = Matmul(m: k, n: n, k: rows, transposeA: true)
    guard group > p.chunk, sums.products == .fp32 else {
      p.sum(groupsOf: Swift.max(1, group), by: sums.products)
      try matmul(p, x, dy, bias: nil, into: total)
      return total
    }
    try fill(total, with: 0)
    let part = try allocate([k, n], .float32)
    for first in stride(from: 0, to: rows, by: group) {
      p.k = Swift.min(group, rows - first)
      (p.a.offset, p.b.offset) = (first * k, first * n)
      try matmul(p, x, dy, bias: nil, into: part)
      try binary(.add, total, part, into: total)
    }
    return total
  }
}
