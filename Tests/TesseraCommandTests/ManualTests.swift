// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import Testing

/// The manual page is made of the tool's own help and is shown by `man` without a warning.
@Suite struct ManualTests {
  private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().path
  private static let canShow =
    (try? Command.shell("command -v python3 && command -v man"))?.code == 0

  @Test(.enabled(if: canShow)) func thePageIsShownWithEveryCommand() throws {
    try withTemporaryFolder { folder in
      let page = folder + "/tessera.1"
      let built = URL(fileURLWithPath: Command.path).deletingLastPathComponent().path
      let made = try Command.shell("python3 '\(Self.root)/tools/docs' --built '\(built)' --man '\(page)'")
      try #require(made.code == 0, "\(made.errors)")
      // So wide that no text goes over two lines.
      let shown = try Command.shell(
        "man --warnings --nh --nj -l '\(page)' | col -bx", environment: ["MANWIDTH": "2000"])
      #expect(shown.code == 0 && shown.errors.isEmpty, "\(shown.errors)")
      for text in [
        "tessera - ", "tessera run\n", "tessera cache clear\n", "tessera bench compare\n",
        "--encoder encoder",
        "Values: cls, mean, cls+mean.", "Default: 30", "TESSERA_CACHE", "EXIT STATUS",
        "tessera run --data snippets --encoder minilm-l6 --out runs/a",
      ] { #expect(shown.output.contains(text), "\(text)") }
      // What begins with a dot or holds a backslash stays what it is.
      #expect(!shown.output.contains("\\fB") && shown.output.contains("backslash (\\"))
    }
  }
}
