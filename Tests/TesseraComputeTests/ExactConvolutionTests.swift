// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import Testing

@testable import TesseraCompute
@testable import TesseraVerification

/// Convolutions as exact integers (NUMERICS.md rule 13) against the rule, written down once more.
@Suite struct ExactConvolutionTests {
  /// A convolution's results: y, dx, dw.
  private struct Results: Equatable {
    var y: [UInt32], dx: [UInt32], dw: [UInt32]
  }

  private struct Operands {
    var x: [Float], w: [Float], dy: [Float]

    init(_ p: Convolution, _ kind: String, seed: UInt64) {
      var draw = CaseInputs(seed: seed)
      func values(_ count: Int) -> [Float] {
        switch kind {
        case "wide": return draw.ordinary(count)
        case "denormal": return draw.floats(count).map { $0 * 0x1p-133 }
        case "huge": return draw.floats(count).map { $0 * 3e38 }
        case "greatest":
          return (0..<count).map { _ in
            draw.element([8_355_711, 8_355_711.5, -8_355_712, 8_355_583, -128, 0])
          }
        case "specials":
          return draw.floats(count).enumerated().map { index, value in
            index % 211 == 3 ? CaseInputs.specials[index / 211 % CaseInputs.specials.count] : value
          }
        default: return draw.floats(count)
        }
      }
      (x, w, dy) = (values(p.inputCount), values(p.weightCount), values(p.outputCount))
    }
  }

  private func results(_ base: Convolution, _ products: Products, _ o: Operands, on device: any Backend)
    throws
    -> Results
  {
    var p = base
    p.products = products
    let x = try device.tensor(o.x, [o.x.count]), w = try device.tensor(o.w, [o.w.count])
    let dy = try device.tensor(o.dy, [o.dy.count])
    let (y, dx, dw) = (
      try device.empty(o.dy.count), try device.empty(o.x.count), try device.empty(o.w.count)
    )
    try device.conv2d(p, x, w, bias: nil, into: y)
    try device.conv2dGradData(p, dy, w, into: dx)
    try device.conv2dGradWeight(p, x, dy, into: dw)
    func bits(_ tensor: Tensor) throws -> [UInt32] { try device.floats(tensor).map(\.bitPattern) }
    return Results(y: try bits(y), dx: try bits(dx), dw: try bits(dw))
  }

  private func byTheRule(_ p: Convolution, _ products: Products, _ o: Operands) -> Results {
    let rule = ExactReference(p: p, digits: products == .s3 ? 3 : 2)
    return Results(
      y: rule.forward(o.x, o.w).map(\.bitPattern), dx: rule.gradData(o.dy, o.w).map(\.bitPattern),
      dw: rule.gradWeight(o.x, o.dy).map(\.bitPattern))
  }

  private static let kinds = ["uniform", "wide", "greatest", "denormal", "huge", "specials"]
  private static let shapes: [Convolution] = [
    .init(batch: 2, inChannels: 17, size: (7, 6), outChannels: 19, kernel: (3, 3), padding: 1),
    .init(batch: 9, inChannels: 3, size: (9, 8), outChannels: 8, kernel: (3, 3), stride: 2, padding: 1),
    .init(batch: 1, inChannels: 16, size: (6, 20), outChannels: 5, kernel: (1, 1)),
    .init(
      batch: 2, inChannels: 4, size: (8, 9), outChannels: 6, kernel: (2, 3), stride: 3, padding: 1,
      dilation: 2),
    .init(batch: 1, inChannels: 6, size: (2, 2), outChannels: 4, kernel: (5, 5), stride: 3, padding: 2),
    .init(batch: 17, inChannels: 2, size: (3, 5), outChannels: 33, kernel: (3, 3), padding: 1),
    .init(batch: 1, inChannels: 33, size: (5, 5), outChannels: 16, kernel: (3, 3), padding: 2, dilation: 2),
  ]

  @Test(arguments: shapes.indices) func theBitsAreTheContracts(_ index: Int) throws {
    let (p, devices) = (Self.shapes[index], try exactDevices())
    #expect(devices.count >= 2)
    for kind in Self.kinds {
      let o = Operands(p, kind, seed: UInt64(index))
      for products in [Products.s3, .s2] {
        let wanted = byTheRule(p, products, o)
        for device in devices {
          let found = try results(p, products, o, on: device)
          let note = "\(device.name) \(products) \(kind)"
          #expect(found.y == wanted.y, "y, \(note)")
          #expect(found.dx == wanted.dx, "dx, \(note)")
          #expect(found.dw == wanted.dw, "dw, \(note)")
        }
      }
    }
  }

  /// Each group of channels is a convolution of its own.
  @Test func groupsStandAlone() throws {
    let whole = Convolution(
      batch: 3, inChannels: 16, size: (5, 4), outChannels: 24, kernel: (3, 3), padding: 1, groups: 2)
    let part = Convolution(
      batch: 3, inChannels: 8, size: (5, 4), outChannels: 12, kernel: (3, 3), padding: 1)
    let o = Operands(whole, "wide", seed: 4)
    func channels<T>(_ values: [T], _ count: Int, _ group: Int) -> [T] {
      let size = count * 20
      return (0..<3).flatMap { (sample: Int) -> ArraySlice<T> in
        let first = (sample * 2 + group) * size
        return values[first..<first + size]
      }
    }
    for device in try exactDevices() {
      let found = try results(whole, .s3, o, on: device)
      for group in 0..<2 {
        var own = o
        own.w = Array(o.w[group * part.weightCount..<(group + 1) * part.weightCount])
        (own.x, own.dy) = (channels(o.x, 8, group), channels(o.dy, 12, group))
        let wanted = byTheRule(part, .s3, own)
        let y = channels(found.y, 12, group)
        #expect(y == wanted.y, "\(device.name)")
        #expect(
          Array(found.dw[group * part.weightCount..<(group + 1) * part.weightCount]) == wanted.dw,
          "\(device.name)")
      }
    }
  }

  /// A sample has its bits in every batch, and a gradient for weights is the sum of its groups of 8.
  @Test func batchesCanBeSplit() throws {
    var p = Convolution(batch: 11, inChannels: 9, size: (6, 7), outChannels: 10, kernel: (3, 3), padding: 1)
    let o = Operands(p, "wide", seed: 6)
    for device in try exactDevices() {
      p.batch = 11
      let whole = try results(p, .s3, o, on: device)
      func part(_ samples: Range<Int>) throws -> Results {
        p.batch = samples.count
        var own = o
        own.x = Array(o.x[samples.lowerBound * 378..<samples.upperBound * 378])
        own.dy = Array(o.dy[samples.lowerBound * 420..<samples.upperBound * 420])
        return try results(p, .s3, own, on: device)
      }
      let (first, rest) = (try part(0..<8), try part(8..<11))
      #expect(whole.y == first.y + rest.y && whole.dx == first.dx + rest.dx)
      let sums = zip(first.dw, rest.dw).map { (Float(bitPattern: $0) + Float(bitPattern: $1)).bitPattern }
      #expect(whole.dw == sums, "\(device.name)")
    }
  }

  /// Against float64: s3 is nearly fp32.
  @Test func theErrorIsTheDigits() throws {
    let p = Convolution(batch: 2, inChannels: 24, size: (8, 8), outChannels: 16, kernel: (3, 3), padding: 1)
    let o = Operands(p, "uniform", seed: 8)
    let exact = floats(p, o)
    for (products, most) in [(Products.s3, 1.5e-6), (Products.s2, 2e-4)] {
      let found = try results(p, products, o, on: try CPUBackend()).y.map { Double(Float(bitPattern: $0)) }
      let lost = zip(found, exact).reduce(0) { $0 + pow($1.0 - $1.1, 2) }
      let error = (lost / exact.reduce(0) { $0 + $1 * $1 }).squareRoot()
      #expect(error < most && error > most / 300, "\(products): \(error)")
    }
  }

  /// y in float64.
  private func floats(_ p: Convolution, _ o: Operands) -> [Double] {
    let area = p.height * p.width
    return (0..<p.outputCount).map { at in
      let (sample, output, pixel) = (at / (p.outChannels * area), at / area % p.outChannels, at % area)
      return sum(0..<p.inChannels * 9) { k in
        let (c, tap) = (k / 9, k % 9)
        let (y, x) = (pixel / p.width + tap / 3 - 1, pixel % p.width + tap % 3 - 1)
        guard (0..<p.height).contains(y), (0..<p.width).contains(x) else { return 0 }
        return Double(o.x[(sample * p.inChannels + c) * area + y * p.width + x])
          * Double(o.w[(output * p.inChannels + c) * 9 + tap])
      }
    }
  }

  /// Groups of few channels have the sums of fp32.
  @Test func fewChannelsOfAGroupAreFP32() throws {
    let p = Convolution(
      batch: 2, inChannels: 14, size: (5, 5), outChannels: 14, kernel: (3, 3), padding: 1, groups: 2)
    let o = Operands(p, "uniform", seed: 9)
    for device in try exactDevices() {
      #expect(try results(p, .s3, o, on: device) == results(p, .fp32, o, on: device))
    }
  }

  /// A second implementation, from the contract's text alone, in Python's integers.
  @Test func aSecondImplementationHasTheSameBits() throws {
    let file = try Golden(.module).tensors("exact_convolutions.safetensors")
    let shapes: [Convolution] = [
      .init(batch: 2, inChannels: 5, size: (6, 7), outChannels: 6, kernel: (3, 3), padding: 1),
      .init(batch: 9, inChannels: 3, size: (7, 5), outChannels: 4, kernel: (3, 2), stride: 2, padding: 1),
    ]
    for (seed, p) in shapes.enumerated() {
      var o = Operands(p, "uniform", seed: 0)
      o.x = drawn(UInt64(100 + 3 * seed), p.inputCount)
      o.w = drawn(UInt64(101 + 3 * seed), p.weightCount)
      o.dy = drawn(UInt64(102 + 3 * seed), p.outputCount)
      for products in [Products.s3, .s2] {
        func golden(_ name: String) throws -> [UInt32] {
          try file.floats("\(seed).\(products.rawValue).\(name)").map(\.bitPattern)
        }
        let wanted = Results(y: try golden("y"), dx: try golden("dx"), dw: try golden("dw"))
        for device in try exactDevices() {
          #expect(try results(p, products, o, on: device) == wanted, "\(device.name) \(products)")
        }
      }
    }
  }

  @Test func fp32ConvolutionsAreStoredWithoutTheirProducts() throws {
    var p = Convolution(batch: 1, inChannels: 2, size: (3, 3), outChannels: 4, kernel: (2, 2))
    let plain = String(decoding: try JSONEncoder().encode(p), as: UTF8.self)
    #expect(!plain.contains("products"))
    #expect(try JSONDecoder().decode(Convolution.self, from: Data(plain.utf8)) == p)
    p.products = .s3
    #expect(try JSONDecoder().decode(Convolution.self, from: try JSONEncoder().encode(p)) == p)
  }

  /// Places among digits fit 32 bits; nothing is allocated for what is refused.
  @Test func sumsTooLongAreRefused() throws {
    let device = try CPUBackend()
    var p = Convolution(
      batch: 8, inChannels: 1, size: (1 << 13, (1 << 13) + 1), outChannels: 1, kernel: (1, 1))
    p.products = .s3
    let small = try device.empty(1)
    let error = #expect(throws: TesseraError.self) {
      try device.conv2dGradWeight(p, small, small, into: try device.empty(1))
    }
    #expect(error?.found.contains("terms of a sum of products s3") == true)
  }
}

/// Gradients for weights of products: sums in groups of samples (rule 13).
@Suite struct ExactGroupTests {
  @Test(arguments: [(3, 5, 19, 8), (17, 33, 16, 8), (9, 20, 100, 40), (2, 2, 0, 8), (5, 7, 3, 8)])
  func theBitsAreTheContracts(_ m: Int, _ n: Int, _ k: Int, _ group: Int) throws {
    for kind in 0..<3 {
      var draw = CaseInputs(seed: UInt64(m + kind))
      func values(_ count: Int) -> [Float] {
        kind == 0 ? draw.floats(count) : kind == 1 ? draw.ordinary(count) : draw.withSpecials(count)
      }
      let (a, b) = (values(k * m), values(k * n))
      for products in [Products.s3, .s2] {
        let digits = products == .s3 ? 3 : 2
        var wanted = [Float](repeating: 0, count: m * n)
        for first in stride(from: 0, to: k, by: group) {
          let terms = first..<min(k, first + group)
          let rows = (0..<m).map { i in ExactLine(terms.map { a[$0 * m + i] }, digits) }
          let columns = (0..<n).map { j in ExactLine(terms.map { b[$0 * n + j] }, digits) }
          for at in wanted.indices {
            let (x, y) = (rows[at / n], columns[at % n])
            let total = zip(x.values, y.values).reduce(Int64(0)) { $0 + ExactLine.term($1.0, $1.1, digits) }
            wanted[at] += ExactLine.result(total, x, y, digits)
          }
        }
        let bits = wanted.map { $0.isNaN ? 0x7fc0_0000 : $0.bitPattern }
        for device in try exactDevices() {
          var p = Matmul(m: m, n: n, k: k, transposeA: true)
          (p.products, p.sampleGroup) = (products, group)
          let c = try device.tensor([Float](repeating: .nan, count: m * n), [m, n])
          try device.matmul(p, device.tensor(a, [k, m]), device.tensor(b, [k, n]), bias: nil, into: c)
          #expect(try device.floats(c).map(\.bitPattern) == bits, "\(device.name) \(products) \(kind)")
        }
      }
    }
  }

  @Test func groupsWithoutAMeaningAreRefused() throws {
    let device = try CPUBackend()
    let a = try device.empty(4)
    for change in [
      { $0.products = .fp32 }, { $0.batch = 2 }, { $0.activation = .relu }, { $0.sampleGroup = -1 },
    ]
      as [(inout Matmul) -> Void]
    {
      var p = Matmul(m: 1, n: 1, k: 2)
      (p.products, p.sampleGroup) = (.s3, 8)
      change(&p)
      #expect(throws: TesseraError.self) { try device.matmul(p, a, a, bias: nil, into: device.empty(4)) }
    }
  }
}

/// Every unit of every instruction set, and OpenCL in both variants, with VNNI and without.
func exactDevices() throws -> [any Backend] {
  var all: [any Backend] = []
  for set in ["avx512", "avx2", "baseline"] {
    for unit in 0..<3 {
      if let device = try? CPUBackend(threads: 2, instructionSet: set, integerUnitLimit: Int32(unit)),
        device.integerUnit == unit
      {
        all.append(device)
      }
    }
  }
  guard TestDevices.hasOpenCL else { return all }
  let first = try TestDevices.first()
  let plain = try OpenCLBackend(first, variant: .cpu, matrixUnits: .off)
  let words = try OpenCLBackend(first, variant: .cpu)
  return all + [plain, try OpenCLBackend(first, variant: .gpu)] + (words.matrixUnits.usesVNNI ? [words] : [])
}
