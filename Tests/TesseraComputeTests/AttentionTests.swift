// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import Testing

@testable import TesseraCompute
@testable import TesseraVerification

@Suite struct AttentionTests {
  private static let shapes: [(lengths: [Int], heads: Int, width: Int, span: Int)] = [
    ([1], 1, 1, 0), ([1, 2, 3], 2, 5, 4), ([33, 0, 14], 3, 32, 0), ([65, 31], 2, 64, 65), ([129], 1, 17, 512),
    ([512], 1, 32, 0),
  ]

  @Test(arguments: shapes) func itIsTheFormula(
    _ shape: (lengths: [Int], heads: Int, width: Int, span: Int)
  ) throws {
    let (lengths, heads, width, span) = shape
    let tokens = lengths.reduce(0, +)
    var reference = try Reference()
    let (x, xs) = try reference.input([tokens, 3, heads, width], -2, 2)
    let bias = span == 0 ? nil : try reference.input([heads, 2 * span - 1], -4, 4)
    let y = try reference.empty(tokens, heads, width)
    let p = PackedAttention(tokens: tokens, heads: heads, width: width, span: span, scale: 0.5)
    try reference.device.attention(p, x, lengths: lengths, bias: bias?.0, into: y)
    func at(_ token: Int, _ part: Int, _ head: Int, _ d: Int) -> Double {
      xs[((token * 3 + part) * heads + head) * width + d]
    }
    var wanted: [Double] = []
    var begin = 0
    for length in lengths {
      for query in 0..<length {
        for head in 0..<heads {
          let scores = (0..<length).map { key in
            0.5 * sum(0..<width) { at(begin + query, 0, head, $0) * at(begin + key, 1, head, $0) }
              + (bias?.1[head * (2 * span - 1) + span - 1 + key - query] ?? 0)
          }
          let top = scores.max() ?? 0
          let e = scores.map { exp($0 - top) }
          let total = e.reduce(0, +)
          wanted += (0..<width).map { d in
            sum(0..<length) { e[$0] * at(begin + $0, 2, head, d) } / total
          }
        }
      }
      begin += length
    }
    try reference.expect(y, wanted, 1e-5, "y")
  }

  /// What the primitive is defined by: the products and the softmax, one after the other.
  @Test(.tags(.opencl)) func everyDeviceGivesTheBitsOfTheComposition() throws {
    var devices: [any Backend] = [try CPUBackend(threads: 1), try CPUBackend(threads: 7)]
    for set in ["avx2", "baseline"] {
      if let backend = try? CPUBackend(threads: 2, instructionSet: set) { devices.append(backend) }
    }
    if TestDevices.hasOpenCL {
      devices.append(try OpenCLBackend(try TestDevices.first(), variant: .cpu))
      devices.append(try OpenCLBackend(try TestDevices.first(), variant: .gpu))
    }
    var inputs = CaseInputs(seed: 3)
    for (lengths, heads, width, span) in Self.shapes + [([30, 45], 4, 24, 0), ([100], 2, 31, 100)] {
      let tokens = lengths.reduce(0, +)
      let p = PackedAttention(
        tokens: tokens, heads: heads, width: width, span: span, scale: 0.176_776_7)
      for x in [
        inputs.floats(3 * tokens * heads * width, -3, 3), inputs.withSpecials(3 * tokens * heads * width),
      ] {
        let biases = inputs.floats(heads * max(0, 2 * span - 1), -3, 3)
        for device in devices {
          let tensor = try device.tensor(x, [tokens, 3, heads, width])
          let bias = span == 0 ? nil : try device.tensor(biases, [heads, 2 * span - 1])
          let (one, three) = (
            try device.empty(tokens, heads, width), try device.empty(tokens, heads, width)
          )
          try device.attention(p, tensor, lengths: lengths, bias: bias, into: one)
          try device.composedAttention(p, tensor, lengths: lengths, bias: bias, into: three)
          let (found, wanted) = (try device.output("y", one), try device.output("y", three))
          #expect(
            Catalogue.difference([found], [wanted]) == nil, "\(device.name) \(lengths) \(heads) x \(width)")
        }
      }
    }
  }

  @Test func textsThatDoNotFitAreRefused() throws {
    let device = try CPUBackend(threads: 1)
    let x = try device.allocate([5, 3, 2, 4], .float32)
    let y = try device.allocate([5, 2, 4], .float32)
    let bias = try device.allocate([2, 7], .float32)
    func run(_ lengths: [Int], tokens: Int = 5, span: Int = 0, bias: Tensor? = nil) throws {
      let p = PackedAttention(tokens: tokens, heads: 2, width: 4, span: span, scale: 1)
      try device.attention(p, x, lengths: lengths, bias: bias, into: y)
    }
    try run([4, 1], span: 4, bias: bias)
    for lengths in [[4], [4, 2], [-1, 6], [Int.max, Int.max]] {
      #expect(throws: TesseraError.self) { try run(lengths) }
    }
    #expect(throws: TesseraError.self) { try run([4, 2], tokens: 6) }
    #expect(throws: TesseraError.self) { try run([5], span: 4, bias: bias) }
    #expect(throws: TesseraError.self) { try run([4, 1], span: 3, bias: bias) }
    #expect(throws: TesseraError.self) { try run([4, 1], span: 4) }
    #expect(throws: TesseraError.self) { try run([4, 1], bias: bias) }
  }
}
