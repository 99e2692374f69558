// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import Testing

@testable import TesseraCompute
@testable import TesseraVerification

/// The kernels for matrix units (`Kernels/integer_gemm/units_gpu.h`), their instructions written out, against the
/// CPU: what each lane holds, tiles and their borders, both stages, the epilogue.
@Suite(.tags(.opencl), .enabled(if: TestDevices.hasOpenCL)) struct MatrixUnitTests {
  private func product(_ p: Matmul, _ device: any Backend, seed: UInt64) throws -> [UInt32] {
    var draw = CaseInputs(seed: seed)
    let (a, b) = (draw.withSpecials(p.batch * p.m * p.k), draw.floats(p.k * p.n))
    let (bias, held) = (draw.floats(p.n), draw.floats(p.batch * p.m * p.n))
    let c = try device.tensor(held, [held.count])
    try device.matmul(
      p, device.tensor(a, [a.count]), device.tensor(b, [b.count]), bias: device.tensor(bias, [p.n]), into: c)
    return try device.floats(c).map(\.bitPattern)
  }

  private func products(_ m: Int, _ n: Int, _ k: Int, _ mode: Products) -> Matmul {
    var p = Matmul(m: m, n: n, k: k)
    (p.products, p.bias, p.activation) = (mode, .column, .gelu)
    return p
  }

  private static let shapes = [
    (1, 1, 1), (16, 8, 32), (17, 9, 33), (63, 65, 64), (65, 63, 97), (5, 3, 0), (3, 200, 257), (257, 130, 40),
  ]

  @Test(arguments: MatrixUnits.Family.allCases)
  func emulatedUnitsHaveTheBitsOfTheCPU(_ family: MatrixUnits.Family) throws {
    let cpu = try CPUBackend(threads: 2)
    let device = try OpenCLBackend(
      try TestDevices.first(), variant: .gpu, matrixUnits: .emulated(family))
    #expect(device.exactProductUnits == "s3: \(family.rawValue), emulated, s2: \(family.rawValue), emulated")
    for (index, (m, n, k)) in Self.shapes.enumerated() {
      for mode in [Products.s3, .s2] {
        let p = products(m, n, k, mode)
        let seed = UInt64(index)
        let same = try product(p, device, seed: seed) == product(p, cpu, seed: seed)
        #expect(same, "\(mode) \(m) x \(n) x \(k)")
      }
    }
  }

  @Test func batchesAndSumsThatAreAddedToo() throws {
    let cpu = try CPUBackend(threads: 2)
    let device = try OpenCLBackend(
      try TestDevices.first(), variant: .gpu, matrixUnits: .emulated(.nvidia))
    var p = products(20, 33, 70, .s3)
    p.accumulates = true
    #expect(try product(p, device, seed: 1) == product(p, cpu, seed: 1))
    p = Matmul(m: 20, n: 33, k: 70)
    p.products = .s2
    (p.batch, p.a.batchStride, p.c.batchStride) = (3, 1400, 660)
    #expect(try product(p, device, seed: 2) == product(p, cpu, seed: 2))
  }

  /// Sums of 32 bits at their ends: the greatest digits in all of k, one term below, at and above what they hold; and
  /// parts of k, of a few terms and of many.
  @Test(arguments: MatrixUnits.Family.allCases)
  func longSumsAreMadeInParts(_ family: MatrixUnits.Family) throws {
    let cpu = try CPUBackend(threads: 2)
    let device = try OpenCLBackend(try TestDevices.first(), variant: .gpu, matrixUnits: .emulated(family))
    for k in [2100, 32_767, 32_768, 32_769, 70_000] {
      for value in [-8_290_432, -8_355_711] as [Float] {
        for mode in [Products.s3, .s2] {
          var p = Matmul(m: 2, n: 3, k: k)
          (p.products, p.bias) = (mode, .row)
          let a = [Float](repeating: value, count: 2 * k), b = [Float](repeating: value, count: 3 * k)
          func bits(_ backend: any Backend) throws -> [UInt32] {
            let c = try backend.empty(6), bias = try backend.tensor([1, -2] as [Float], [2])
            let (left, right) = (try backend.tensor(a, [2, k]), try backend.tensor(b, [k, 3]))
            try backend.matmul(p, left, right, bias: bias, into: c)
            return try backend.floats(c).map(\.bitPattern)
          }
          let (wanted, found) = (try bits(cpu), try bits(device))
          #expect(found == wanted, "\(mode) \(k) \(value)")
        }
      }
    }
  }

  /// As many parts as give all units work, and no part longer than sums of 32 bits hold.
  @Test func partsOfKFillTheDevice() throws {
    let device = try TestDevices.first()
    for groups in [1, 1_000_000] {
      for words in [0, 8, 2048, 8192, 8200, 100_000] {
        let split = MatrixUnitForm.split(words: words, groups: groups, on: device)
        #expect(split.words <= MatrixUnitForm.longest && split.words % 8 == 0)
        #expect(split.parts * split.words >= words && (split.parts - 1) * split.words <= max(0, words - 1))
        if groups > 1 { #expect(split.parts == max(1, (words + 8191) / 8192)) }
        if groups == 1, words >= 2048 { #expect(split.parts >= min(8, device.computeUnits)) }
      }
    }
  }

  /// No units: on devices that have none, in kernels for CPU devices, and where they are switched off. Asked for by
  /// name, they are not left out silently.
  @Test func whatHasNoUnitsUsesPlainArithmetic() throws {
    let first = try TestDevices.first()
    let plain = "s3: plain arithmetic, s2: plain arithmetic"
    #expect(try OpenCLBackend(first, variant: .cpu, matrixUnits: .off).exactProductUnits == plain)
    let words = try OpenCLBackend(first, variant: .cpu)
    #expect(
      words.exactProductUnits == (words.matrixUnits.usesVNNI ? "s3: AVX-512 VNNI, s2: AVX-512 VNNI" : plain))
    let error = #expect(throws: TesseraError.self) {
      try OpenCLBackend(first, variant: .cpu, matrixUnits: .emulated(.xmx))
    }
    #expect(
      error?.place == "TESSERA_MATRIX_UNITS" && error?.found.hasPrefix("emulated-xmx on opencl:0") == true)
    #expect(error?.wanted.contains("TESSERA_OPENCL_VARIANT=gpu") == true)
    #expect(try OpenCLBackend(first, variant: .gpu, matrixUnits: .off).exactProductUnits == plain)
    if !first.platform.contains("NVIDIA"), !first.platform.contains("AMD"), first.isCPU {
      #expect(try OpenCLBackend(first, variant: .gpu).exactProductUnits == plain)
    }
  }

  /// A form that gives other bits, or that no compiler takes, is not used.
  @Test func aFormThatDoesNotConformIsRefused() throws {
    let first = try TestDevices.first()
    let device = try OpenCLBackend(first, variant: .gpu)
    #expect(try device.conforms(MatrixUnitForm(family: .rdna3, isEmulated: true), digits: 2))
    // Real instructions, which this device's compiler does not know.
    if first.isCPU {
      #expect(throws: (any Error).self) {
        try device.conforms(MatrixUnitForm(family: .rdna3), digits: 2)
      }
    }
    try withTemporaryFolder { folder in
      let text = try #require(KernelSources.embedded.text(of: "integer_gemm/matrix_units.h")).text
      let wrong = text.replacing("return 2 * sum + lane / 16;", with: "return sum;")
      try #require(wrong != text)
      try Data(wrong.utf8).write(to: URL(fileURLWithPath: folder + "/matrix_units.h"))
      let other = try OpenCLBackend(first, variant: .gpu, sources: KernelSources(folder: folder))
      #expect(try !other.conforms(MatrixUnitForm(family: .rdna3, isEmulated: true), digits: 2))
    }
  }

  @Test func namesAreThoseOfTheVariable() throws {
    #expect(MatrixUnits("auto") == .automatic && MatrixUnits("off") == .off)
    #expect(MatrixUnits("emulated-cdna3") == .emulated(.cdna3))
    for name in ["", "on", "nvidia", "emulated-", "emulated-none"] { #expect(MatrixUnits(name) == nil) }
    for name in MatrixUnits.names { #expect(MatrixUnits(name) != nil) }
    var settings = DeviceSettings(reference: try CPUBackend(threads: 1))
    settings.environment = ["TESSERA_MATRIX_UNITS": "fast"]
    let devices = DeviceSelection.survey().devices.filter { !$0.info.isReference }
    let error = #expect(throws: TesseraError.self) { try devices.first?.open(settings) }
    #expect(error?.place == "TESSERA_MATRIX_UNITS" && error?.wanted.contains("emulated-xmx") == true)
  }
}
