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
    var q = tsr_integer_params(lines: p.n, k: p.k, isRight: true, layout(digits))
    (q.offset, q.line_stride, q.k_stride) = (p.b_offset, p.b_col_stride, p.b_row_stride)
    (q.factors, q.scales, q.first) = (
      isBalanced ? p.k : -1, 3 * p.k, Self.firstDigit(after: 3 * Int(p.k) + Int(p.n))
    )
    let form = try allocate([Int(q.first) + layout(digits).count(q)], .int32)
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
    let layout = layout(way.digits)
    var left = tsr_integer_params(lines: p.m, k: p.k, isRight: false, layout)
    (left.offset, left.line_stride, left.k_stride) = (p.a_offset, p.a_row_stride, p.a_col_stride)
    left.factors = way.isBalanced ? 0 : -1
    left.first = Self.firstDigit(after: Int(p.m))
    let form = try allocate([Int(left.first) + layout.count(left)], .int32)
    try launch(.integerDigits, items: Int(p.m), cost: Int(p.k), left, [a, b, form])
    var q = tsr_integer_gemm_params()
    (q.gemm, q.words, q.digits) = (p, left.words, left.digits)
    (q.a_first, q.b_scales, q.b_first) = (
      left.first, 3 * p.k, Self.firstDigit(after: 3 * Int(p.k) + Int(p.n))
    )
    try integerProduct(q, form, b, bias: bias, into: c, by: way.units)
  }

  /// The product of two forms, by the device's matrix units if it has any.
  func integerProduct(
    _ q: tsr_integer_gemm_params, _ a: Tensor, _ b: Tensor, bias: Tensor, into c: Tensor
  ) throws {
    try integerProduct(q, a, b, bias: bias, into: c, by: matrixForm(digits: Int(q.digits)))
  }

  /// The product of two forms by certain units, or by plain arithmetic.
  private func integerProduct(
    _ q: tsr_integer_gemm_params, _ a: Tensor, _ b: Tensor, bias: Tensor, into c: Tensor,
    by units: MatrixUnitForm?
  ) throws {
    let (m, n) = (Int(q.gemm.m), Int(q.gemm.n))
    if let units, let tile = try units.tile(m: m, n: n, digits: Int(q.digits), on: device) {
      return try unitProduct(q, units, tile: tile, a, b, bias: bias, into: c)
    }
    var q = q
    q.rows = 64
    let options = " -DTSR_DIGITS=\(q.digits)" + (!gpu && matrixUnits.usesVNNI ? " -DTSR_VNNI" : "")
    let global = [gpu ? (n + 63) / 64 * 16 : (n + 15) / 16, (m + 63) / 64 * (gpu ? 16 : 1)]
    try withUnsafeBytes(of: q) {
      try enqueue(
        .integerMatmul, options: options, global: global, local: gpu ? [16, 16] : [1, 1],
        parameters: $0, [a, b, bias, c])
    }
  }

  /// Where digits begin: on a border of 64 bytes.
  static func firstDigit(after words: Int) -> Int32 { Int32((words + 15) / 16 * 16) }
}

/// How lines are stored as digits in a variant of the kernels, in words of 32 bits.
struct DigitLayout {
  /// Words of a line of so many terms: GPUs, of a digit; CPU devices, of all.
  let words: @Sendable (_ k: Int) -> Int
  /// Digits that have words of their own.
  let planes: Int
  let digits: Int
  /// What the right operand's lines are filled up to.
  let strip: Int

  /// Words of so many lines.
  func count(_ lines: Int, words: Int, isRight: Bool) -> Int {
    elements(isRight ? (lines + strip - 1) / strip * strip : lines, planes, words)
  }

  fileprivate func count(_ q: tsr_integer_params) -> Int {
    count(Int(q.lines), words: Int(q.words), isRight: q.right != 0)
  }
}

extension OpenCLBackend {
  /// Four terms of a digit a word, filled up to 32; on CPU devices words of 16 bits in pairs of terms, the right
  /// operand's in strips of 16 lines (`Kernels/integer_gemm/digit_words.h`).
  func layout(_ digits: Int) -> DigitLayout {
    gpu
      ? DigitLayout(words: { ($0 + 31) / 32 * 8 }, planes: digits, digits: digits, strip: 1)
      : DigitLayout(
        words: { ($0 + 1) / 2 * (digits == 3 ? 4 : 2) }, planes: 1, digits: digits, strip: 16)
  }
}

extension tsr_integer_params {
  /// Lines of k elements.
  fileprivate init(lines: Int32, k: Int32, isRight: Bool, _ layout: DigitLayout) {
    self.init()
    (self.lines, self.k, digits) = (lines, k, Int32(layout.digits))
    (words, right) = (Int32(layout.words(Int(k))), isRight ? 1 : 0)
  }
}
