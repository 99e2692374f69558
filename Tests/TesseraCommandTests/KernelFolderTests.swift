// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import Testing

/// `--kernels`: kernels from files in place of the binary's; `--trace` and `--profile` on the command line.
@Suite struct KernelFolderTests {
  private func verify(_ folder: String) throws -> Command.Result {
    try Command.run(["verify", "--device", "opencl", "--small", "--only", "swapAxes", "--kernels", folder])
  }

  private func write(_ folder: String, _ name: String, _ data: Data) throws {
    try data.write(to: URL(fileURLWithPath: folder + "/" + name))
  }

  /// The repository's own text of a family.
  private func text(_ name: String) throws -> String {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    return try String(contentsOf: root.appendingPathComponent("Kernels/" + name), encoding: .utf8)
  }

  @Test(.tags(.opencl), .enabled(if: TestDevices.hasOpenCL)) func aFileTakesTheKernelsPlace() throws {
    try withTemporaryFolder { folder in
      let memory = try text("memory/memory.cl")
      try write(folder, "memory.cl", Data(("// the same\n" + memory).utf8))
      let same = try verify(folder)
      #expect(same.code == 0 && same.errors.contains(folder + "/memory.cl"), "\(same.errors)")
      let wrong = memory.replacingOccurrences(of: "= x[from + j];)", with: "= x[from + j] ^ 1u;)")
      #expect(wrong != memory)
      try write(folder, "memory.cl", Data(wrong.utf8))
      let found = try verify(folder)
      #expect(found.code == 1, "\(found.output)")
    }
  }

  @Test(.tags(.opencl), .enabled(if: TestDevices.hasOpenCL)) func badFilesAreNamed() throws {
    try withTemporaryFolder { folder in
      let empty = try verify(folder)
      #expect(empty.code == 2 && empty.errors.contains("found no kernel file"), "\(empty.errors)")
      try write(folder, "memory.cl", Data([0x66, 0xff, 0xfe]))
      let bytes = try verify(folder)
      #expect(
        bytes.code == 2 && bytes.errors.contains("memory.cl: found bytes that are not UTF-8"),
        "\(bytes.errors)")
      try write(folder, "memory.cl", Data("this is no kernel\n".utf8))
      let broken = try verify(folder)
      #expect(broken.code == 1 && broken.errors.contains(folder + "/memory.cl"), "\(broken.errors)")
      let cpu = try Command.run(["bench", "copy", "--shape", "3x3", "--device", "cpu", "--kernels", folder])
      #expect(cpu.code == 2, "\(cpu.errors)")
    }
  }

  @Test func benchIsTracedAndProfiled() throws {
    try withTemporaryFolder { folder in
      let trace = folder + "/t.json"
      let found = try Command.run(
        ["bench", "softmax", "--shape", "3x65", "--device", "cpu", "--trace", trace, "--profile"])
      #expect(found.code == 0 && found.errors.contains("tsr_softmax"), "\(found.errors)")
      let data = try #require(FileManager.default.contents(atPath: trace))
      let object = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
      #expect((object["traceEvents"] as? [Any])?.isEmpty == false)
      let refused = try Command.run(
        ["bench", "softmax", "--shape", "3x65", "--device", "cpu", "--trace", folder])
      #expect(refused.code == 2 && refused.errors.contains("found a folder"), "\(refused.errors)")
    }
  }
}
