// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

@testable import TesseraCompute

/// Includes of the kernels, which the loader resolves.
@Suite struct KernelSourcesTests {
  static let families = [
    "maps", "rows", "normalization", "pooling", "training", "memory", "layout", "neighbours", "attention",
    "matmul", "conv", "dense", "direct", "peaks",
  ]

  @Test(arguments: families) func programsHaveEachHeaderOnce(_ family: String) throws {
    let starts = try KernelSources.embedded.program(family).split(separator: "\n")
      .filter { $0.hasPrefix("#line 1 ") }
    #expect(starts.first == "#line 1 \"\(family).cl\"")
    #expect(starts.contains("#line 1 \"tessera_base.h\""))
    #expect(Set(starts).count == starts.count)
  }

  @Test func programsHaveOnlyWhatTheyInclude() throws {
    let maps = try KernelSources.embedded.program("maps")
    #expect(!maps.contains("#line 1 \"product.h\"") && !maps.contains("#line 1 \"attention_rows.h\""))
    let used = try Self.families.map { try KernelSources.embedded.program($0) }.joined()
    for header in ["vectors.h", "product_groups.h", "dense_rows.h", "tessera_philox.h"] {
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
    ("#if 1\n#include \"tessera_math.h\"\n#endif\n", "maps.cl, line 2: found an include of tessera_math.h"),
    ("#include \"nothing.h\"\n", "maps.cl, line 1: found an include of nothing.h"),
  ]) func otherIncludesAreRefused(_ text: String, _ message: String) throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    try Data(text.utf8).write(to: folder.appendingPathComponent("maps.cl"))
    let sources = try KernelSources(folder: folder.path)
    let error = #expect(throws: TesseraError.self) { try sources.program("maps") }
    #expect(error.map { "\($0)".contains(message) } == true, "\(error.debugDescription)")
  }

  /// A kernel file's lines as they lie in the package.
  private static func text(_ name: String) throws -> [Substring]? {
    let kernels = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appendingPathComponent("Kernels")
    for folder in ["cl", "include"] {
      let file = kernels.appendingPathComponent("\(folder)/\(name)")
      if let text = try? String(contentsOf: file, encoding: .utf8) {
        return text.split(separator: "\n", omittingEmptySubsequences: false)
      }
    }
    return nil
  }
}
