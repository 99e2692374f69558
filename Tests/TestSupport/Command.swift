// SPDX-License-Identifier: Apache-2.0
import Foundation

/// The `tessera` binary that was built beside the tests.
public struct Command {
  /// What a call left.
  public struct Result: Sendable {
    /// Exit code (128 + number for a signal), standard output and standard error.
    public let code: Int32, output: String, errors: String

    /// The lines of the output that begin with a word, without it.
    public func values(_ first: String) -> [String] {
      output.split(separator: "\n").compactMap { line in
        let text = line.drop { $0 == " " }
        return text.hasPrefix(first + " ")
          ? text.dropFirst(first.count).trimmingCharacters(in: .whitespaces) : nil
      }
    }

    /// Every SHA-256 in the output, in order.
    public var fingerprints: [String] {
      output.split(whereSeparator: \.isWhitespace).map(String.init).filter {
        $0.count == 64 && $0.allSatisfy(\.isHexDigit)
      }
    }
  }

  /// The binary's path.
  public static let path: String = {
    let tests = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
    return URL(fileURLWithPath: tests).deletingLastPathComponent().appendingPathComponent("tessera").path
  }()

  /// Runs it to its end.
  public static func run(
    _ arguments: [String], input: String = "", environment: [String: String] = [:]
  ) throws -> Result {
    try run(path, arguments, input: input, environment: environment)
  }

  /// Runs another binary that was built beside the tests.
  public static func run(_ name: String, _ arguments: [String]) throws -> Result {
    let place = URL(fileURLWithPath: path).deletingLastPathComponent().appendingPathComponent(name)
    return try run(place.path, arguments, input: "", environment: [:])
  }

  /// Runs a line of a shell in which `$TESSERA` is the binary.
  public static func shell(_ line: String, environment: [String: String] = [:]) throws -> Result {
    try run("/bin/bash", ["-c", line], input: "", environment: environment.merging(["TESSERA": path]) { $1 })
  }

  private static func run(
    _ executable: String, _ arguments: [String], input: String, environment: [String: String]
  ) throws -> Result {
    try withTemporaryFolder { folder in
      let names = ["in", "out", "err"].map { folder + "/" + $0 }
      try Data(input.utf8).write(to: URL(fileURLWithPath: names[0]))
      for name in names[1...] { _ = FileManager.default.createFile(atPath: name, contents: nil) }
      let process = Process()
      process.executableURL = URL(fileURLWithPath: executable)
      process.arguments = arguments
      process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
      process.standardInput = FileHandle(forReadingAtPath: names[0])
      process.standardOutput = FileHandle(forWritingAtPath: names[1])
      process.standardError = FileHandle(forWritingAtPath: names[2])
      try process.run()
      process.waitUntilExit()
      let code = process.terminationStatus + (process.terminationReason == .uncaughtSignal ? 128 : 0)
      func text(_ name: String) -> String {
        String(decoding: FileManager.default.contents(atPath: name) ?? Data(), as: UTF8.self)
      }
      return Result(code: code, output: text(names[1]), errors: text(names[2]))
    }
  }
}
