// SPDX-License-Identifier: Apache-2.0
import Foundation
internal import Kernels

/// What a device's matrix units were found to be.
final class OpenCLMatrixUnits: @unchecked Sendable {
  /// What was asked for.
  let choice: MatrixUnits
  /// Whether kernels for CPU devices multiply words by an instruction that their compiler may not know of this CPU.
  let usesVNNI: Bool
  private let lock = NSLock()
  /// By number of digits; a nil inside: none conforms.
  private var found: [Int: MatrixUnitForm?] = [:]

  /// - Parameters:
  ///   - choice: what is asked for.
  ///   - device: the device; PoCL computes in this process, so that what this CPU has that device has too.
  init(_ choice: MatrixUnits, _ device: OpenCLDevice) {
    self.choice = choice
    usesVNNI =
      choice == .automatic && device.isCPU && device.platform == "Portable Computing Language"
      && tsr_cpu_integer_units(tsr_cpu_table_at(0)) > TSR_INTEGER_VNNI
  }

  /// What was found for so many digits, looking for it at the first call.
  func form(_ digits: Int, _ find: () -> MatrixUnitForm?) -> MatrixUnitForm? {
    lock.withLock {
      if let known = found[digits] { return known }
      let form = find()
      found[digits] = .some(form)
      return form
    }
  }
}

extension OpenCLBackend {
  /// What makes the sums of products as exact integers: a family of matrix units, or plain arithmetic. Builds and
  /// tries the kernels of units if that was not done before, which takes seconds.
  public var exactProductUnits: String {
    let titles = [3, 2].map { digits in
      "s\(digits): \(matrixForm(digits: digits)?.title ?? plainTitle)"
    }
    return titles.joined(separator: ", ")
  }

  private var plainTitle: String { !gpu && matrixUnits.usesVNNI ? "AVX-512 VNNI" : "plain arithmetic" }

  /// The matrix units for so many digits; nil for plain arithmetic.
  func matrixForm(digits: Int) -> MatrixUnitForm? {
    guard gpu else { return nil }
    return matrixUnits.form(digits) {
      switch matrixUnits.choice {
      // A compiler that does not know the instructions, a device without them, other bits: the next one.
      case .automatic:
        MatrixUnitForm.candidates(device).first { (try? conforms($0, digits: digits)) == true }
      case .off: nil
      // A rehearsal is to show what is wrong.
      case .emulated(let family): MatrixUnitForm(family: family, isEmulated: true)
      }
    }
  }

  /// Whether a form has the bits of plain arithmetic: in products of drawn and of greatest numbers, at the tiles'
  /// borders and inside, of one part of k and of two.
  func conforms(_ form: MatrixUnitForm, digits: Int) throws -> Bool {
    for (m, n, k) in [(70, 66, 200), (130, 140, 64), (20, 30, 2100)] {
      var random = SplitMix64(seed: UInt64(m))
      func numbers(_ count: Int) -> [Float] {
        (0..<count).map { _ in
          let draw = random.next()
          let drawn = Float(Int32(truncatingIfNeeded: draw >> 8) >> 8)
          return draw % 4 == 0 ? (draw % 8 == 0 ? 8_355_711 : -8_355_711) : drawn
        }
      }
      let (a, b) = (try tensor(numbers(m * k), [m, k]), try tensor(numbers(k * n), [k, n]))
      let results = try [nil, form].map { form in
        let c = try tensor([Float](repeating: 0, count: m * n), [m, n])
        try integerProduct(m: m, n: n, k: k, digits: digits, a, b, into: c, by: form)
        return try floats(c).map(\.bitPattern)
      }
      guard results[0] == results[1] else { return false }
    }
    return true
  }
}

extension OpenCLBackend {
  /// Bytes of sums of parts of k that are kept at once.
  private static let partBytes = 256 << 20

  /// The product of two forms by matrix units. Sums of a long k, and of a k that alone gives all units work, are made
  /// in parts, which a second kernel adds up.
  func unitProduct(
    _ q: tsr_integer_gemm_params, _ units: MatrixUnitForm, tile: Int, _ a: Tensor, _ b: Tensor, bias: Tensor,
    into c: Tensor
  ) throws {
    let (m, n) = (Int(q.gemm.m), Int(q.gemm.n))
    var q = q
    let split = MatrixUnitForm.split(
      words: Int(q.words), groups: ((m + tile - 1) / tile) * ((n + tile - 1) / tile), on: device)
    (q.parts, q.part_words) = (Int32(split.parts), Int32(split.words))
    let options = " -DTSR_DIGITS=\(q.digits)" + units.options(tile: tile)
    func product(_ q: tsr_integer_gemm_params, into c: Tensor) throws {
      let local = units.items(tile)
      try withUnsafeBytes(of: q) {
        try enqueue(
          .integerMatmul, options: options,
          global: [(n + tile - 1) / tile * local, (Int(q.gemm.m) + tile - 1) / tile, split.parts],
          local: [local, 1, 1], parameters: $0, [a, b, bias, c])
      }
    }
    guard split.parts > 1 else { return try product(q, into: c) }
    let line = elements(8, split.parts, n)
    let rows = max(tile, Self.partBytes / line / tile * tile)
    for first in stride(from: 0, to: m, by: rows) {
      var part = q
      part.gemm.m = Int32(min(rows, m - first))
      part.gemm.c_offset += Int32(first) * q.gemm.c_row_stride
      if q.gemm.bias == BiasKind.row.rawValue { part.gemm.bias_offset += Int32(first) }
      part.a_scales += Int32(first)
      part.a_first += Int32(first) * q.digits * q.words
      let sums = try allocate([Int(part.gemm.m) * line / 4], .int32)
      try product(part, into: sums)
      try launch(.integerJoin, items: Int(part.gemm.m), cost: n * split.parts, part, [sums, a, b, bias, c])
    }
  }
}
