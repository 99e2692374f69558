// SPDX-License-Identifier: Apache-2.0
import Foundation
import TesseraCompute
import TesseraPipeline

/// What `tessera --version` tells: the version of everything that has one.
enum VersionText {
  /// The first line.
  static let title = "tessera \(tesseraVersion)"

  /// The title and a line for each version; the executable is read for its SHA-256.
  @_optimize(none)
  static func whole() -> String {
    let stages = RunVersions.stages.ordered { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
    let lines: [(String, String)] = [
      ("numerics", "\(numericsVersion)"),
      ("run folder", "\(RunVersions.folder), its manifest \(RunVersions.manifest)"),
      ("stages", (stages + ["others 1"]).joined(separator: ", ")),
      ("product tiles", "\(FileVersions.productTiles)"),
      ("kept programs", "\(FileVersions.programCache)"),
      ("operation", "\(FileVersions.operation)"),
      ("CPU kernels", instructionSet()),
      ("processor", Provenance.processorName() ?? "unknown"),
      ("platform", Provenance.platformName),
      ("compiler", Provenance.compilerName),
      ("build", Provenance.executableFingerprint.map { "sha256 \($0)" } ?? "unknown"),
      ("kernel sources", "sha256 \(KernelSources.embedded.fingerprint)"),
      ("commit", Provenance.commit ?? "unknown"),
    ]
    return ([title] + lines.map { "  \(Bench.pad($0.0, 16))\($0.1)" }).joined(separator: "\n")
  }

  /// The instruction set and the threads of the CPU path; where the environment asks for what there is not,
  /// why not.
  private static func instructionSet() -> String {
    do {
      let cpu = try CPUBackend()
      return "\(cpu.instructionSet), \(cpu.threads) threads"
    } catch {
      return "none: \(error)"
    }
  }
}
