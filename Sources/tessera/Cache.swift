// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import TesseraAssets
import TesseraCompute

/// What is kept between calls.
struct Cache: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Lists what is kept between calls: built programs, tiles, fetched assets; or clears it.",
    discussion: """
      Built programs are kept up to a size, 512 MiB unless $TESSERA_PROGRAM_CACHE says another; the least \
      recently used ones go first.
      """,
    subcommands: [List.self, Clear.self], defaultSubcommand: List.self)

  /// Lists it.
  struct List: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Lists what is kept, with sizes.")

    @Flag(help: "JSON instead of text.")
    var json = false

    private struct Entry: Encodable {
      let folder: String, programLimit: Int, parts: [CacheContents.Part]
    }

    /// Prints the folder and its parts.
    func run() throws {
      let contents = try CacheContents(.standard)
      let limit = try ProgramCacheLimit.standard()
      if json {
        return try printJSON(Entry(folder: contents.folder, programLimit: limit, parts: contents.parts))
      }
      print(contents.folder)
      for part in contents.parts {
        let most = part.name == "programs" ? " of at most \(size(limit))" : ""
        print(
          "  \(part.name)  \(size(part.bytes))\(most) in \(part.files) file\(part.files == 1 ? "" : "s"): \(part.about)"
        )
      }
      if contents.parts.isEmpty { print("  nothing") }
    }
  }

  /// Clears it.
  struct Clear: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Takes away what is named: programs, tiles, unfinished, assets by their names, or all.")

    @Argument(help: "What to take away.")
    var names: [String]

    /// Takes it away and says what that was.
    func run() throws {
      for part in try CacheContents(.standard).clear(names) {
        print("\(part.name): \(size(part.bytes)) taken away (\(part.path))")
      }
    }
  }
}

/// A size in words.
private func size(_ bytes: Int) -> String {
  bytes < 1 << 20 ? "\((bytes + 1023) >> 10) KiB" : "\((bytes + (1 << 19)) >> 20) MiB"
}
