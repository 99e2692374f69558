// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

@testable import TesseraCompute

/// Includes of the kernels, which the loader resolves.
@Suite struct KernelSourcesTests {
  static let families = [
    "maps", "rows", "normalization", "pooling", "random", "indexing", "optimizer", "memory", "tsne",
    "tsne_sparse", "attention",
    "gemm", "implicit_gemm", "conv_blocked", "conv_grouped", "winograd", "integer_gemm", "integer_view",
    "peaks",
  ]

  @Test(arguments: families) func programsHaveEachHeaderOnce(_ family: String) throws {
    let starts = try KernelSources.embedded.program(family).split(separator: "\n")
      .filter { $0.hasPrefix("#line 1 ") }
    #expect(starts.first?.hasSuffix("/\(family).cl\"") == true)
    #expect(starts.contains("#line 1 \"include/tessera_base.h\""))
    let headers = starts.filter { !$0.hasSuffix("_body.h\"") }
    #expect(Set(headers).count == headers.count)
  }

  @Test func bodiesAreTakenAtEveryInclude() throws {
    let body = "#line 1 \"common/math_body.h\""
    let starts = try KernelSources.embedded.program("maps").split(separator: "\n").filter { $0 == body }
    // Included with float and with float16.
    #expect(starts.count == 2)
  }

  @Test func aBodyMayBeIncludedBetweenIfAndEndif() throws {
    let text = "#if 1\n#include \"common/math_body.h\"\n#endif\n"
    try Self.withFolder(["elementwise/maps.cl": text, "common/math_body.h": "float body;\n"]) { sources in
      let program = try sources.program("maps")
      #expect(program.contains("float body;"))
      #expect(program.contains("#line 3 "))
    }
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
      if line.hasPrefix("#pragma OPENCL FP_CONTRACT") || line.hasPrefix("TSR_FN TSR_REAL TSR_V(tsr_exp)(") {
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
    // By its path in the package, and by its name alone.
    for file in ["elementwise/maps.cl", "maps.cl"] {
      try Self.withFolder([file: text]) { sources in
        let error = #expect(throws: TesseraError.self) { try sources.program("maps") }
        #expect(error.map { "\($0)".contains(message) } == true, "\(error.debugDescription)")
      }
    }
  }

  @Test(arguments: [
    ("#include \"common/math_body.h\"\n", "math_body.h, line 1: found an include of common/math_body.h"),
    // What is between the includer's #if and #endif is so for the body's includes too.
    ("#include \"common/math.h\"\n", "math_body.h, line 1: found an include of common/math.h"),
  ]) func otherIncludesOfABodyAreRefused(_ text: String, _ message: String) throws {
    let maps = "#if 1\n#include \"common/math_body.h\"\n#endif\n"
    try Self.withFolder(["maps.cl": maps, "math_body.h": text]) { sources in
      let error = #expect(throws: TesseraError.self) { try sources.program("maps") }
      #expect(error.map { "\($0)".contains(message) } == true, "\(error.debugDescription)")
    }
  }

  @Test func theFingerprintIsThatOfTheTexts() throws {
    let own = KernelSources.embedded.fingerprint
    let maps = try #require(KernelSources.embedded.text(of: "elementwise/maps.cl")).text
    try Self.withFolder(["maps.cl": maps]) { #expect($0.fingerprint == own) }
    try Self.withFolder(["maps.cl": maps + "\n"]) { #expect($0.fingerprint != own) }
    // A text in another file's place is another set of kernels.
    try Self.withFolder(["rows.cl": maps]) { #expect($0.fingerprint != own) }
  }

  /// Calls `body` with the sources of a folder that has these files.
  private static func withFolder(_ files: [String: String], _ body: (KernelSources) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    defer { try? FileManager.default.removeItem(at: folder) }
    for (name, text) in files {
      let file = folder.appendingPathComponent(name)
      try FileManager.default.createDirectory(
        at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(text.utf8).write(to: file)
    }
    try body(try KernelSources(folder: folder.path))
  }

  /// A kernel file's lines as they lie in the package.
  private static func text(_ name: String) throws -> [Substring]? {
    let kernels = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appendingPathComponent("Kernels")
    let text = try? String(contentsOf: kernels.appendingPathComponent(name), encoding: .utf8)
    return text?.split(separator: "\n", omittingEmptySubsequences: false)
  }
}
