// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import Testing

@testable import TesseraCompute
@testable import TesseraVerification

/// Products as exact integers (NUMERICS.md rule 12) against the rule, written down once more with numbers of
/// 64 bits, and against float64.
@Suite struct IntegerProductTests {
  /// The operands of a product, A (m, k) and B (k, n), row-major.
  private struct Operands {
    var m, n, k: Int
    var a, b: [Float]
  }

  private func product(
    _ o: Operands, _ products: Products, on device: any Backend, _ change: (inout Matmul) -> Void = { _ in }
  ) throws -> [Float] {
    var p = Matmul(m: o.m, n: o.n, k: o.k)
    p.products = products
    change(&p)
    let c = try device.tensor([Float](repeating: 0, count: o.m * o.n), [o.m, o.n])
    try device.matmul(
      p, device.tensor(o.a, [o.m, o.k]), device.tensor(o.b, [o.k, o.n]), bias: nil, into: c)
    return try device.floats(c)
  }

  private func operands(_ kind: String, _ m: Int, _ n: Int, _ k: Int, seed: UInt64) -> Operands {
    var draw = CaseInputs(seed: seed)
    func values(_ count: Int) -> [Float] {
      switch kind {
      case "uniform": return draw.floats(count)
      case "wide": return draw.ordinary(count).map { $0 * $0 * $0 }
      case "greatest":
        return (0..<count).map { _ in draw.element([8_355_711, 8_355_711.5, -8_355_712, 8_355_583, -128, 0]) }
      case "alike": return [Float](repeating: 8_355_711, count: count)
      case "denormal": return draw.floats(count).map { $0 * 0x1p-133 }
      case "huge": return draw.floats(count).map { $0 * 3e38 }
      case "bits":
        return draw.anyBits(count).map { $0.isFinite ? $0 : Float(bitPattern: $0.bitPattern ^ 0x4000_0000) }
      default: return draw.withSpecials(count)
      }
    }
    return Operands(m: m, n: n, k: k, a: values(m * k), b: values(k * n))
  }

  private static let kinds = ["uniform", "wide", "greatest", "alike", "denormal", "huge", "bits", "specials"]

  @Test(arguments: [
    (1, 1, 1), (3, 5, 0), (7, 18, 33), (33, 17, 64), (20, 9, 300), (2, 3, 1030), (300, 20, 70),
  ])
  func theBitsAreTheContracts(_ m: Int, _ n: Int, _ k: Int) throws {
    let devices = try exactDevices()
    #expect(devices.count >= 2)
    for kind in Self.kinds {
      let o = operands(kind, m, n, k, seed: UInt64(m + n + k))
      for products in [Products.s3, .s2] {
        let wanted = rule12(m: m, n: n, k: k, o.a, o.b, digits: products == .s3 ? 3 : 2)
        for device in devices {
          let found = try product(o, products, on: device)
          let wrong = zip(found, wanted).enumerated().first { $1.0.bitPattern != $1.1.bitPattern }
          #expect(wrong == nil, "\(device.name) \(products) \(kind)")
        }
      }
    }
  }

  /// A second implementation, from the contract's text alone, in Python's integers.
  @Test func aSecondImplementationHasTheSameBits() throws {
    let file = try Golden(.module).tensors("exact_products.safetensors")
    for (seed, (m, n, k)) in [(20, 17, 300), (9, 12, 70), (5, 33, 1030), (3, 2, 1)].enumerated() {
      var o = Operands(
        m: m, n: n, k: k, a: drawn(UInt64(2 * seed), m * k), b: drawn(UInt64(2 * seed + 1), k * n))
      func power(_ exponent: Int) -> Float { Float(sign: .plus, exponent: exponent, significand: 1) }
      for kind in ["plain", "unbalanced"] {
        if kind == "unbalanced" {
          o.a = o.a.enumerated().map { $1 * power($0 % k * 37 % 61 - 30) * power($0 / k * 29 % 161 - 80) }
          o.b = o.b.enumerated().map { $1 / power($0 / n * 37 % 61 - 30) }
        }
        for products in [Products.s3, .s2] {
          let wanted = try file.floats("\(kind).\(seed).\(products.rawValue)")
          for device in try exactDevices() {
            #expect(try product(o, products, on: device) == wanted, "\(device.name) \(products) \(kind)")
          }
        }
      }
    }
  }

  /// Sums of 32 bits are added to those of 64 before they overflow.
  @Test func theGreatestSumsFit() throws {
    let o = operands("alike", 1, 1, 45_000, seed: 0)
    for device in try exactDevices() {
      let wanted: [Float] = [8_355_711 * 8_355_711 * 45_000]
      let found = try product(o, .s3, on: device)
      #expect(abs(found[0] / wanted[0] - 1) < 1e-5, "\(device.name)")
      #expect(found == rule12(m: 1, n: 1, k: 45_000, o.a, o.b, digits: 3), "\(device.name)")
      #expect(
        try product(o, .s2, on: device) == rule12(m: 1, n: 1, k: 45_000, o.a, o.b, digits: 2),
        "\(device.name)")
    }
  }

  /// Relative to the product's root mean square: where rows are even, s3 is nearly fp32, and s2 better than TF32
  /// (2.9e-4); features that are 10,000 times the others cost nothing where the weights make up for it.
  @Test func theErrorIsTheDigits() throws {
    let device = try CPUBackend()
    var draw = CaseInputs(seed: 3)
    let (m, n, k) = (48, 40, 700)
    func normal(_ count: Int) -> [Float] { (0..<count).map { _ in draw.floats(12).reduce(0, +) / 2 } }
    let (a, b) = (normal(m * k), normal(k * n))
    func feature(_ k: Int) -> Float { k % 100 == 7 ? 16_384 : 1 }
    let scaled = Operands(
      m: m, n: n, k: k, a: a.enumerated().map { $1 * feature($0 % k) },
      b: b.enumerated().map { $1 / feature($0 / n) })
    for o in [Operands(m: m, n: n, k: k, a: a, b: b), scaled] {
      let exact = (0..<m * n).map { at in
        sum(0..<k) { Double(o.a[at / n * k + $0]) * Double(o.b[$0 * n + at % n]) }
      }
      func error(_ products: Products) throws -> Double {
        let found = try product(o, products, on: device)
        let lost = zip(found, exact).reduce(0) { $0 + pow(Double($1.0) - $1.1, 2) }
        return (lost / exact.reduce(0) { $0 + $1 * $1 }).squareRoot()
      }
      let (s3, s2) = (try error(.s3), try error(.s2))
      #expect(s3 < 1.2e-6 && s3 > 1e-8)
      #expect(s2 < 1.5e-4 && s2 > 20 * s3)
    }
  }

  /// What else is in the batch, and how the product is cut, cannot change a row.
  @Test func aRowDependsOnNoOther() throws {
    let whole = operands("wide", 37, 19, 130, seed: 5)
    for products in [Products.s3, .s2] {
      let wanted = try product(whole, products, on: try CPUBackend(threads: 3))
      for device in try exactDevices() {
        for row in [0, 20, 36] {
          var part = whole
          (part.m, part.a) = (1, Array(whole.a[row * 130..<(row + 1) * 130]))
          #expect(try product(part, products, on: device) == Array(wanted[row * 19..<(row + 1) * 19]))
        }
      }
    }
  }

  /// An infinity takes its own row or column alone, and a column of A that meets zeros takes none of its row's
  /// digits.
  @Test func infinitiesAndZerosStayApart() throws {
    for device in try exactDevices() {
      let o = Operands(m: 2, n: 2, k: 2, a: [1, 2, .infinity, 4], b: [1, 1, 1, .nan])
      let found = try product(o, .s3, on: device)
      #expect(found[0] == 3 && found[1...].allSatisfy { $0.bitPattern == 0x7fc0_0000 })
      let zeros = Operands(m: 1, n: 1, k: 2, a: [3e38, 1e-30], b: [0, 1])
      #expect(abs(try product(zeros, .s3, on: device)[0] / 1e-30 - 1) < 1e-6)
      #expect(abs(try product(zeros, .s2, on: device)[0] / 1e-30 - 1) < 1e-4)
      let huge = Operands(m: 1, n: 2, k: 1, a: [3e38], b: [2, -2])
      #expect(try product(huge, .s3, on: device) == [.infinity, -.infinity])
      #expect(try product(huge, .s3, on: device) { $0.activation = .relu } == [.infinity, 0])
    }
  }

  @Test func exactSumsHaveNoChunks() throws {
    let o = operands("uniform", 2, 2, 9, seed: 1)
    for device in try exactDevices() {
      let error = #expect(throws: TesseraError.self) { try product(o, .s3, on: device) { $0.chunk = 8 } }
      #expect(error?.wanted == "chunk 512, one exact sum over k, or fp32 products")
    }
  }

  /// Products of fp32 are written as they were before there were others, and read without the key.
  @Test func fp32ProductsAreStoredWithoutTheirName() throws {
    var p = Matmul(m: 1, n: 2, k: 3)
    let plain = String(decoding: try JSONEncoder().encode(p), as: UTF8.self)
    #expect(!plain.contains("products"))
    #expect(try JSONDecoder().decode(Matmul.self, from: Data(plain.utf8)) == p)
    p.products = .s2
    let exact = try JSONEncoder().encode(p)
    #expect(try JSONDecoder().decode(Matmul.self, from: exact) == p)
    let other = String(decoding: exact, as: UTF8.self).replacing("s2", with: "s9")
    #expect(throws: TesseraError.self) { try JSONDecoder().decode(Matmul.self, from: Data(other.utf8)) }
  }
}

/// Rule 12, for A (m, k) and B (k, n), row-major, in float64 and integers of 64 bits.
private func rule12(m: Int, n: Int, k: Int, _ a: [Float], _ b: [Float], digits: Int) -> [Float] {
  let factors = ExactBalance((0..<k).map { row in (0..<n).map { b[row * n + $0] } })
  let rows = (0..<m).map { i in ExactLine((0..<k).map { a[i * k + $0] * factors.a[$0] }, digits) }
  let columns = (0..<n).map { j in ExactLine((0..<k).map { b[$0 * n + j] * factors.b[$0] }, digits) }
  return rows.flatMap { row in
    columns.map { column in
      let total = zip(row.values, column.values).reduce(Int64(0)) { $0 + ExactLine.term($1.0, $1.1, digits) }
      return ExactLine.result(total, row, column, digits)
    }
  }
}
