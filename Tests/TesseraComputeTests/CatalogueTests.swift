import TestSupport
import Testing

@testable import TesseraCompute

/// Every primitive, bit for bit: instruction sets, thread counts, OpenCL in both variants.
@Suite struct CatalogueTests {
  @Test func everyInstructionSetAndThreadCountGivesTheSameBits() throws {
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

  @Test(.enabled(if: TestDevices.hasOpenCL)) func openCLGivesTheBitsOfTheCPU() throws {
    let device = try OpenCLBackend(try TestDevices.first(), variant: .narrow)
    let result = try Verification.run(reference: try CPUBackend(), device: device)
    #expect(result.mismatches.map { "\($0.primitive) \($0.label): \($0.what)" } == [])
    #expect(result.casesByPrimitive.keys.count > 30)
  }

  @Test(.enabled(if: TestDevices.hasOpenCL)) func theGPUVariantsGiveTheBitsOfTheCPU() throws {
    let device = try OpenCLBackend(try TestDevices.first(), variant: .wide)
    let result = try Verification.run(
      Catalogue.cases.filter(\.isSmall), reference: try CPUBackend(), device: device)
    #expect(result.mismatches.map { "\($0.primitive) \($0.label): \($0.what)" } == [])
  }

  @Test(.enabled(if: TestDevices.hasOpenCL)) func theSoftwareDivisionGivesTheBitsOfTheNativeOne() throws {
    let device = try OpenCLBackend(try TestDevices.first(), softwareDivision: true)
    let cases = Catalogue.cases.filter { ["unary", "binary", "softmax", "adam"].contains($0.primitive) }
    let result = try Verification.run(cases, reference: try CPUBackend(), device: device)
    #expect(result.mismatches.map { "\($0.primitive) \($0.label): \($0.what)" } == [])
  }

  @Test(.enabled(if: TestDevices.hasOpenCL)) func theDevicePassesTheConformanceProbe() throws {
    let device = try OpenCLBackend(try TestDevices.first())
    #expect(try DeviceSelection.conformance(of: device, against: try CPUBackend()).failure == nil)
  }
}
