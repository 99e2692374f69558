// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import Testing

/// A device with little memory: less at once, the same bytes; what does not fit at all is named.
@Suite(.tags(.opencl)) struct DeviceMemoryTests {
  @Test(.enabled(if: TestDevices.hasOpenCL)) func batchesGetSmallerWhereMemoryIsShort() throws {
    try withTemporaryFolder { folder in
      try TinyEncoder.write(to: folder + "/encoder")
      try Data(TinyEncoder.reviews(200, seed: 5).utf8).write(to: URL(fileURLWithPath: folder + "/r.csv"))
      let library = try Faults.build(in: folder)
      func embed(_ memory: Int) throws -> (result: Command.Result, launches: Int) {
        let report = folder + "/report"
        let result = try Command.run(
          [
            "embed", "--data", folder + "/r.csv", "--encoder", folder + "/encoder", "--out", folder + "/e",
            "--device", "opencl", "--quiet",
          ],
          environment: [
            "TESSERA_OPENCL_LIBRARY": library, "TESSERA_OPENCL_VARIANT": "narrow",
            "TESSERA_FAULT_REPORT": report,
            "TESSERA_FAULT_MEMORY": "\(memory)",
          ])
        let text = try String(contentsOfFile: report, encoding: .utf8)
        let line = text.split(separator: "\n").first { $0.hasPrefix("calls clEnqueueNDRangeKernel ") }
        return (result, line.flatMap { Int($0.split(separator: " ")[2]) } ?? 0)
      }
      let whole = try embed(1 << 30)
      try #require(whole.result.code == 0 && whole.launches > 0 && whole.result.errors.isEmpty)
      var halved = 0
      for memory in stride(from: 22, through: 14, by: -1).flatMap({ [3 << ($0 - 1), 1 << $0] }) {
        let part = try embed(memory)
        // Either the device did it, in more launches at that, or it is said which tensor it had no room for.
        if part.result.code == 0 {
          #expect(part.result.output == whole.result.output && part.result.errors.isEmpty, "\(part.result)")
          if part.launches > whole.launches { halved += 1 }
        } else {
          #expect(part.result.code == 1 && part.result.errors.contains("a tensor ["), "\(part.result)")
          #expect(part.result.errors.contains("memory object allocation failure"), "\(part.result)")
        }
      }
      #expect(halved > 0)
    }
  }
}
