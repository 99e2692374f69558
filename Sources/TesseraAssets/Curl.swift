// SPDX-License-Identifier: Apache-2.0
import Foundation
import TesseraCompute

/// Downloads by the program `curl`, which every distribution has with its certificates and proxies; Foundation's
/// own way would bind the binary to libcurl.
struct Curl {
  /// What is used by all calls: https, or a file where a test or a mirror on disk says so; no endless waiting.
  private static let common = [
    "--fail", "--location", "--silent", "--show-error", "--proto", "=https,file", "--proto-redir", "=https",
    "--connect-timeout", "30", "--speed-time", "60", "--speed-limit", "1", "--retry", "3",
  ]

  /// Downloads into a file; what is there already is its beginning.
  ///
  /// - Parameters:
  ///   - url: where from.
  ///   - file: where to.
  ///   - bytes: its size.
  ///   - progress: called now and then with the bytes that are there.
  /// - Throws: `TesseraError` with curl's own reason.
  static func download(_ url: String, to file: URL, bytes: Int, progress: (Int) -> Void) throws {
    if size(file) > bytes { try? FileManager.default.removeItem(at: file) }
    guard size(file) < bytes else { return }
    let more = ["--max-filesize", "\(bytes)", "--continue-at", "-", "--output", file.path]
    do {
      _ = try run(common + more + [url], url: url) { progress(size(file)) }
    } catch let error as Failure where error.status == 33 || error.status == 36 {
      // A server that cannot send the rest sends all.
      try? FileManager.default.removeItem(at: file)
      _ = try run(
        common + ["--max-filesize", "\(bytes)", "--output", file.path, url], url: url
      ) { progress(size(file)) }
    }
    progress(size(file))
  }

  /// A page's bytes.
  static func page(_ url: String) throws -> Data {
    try run(common + ["--max-filesize", "\(64 << 20)", url], url: url) {}
  }

  /// The size of a file; 0 for none.
  static func size(_ file: URL) -> Int {
    ((try? FileManager.default.attributesOfItem(atPath: file.path))?[.size] as? Int) ?? 0
  }

  /// A call of curl that did not end well.
  private struct Failure: Error {
    let status: Int32, line: String, url: String

    var told: TesseraError {
      TesseraError.failure(
        url, found: line.isEmpty ? "curl ended with \(status)" : line,
        wanted: "the network (what has come is kept: the same command goes on with it)")
    }
  }

  private static func run(_ arguments: [String], url: String, wait: () -> Void) throws -> Data {
    do {
      return try call(arguments, url: url, wait: wait)
    } catch let error as Failure where error.status != 33 && error.status != 36 {
      throw error.told
    }
  }

  private static func call(_ arguments: [String], url: String, wait: () -> Void) throws -> Data {
    guard let program = path(of: "curl") else {
      throw TesseraError.failure("fetch", found: "no curl", wanted: "the program curl (apt-get install curl)")
    }
    // Through files: a pipe that nobody empties would stop curl.
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
      "tessera-curl-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let (out, errors) = (folder.appendingPathComponent("out"), folder.appendingPathComponent("errors"))
    for file in [out, errors] { _ = FileManager.default.createFile(atPath: file.path, contents: nil) }
    let process = Process()
    process.executableURL = program
    process.arguments = arguments
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = try FileHandle(forWritingTo: out)
    process.standardError = try FileHandle(forWritingTo: errors)
    try process.run()
    while process.isRunning {
      wait()
      usleep(100_000)
    }
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
      let text = String(decoding: (try? Data(contentsOf: errors)) ?? Data(), as: UTF8.self)
      throw Failure(
        status: process.terminationStatus,
        line: text.split(whereSeparator: \.isNewline).last.map(String.init) ?? "", url: url)
    }
    return try Data(contentsOf: out)
  }

  /// A program of the search path.
  private static func path(of name: String) -> URL? {
    (ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin").split(separator: ":").lazy
      .map { URL(fileURLWithPath: String($0)).appendingPathComponent(name) }
      .first { FileManager.default.isExecutableFile(atPath: $0.path) }
  }
}
