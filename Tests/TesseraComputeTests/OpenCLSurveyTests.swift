// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

@testable import TesseraCompute

/// What is told where OpenCL gives no device; `tools/check/cases.d/case_13.py` makes the surroundings.
@Suite struct OpenCLSurveyTests {
  @Test func theFileThatMakesALoaderFindNVIDIAsDriver() {
    #expect(
      OpenCLSurvey.icdHint([:]).contains("libnvidia-opencl.so.1 into /etc/OpenCL/vendors/nvidia.icd (or"))
    #expect(OpenCLSurvey.icdHint(["OCL_ICD_VENDORS": "/v"]).contains("into /v/nvidia.icd"))
    #expect(OpenCLSurvey.icdHint(["OCL_ICD_VENDORS": "/v/own.icd"]).contains("into /v/own.icd"))
    #expect(OpenCLSurvey.vendors(["OCL_ICD_VENDORS": ""]) == "/etc/OpenCL/vendors")
  }

  @Test func whatHelpsAPlatformWithoutADevice() {
    #expect(
      OpenCLSurvey.hint(for: "OpenCL platform Portable Computing Language (3.1)").contains("POCL_CACHE_DIR"))
    #expect(OpenCLSurvey.hint(for: "OpenCL platform NVIDIA CUDA").isEmpty)
  }
}
