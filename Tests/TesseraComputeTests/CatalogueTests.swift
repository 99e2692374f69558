// SPDX-License-Identifier: Apache-2.0
import TestSupport
import Testing

@testable import TesseraCompute
@testable import TesseraVerification

/// Every primitive, bit for bit: instruction sets, thread counts, OpenCL in both variants.
@Suite struct CatalogueTests {
  @Test(.tags(.slow)) func everyInstructionSetAndThreadCountGivesTheSameBits() throws {
    let reference = try CPUBackend(threads: 1)
    var others = [try CPUBackend(threads: 2), try CPUBackend(threads: 7)]
    for set in ["avx2", "baseline"] {
      if let backend = try? CPUBackend(threads: 2, instructionSet: set) { others.append(backend) }
    }
    for other in others {
      let result = try Verification.run(reference: reference, device: other)
      #expect(result.mismatches.map { "\(other.name) \($0.primitive) \($0.label): \($0.what)" } == [])
      #expect(result.cases == Catalogue.cases.count)
    }
  }

  @Test(.tags(.opencl), .enabled(if: TestDevices.hasOpenCL)) func drawnCasesAreEqualOnEveryDevice() throws {
    let cases = Catalogue.drawn(120, seed: 4)
    #expect(cases.map(\.label) == Catalogue.drawn(150, seed: 4).prefix(120).map(\.label))
    #expect(cases.map(\.label) != Catalogue.drawn(120, seed: 5).map(\.label))
    let baseline = try CPUBackend(threads: 2, instructionSet: "baseline")
    var prints: Set<String> = []
    for device: any Backend in [try CPUBackend(threads: 7), try OpenCLBackend(try TestDevices.first())] {
      let result = try Verification.run(cases, reference: baseline, device: device)
      #expect(result.mismatches.map { "\(device.name) \($0.primitive) \($0.label): \($0.what)" } == [])
      prints.insert(result.fingerprint)
    }
    #expect(prints.count == 1)
  }

  @Test(.tags(.opencl), .enabled(if: TestDevices.hasOpenCL)) func openCLGivesTheBitsOfTheCPU() throws {
    let device = try OpenCLBackend(try TestDevices.first(), variant: .cpu)
    let result = try Verification.run(reference: try CPUBackend(), device: device)
    #expect(result.mismatches.map { "\($0.primitive) \($0.label): \($0.what)" } == [])
    #expect(result.casesByPrimitive.keys.count > 30)
  }

  @Test(.tags(.opencl), .enabled(if: TestDevices.hasOpenCL)) func theGPUVariantsGiveTheBitsOfTheCPU() throws {
    let device = try OpenCLBackend(try TestDevices.first(), variant: .gpu)
    let result = try Verification.run(
      Catalogue.cases.filter(\.isSmall), reference: try CPUBackend(), device: device)
    #expect(result.mismatches.map { "\($0.primitive) \($0.label): \($0.what)" } == [])
  }

  @Test(.tags(.opencl), .enabled(if: TestDevices.hasOpenCL))
  func theSoftwareDivisionGivesTheBitsOfTheNativeOne() throws {
    let device = try OpenCLBackend(try TestDevices.first(), softwareDivision: true)
    let cases = Catalogue.cases.filter { ["unary", "binary", "softmax", "adam"].contains($0.primitive) }
    let result = try Verification.run(cases, reference: try CPUBackend(), device: device)
    #expect(result.mismatches.map { "\($0.primitive) \($0.label): \($0.what)" } == [])
  }

  @Test(.tags(.opencl), .enabled(if: TestDevices.hasOpenCL)) func theDevicePassesTheConformanceProbe() throws
  {
    let device = try OpenCLBackend(try TestDevices.first())
    #expect(try DeviceSelection.conformance(of: device, against: try CPUBackend()).failure == nil)
  }
}
