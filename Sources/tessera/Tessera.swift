import ArgumentParser

/// The command line. One file a subcommand; no logic of its own.
@main
struct Tessera: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tessera", abstract: "Turns text into pictures and classifies the pictures.")
}
