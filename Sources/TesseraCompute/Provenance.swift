// SPDX-License-Identifier: Apache-2.0
import Foundation
internal import CBuild

/// Which program on which machine a report was made with. No host, user or path is named.
public struct Provenance: Sendable, Codable {
  /// The version of Tessera.
  public let version: String
  /// The version of the numerics contract.
  public let numerics: Int
  /// SHA-256 of the executable; nil where its file cannot be read.
  public let build: String?
  /// The commit that the executable was built of; nil where the build was not told.
  public let commit: String?
  /// SHA-256 over the names and texts of the OpenCL kernels: the executable's own, or those of a folder that
  /// took their place; nil in a report of an older version.
  public let kernelSources: String?
  /// The compiler that the executable was built with.
  public let compiler: String
  /// The operating system and the architecture that the executable was built for.
  public let platform: String
  /// The time, by ISO 8601 in UTC.
  public let date: String
  /// The CPU as the operating system names it; nil where it does not.
  public let processor: String?
  /// The instruction set of the CPU kernels.
  public let instructionSet: String
  /// The threads that the CPU kernels share.
  public let threads: Int

  /// What a report says of this program, this moment and a CPU backend of this machine.
  ///
  /// - Parameters:
  ///   - cpu: the CPU path.
  ///   - kernels: the text that OpenCL devices' kernels are built from.
  package init(_ cpu: CPUBackend, kernels: KernelSources = .embedded) {
    version = tesseraVersion
    numerics = Int(numericsVersion)
    (build, commit, kernelSources) = (Self.executableFingerprint, Self.commit, kernels.fingerprint)
    (compiler, platform) = (Self.compilerName, Self.platformName)
    date = Date().formatted(.iso8601)
    processor = Self.processorName()
    (instructionSet, threads) = (cpu.instructionSet, cpu.threads)
  }

  /// The commit that the executable was built of; nil where the build was not told (`TESSERA_COMMIT`).
  package static let commit: String? = {
    let text = String(cString: tsr_build_commit())
    return text.isEmpty ? nil : text
  }()

  /// SHA-256 of the executable's file; nil where it cannot be read. It is read once: each stage of a run
  /// tells it.
  package static let executableFingerprint: String? = {
    #if os(Linux)
      // The file that runs, also where another has taken its name.
      let path: String? = "/proc/self/exe"
    #else
      let path = Bundle.main.executablePath
    #endif
    return path.flatMap { try? Fingerprint.ofFile($0) }
  }()

  /// The CPU as the operating system names it; nil where it does not.
  package static func processorName() -> String? {
    let text = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
    let line = text.split(separator: "\n").first { $0.hasPrefix("model name") }
    return line?.split(separator: ":", maxSplits: 1).last?.trimmingCharacters(in: .whitespaces)
  }

  /// The operating system and the architecture that this module was compiled for.
  package static let platformName: String = {
    #if os(Linux)
      let system = "linux"
    #elseif os(macOS)
      let system = "macos"
    #else
      let system = "other"
    #endif
    #if arch(x86_64)
      return system + " x86_64"
    #elseif arch(arm64)
      return system + " arm64"
    #else
      return system + ", another architecture"
    #endif
  }()

  /// The compiler of this module. A compiler tells a program its least version alone.
  package static let compilerName: String = {
    #if compiler(>=6.5)
      return "Swift 6.5 or newer"
    #elseif compiler(>=6.4)
      return "Swift 6.4"
    #elseif compiler(>=6.3)
      return "Swift 6.3"
    #elseif compiler(>=6.2)
      return "Swift 6.2"
    #else
      return "Swift 6.1"
    #endif
  }()
}
