// SPDX-License-Identifier: Apache-2.0
import Foundation
import TesseraCompute

/// The command line that made a run, and when it ended (`command.json`), for its report; no stage depends on it.
struct RunCommand: Codable, Sendable, Equatable {
  /// The words, with the program's name first.
  let command: [String]
  /// When the run ended, in UTC, as ISO 8601 writes it.
  let date: String

  /// A command that ends now.
  init(_ command: [String]) {
    self.command = command
    date = Date().formatted(.iso8601)
  }

  /// Reads what is there; nil where there is nothing that can be read.
  static func read(_ path: String) -> RunCommand? {
    InputFile.readIfThere(path).flatMap { try? JSONDecoder().decode(RunCommand.self, from: $0) }
  }

  /// Writes it into a run's folder.
  func write(in folder: RunDirectory) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    folder.unfinish()
    try AtomicFile.write(
      try encoder.encode(self) + Data("\n".utf8), to: folder.file(Pipeline.Files.command))
  }
}
