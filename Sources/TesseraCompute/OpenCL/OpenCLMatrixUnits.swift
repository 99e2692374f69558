// SPDX-License-Identifier: Apache-2.0
import Foundation

/// What a device's matrix units were found to be.
final class OpenCLMatrixUnits: @unchecked Sendable {
  /// What was asked for.
  let choice: MatrixUnits
  private let lock = NSLock()
  /// By number of digits; a nil inside: none conforms.
  private var found: [Int: MatrixUnitForm?] = [:]

  init(_ choice: MatrixUnits) { self.choice = choice }

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
      "s\(digits): \(matrixForm(digits: digits)?.title ?? "plain arithmetic")"
    }
    return titles.joined(separator: ", ")
  }

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
  /// borders and inside.
  func conforms(_ form: MatrixUnitForm, digits: Int) throws -> Bool {
    for (m, n, k) in [(70, 66, 200), (130, 140, 64)] {
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
