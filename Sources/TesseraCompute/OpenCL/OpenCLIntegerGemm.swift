// SPDX-License-Identifier: Apache-2.0
internal import Kernels

/// Products as exact integers (NUMERICS.md rule 12): `Kernels/integer_gemm/integer_gemm.cl`.
extension OpenCLBackend {
  /// The product of a checked call, its operands as so many digits.
  ///
  /// B's digits are kept beside it from the second use in a row on, as weights are used.
  func integerMatmul(
    _ p: tsr_matmul_params, digits: Int, _ a: Tensor, _ b: Tensor, bias: Tensor?, into c: Tensor
  ) throws {
    let isShared = p.batch == 1 || p.b_batch_stride == 0
    let weights = try b.openCLStorage("matmul", pool)
    func run(_ form: Tensor?) throws {
      var form = form
      for product in 0..<p.batch {
        var q = p
        q.a_offset += product * p.a_batch_stride
        q.b_offset += product * p.b_batch_stride
        q.c_offset += product * p.c_batch_stride
        let own = isShared ? form : nil
        let right = try own ?? digitsOfB(q, digits, b)
        form = right
        let way = Way(digits: digits, units: matrixForm(digits: digits))
        try multiply(q, way, a, right, bias: bias ?? a, into: c)
      }
    }
    guard isShared else { return try run(nil) }
    try weights.prepared.use(.init(p, digits: digits, unit: 0), isKept: true) {
      try digitsOfB(p, digits, b)
    } _: {
      try run($0)
    }
  }

  /// C = A B of row-major matrices by certain units, or by plain arithmetic.
  func integerProduct(
    m: Int, n: Int, k: Int, digits: Int, _ a: Tensor, _ b: Tensor, into c: Tensor, by form: MatrixUnitForm?
  ) throws {
    var p = Matmul(m: m, n: n, k: k)
    p.products = digits == 3 ? .s3 : .s2
    let parameters = tsr_matmul_params(p)
    let right = try digitsOfB(parameters, digits, b)
    try multiply(parameters, Way(digits: digits, units: form), a, right, bias: a, into: c)
  }

  /// A product whose k is in groups, each an exact sum of its own, without balance (rule 13).
  func integerGroups(
    _ p: tsr_matmul_params, group: Int, digits: Int, _ a: Tensor, _ b: Tensor, into c: Tensor
  ) throws {
    // Without terms the sums are +0, which the groups' results are added to.
    let firsts = (p.accumulate == 0 ? [Int(p.k)] : []) + Array(stride(from: 0, to: Int(p.k), by: group))
    for (step, first) in firsts.enumerated() {
      var q = p
      q.accumulate = step == 0 ? p.accumulate : 1
      q.k = Int32(min(group, Int(p.k) - first))
      q.a_offset += Int32(first) * p.a_col_stride
      q.b_offset += Int32(first) * p.b_row_stride
      let form = try digitsOfB(q, digits, b, isBalanced: false)
      let way = Way(digits: digits, isBalanced: false, units: matrixForm(digits: digits))
      try multiply(q, way, a, form, bias: a, into: c)
    }
  }

  /// B, balanced unless it is not to be, as digits: a form of its own.
  private func digitsOfB(
    _ p: tsr_matmul_params, _ digits: Int, _ b: Tensor, isBalanced: Bool = true
  ) throws -> Tensor {
    var q = tsr_integer_params(lines: p.n, k: p.k, digits: digits)
    (q.offset, q.line_stride, q.k_stride) = (p.b_offset, p.b_col_stride, p.b_row_stride)
    (q.factors, q.scales, q.first) = (
      isBalanced ? p.k : -1, 3 * p.k, Self.firstDigit(after: 3 * Int(p.k) + Int(p.n))
    )
    let form = try allocate([Int(q.first) + q.digitCount], .int32)
    if isBalanced {
      try launch(.integerExponents, items: Int(p.k), cost: Int(p.n), q, [b, form])
      try launch(.integerBalance, items: 1, cost: Int(p.k), q, [form])
    }
    try launch(.integerDigits, items: Int(p.n), cost: Int(p.k), q, [b, form, form])
    return form
  }

  /// How a product is made: with how many digits, with A's columns balanced by B's rows or not, and by which matrix
  /// units, or by plain arithmetic.
  private struct Way {
    var digits: Int
    var isBalanced = true
    var units: MatrixUnitForm?
  }

  /// The product, B being in its form.
  private func multiply(
    _ p: tsr_matmul_params, _ way: Way, _ a: Tensor, _ b: Tensor, bias: Tensor, into c: Tensor
  ) throws {
    var left = tsr_integer_params(lines: p.m, k: p.k, digits: way.digits)
    (left.offset, left.line_stride, left.k_stride) = (p.a_offset, p.a_row_stride, p.a_col_stride)
    left.factors = way.isBalanced ? 0 : -1
    left.first = Self.firstDigit(after: Int(p.m))
    let form = try allocate([Int(left.first) + left.digitCount], .int32)
    try launch(.integerDigits, items: Int(p.m), cost: Int(p.k), left, [a, b, form])
    var q = tsr_integer_gemm_params()
    (q.gemm, q.words, q.rows) = (p, left.words, 64)
    (q.a_first, q.b_scales, q.b_first) = (
      left.first, 3 * p.k, Self.firstDigit(after: 3 * Int(p.k) + Int(p.n))
    )
    try integerProduct(q, way.digits, form, b, bias: bias, into: c, by: way.units)
  }

  /// The product of two forms, by the device's matrix units if it has any.
  func integerProduct(
    _ q: tsr_integer_gemm_params, _ digits: Int, _ a: Tensor, _ b: Tensor, bias: Tensor, into c: Tensor
  ) throws {
    try integerProduct(q, digits, a, b, bias: bias, into: c, by: matrixForm(digits: digits))
  }

  /// The product of two forms by certain units, or by plain arithmetic.
  private func integerProduct(
    _ q: tsr_integer_gemm_params, _ digits: Int, _ a: Tensor, _ b: Tensor, bias: Tensor, into c: Tensor,
    by units: MatrixUnitForm?
  ) throws {
    let (m, n) = (Int(q.gemm.m), Int(q.gemm.n))
    var options = " -DTSR_DIGITS=\(digits)"
    var global = gpu ? [(n + 63) / 64 * 16, (m + 63) / 64 * 16] : [(n + 1) / 2, (m + 63) / 64]
    var local = gpu ? [16, 16] : [1, 1]
    if let units, q.words <= MatrixUnitForm.longest,
      let tile = units.tile(m: m, n: n, digits: digits, on: device)
    {
      options += units.options(tile: tile)
      local = [units.items(tile), 1]
      global = [(n + tile - 1) / tile * local[0], (m + tile - 1) / tile]
    }
    try withUnsafeBytes(of: q) {
      try enqueue(
        .integerMatmul, options: options, global: global, local: local, parameters: $0, [a, b, bias, c])
    }
  }

  /// Where digits begin: on a border of 64 bytes.
  static func firstDigit(after words: Int) -> Int32 { Int32((words + 15) / 16 * 16) }
}

extension tsr_integer_params {
  /// Lines of k elements; a digit of a line is filled up to 32 of k.
  fileprivate init(lines: Int32, k: Int32, digits: Int) {
    self.init()
    (self.lines, self.k, self.digits) = (lines, k, Int32(digits))
    words = (k + 31) / 32 * 8
  }

  /// Words of all lines' digits.
  fileprivate var digitCount: Int { elements(Int(lines), Int(digits), Int(words)) }
}
