// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import CAllocation
import Foundation
import TesseraCompute

/// The command line. One file a subcommand; no logic of its own.
@main
struct Tessera: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tessera",
    abstract: "Turns text into pictures and classifies the pictures, with the same bits on every device.",
    version: VersionText.title,
    subcommands: [
      Run.self, Embed.self, Layout.self, Render.self, Train.self, Evaluate.self, Predict.self, Report.self,
      Export.self,
      Devices.self, Verify.self, Bench.self, Tune.self, Fetch.self, Cache.self,
    ])

  /// Runs the command and ends with 0, 1 (a failure) or 2 (the user's mistake), an error being one line on
  /// standard error.
  static func main() {
    StandardStreams.prepare()
    do {
      try StandardStreams.checkArguments()
      try Refusal.checkCommand(CommandLine.arguments.dropFirst().first)
      try answer()
      try StandardStreams.finish()
      try RankSession.finish()
    } catch let error as TesseraError {
      fail("\(error)", code: error.kind == .input ? 2 : 1)
    } catch {
      fail("\(error)", code: 1)
    }
  }

  private static func answer() throws {
    var command: any ParsableCommand
    do {
      command = try parseAsRoot(try RunFile.expanded(Array(CommandLine.arguments.dropFirst())))
    } catch let error as TesseraError {
      throw error
    } catch {
      // Help and the version are no mistakes.
      if exitCode(for: error) == .success {
        let message = fullMessage(for: error)
        return print(message == VersionText.title ? VersionText.whole() : message)
      }
      fail(Refusal.line(message(for: error)), code: 2)
    }
    // What is told of memory that runs out before a stage has begun.
    let name = "\(type(of: command))".lowercased()
    tsr_allocation_purpose(name)
    try RankSession.divide(command)
    do {
      try command.run()
    } catch  where !(error is TesseraError) && exitCode(for: error) == .success {
      print(fullMessage(for: error))
    }
  }

  private static func fail(_ line: String, code: Int32) -> Never {
    RankSession.fail(line, code: code)
  }
}
