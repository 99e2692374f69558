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
    // Beyond what sums of 32 bits hold.
    p = Matmul(m: 2, n: 2, k: 32_800)
    p.products = .s3
    #expect(try product(p, device, seed: 3) == product(p, cpu, seed: 3))
  }

  /// No units: on devices that have none, in kernels for CPU devices, and where they are switched off.
  @Test func whatHasNoUnitsUsesPlainArithmetic() throws {
    let first = try TestDevices.first()
    let plain = "s3: plain arithmetic, s2: plain arithmetic"
    #expect(try OpenCLBackend(first, variant: .cpu, matrixUnits: .emulated(.xmx)).exactProductUnits == plain)
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
