// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

@testable import TesseraCompute

/// Includes of the kernels, which the loader resolves.
@Suite struct KernelSourcesTests {
  static let families = [
    "maps", "rows", "normalization", "pooling", "random", "indexing", "optimizer", "memory", "tsne",
    "tsne_sparse", "attention",
    "gemm", "implicit_gemm", "conv_blocked", "conv_grouped", "peaks",
  ]

  @Test(arguments: families) func programsHaveEachHeaderOnce(_ family: String) throws {
    let starts = try KernelSources.embedded.program(family).split(separator: "\n")
      .filter { $0.hasPrefix("#line 1 ") }
    #expect(starts.first?.hasSuffix("/\(family).cl\"") == true)
    #expect(starts.contains("#line 1 \"include/tessera_base.h\""))
    #expect(Set(starts).count == starts.count)
  }

  @Test func programsHaveOnlyWhatTheyInclude() throws {
    let maps = try KernelSources.embedded.program("maps")
    #expect(
      !maps.contains("#line 1 \"gemm/gemm.h\"") && !maps.contains("#line 1 \"attention/attention_cpu.h\""))
    let used = try Self.families.map { try KernelSources.embedded.program($0) }.joined()
    for header in ["common/math16.h", "gemm/gemm_gpu.h", "conv/conv_cpu.h", "common/philox.h"] {
      #expect(used.contains("#line 1 \"\(header)\""), "\(header) is in no program")
    }
  }

  @Test func linesAreCountedByFile() throws {
    let program = try KernelSources.embedded.program("maps")
    let lines = program.split(separator: "\n", omittingEmptySubsequences: false)
    var (file, number) = ("", 0)
    var found = 0
    for line in lines {
      if line.hasPrefix("#line ") {
        let words = line.split(separator: " ")
        (number, file) = (try #require(Int(words[1])), String(words[2].dropFirst().dropLast()))
        continue
      }
      // What only one line of each file says.
      if line.hasPrefix("#pragma OPENCL FP_CONTRACT") || line.hasPrefix("TSR_FN float tsr_exp(float") {
        let text = try #require(try Self.text(file))
        #expect(text[number - 1] == line, "\(file), \(number)")
        found += 1
      }
      number += 1
    }
    #expect(found > 0)
  }

  @Test(arguments: [
    ("#if 1\n#include \"common/math.h\"\n#endif\n", "maps.cl, line 2: found an include of common/math.h"),
    ("#include \"nothing.h\"\n", "maps.cl, line 1: found an include of nothing.h"),
  ]) func otherIncludesAreRefused(_ text: String, _ message: String) throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    defer { try? FileManager.default.removeItem(at: folder) }
    // By its path in the package, and by its name alone.
    for file in [
      folder.appendingPathComponent("elementwise/maps.cl"), folder.appendingPathComponent("maps.cl"),
    ] {
      try? FileManager.default.removeItem(at: folder)
      try FileManager.default.createDirectory(
        at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(text.utf8).write(to: file)
      let sources = try KernelSources(folder: folder.path)
      let error = #expect(throws: TesseraError.self) { try sources.program("maps") }
      #expect(error.map { "\($0)".contains(message) } == true, "\(error.debugDescription)")
    }
  }

  /// A kernel file's lines as they lie in the package.
  private static func text(_ name: String) throws -> [Substring]? {
    let kernels = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appendingPathComponent("Kernels")
    let text = try? String(contentsOf: kernels.appendingPathComponent(name), encoding: .utf8)
    return text?.split(separator: "\n", omittingEmptySubsequences: false)
  }
}
