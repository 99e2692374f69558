// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import Testing

@testable import tessera

/// A mistyped word is refused with what was probably meant.
@Suite struct SuggestionTests {
  @Test(arguments: [
    ("runn", "run"), ("rnu", "run"), ("evalute", "evaluate"), ("eval", "evaluate"), ("Predict", "predict"),
    ("trian", "train"), ("devcies", "devices"), ("fech", "fetch"),
  ]) func aMistypedCommandIsNamed(_ word: String, _ wanted: String) throws {
    let result = try Command.run([word, "--data", "x"])
    #expect(result.code == 2)
    #expect(
      result.errors
        == "tessera: command: found \(word), wanted one that tessera --help lists; did you mean \(wanted)?\n")
  }

  @Test(arguments: ["x", "frobnicate", "re"]) func whatIsNearNothingHasNoSuggestion(_ word: String) throws {
    let result = try Command.run([word])
    #expect(result.code == 2)
    #expect(result.errors == "tessera: command: found \(word), wanted one that tessera --help lists\n")
  }

  @Test func aMistypedOptionIsNamed() throws {
    let result = try Command.run(["run", "--data", "d", "--encoder", "e", "--out", "o", "--modle", "alexnet"])
    #expect(result.code == 2 && result.errors.contains("--model"), "\(result.errors)")
  }

  @Test func distancesAreThoseOfTheDefinition() {
    for (a, b, wanted) in [
      ("", "abc", 3), ("abc", "abc", 0), ("abc", "acb", 1), ("run", "rnu", 1), ("ca", "abc", 3),
    ] {
      #expect(Suggestion.distance(a, b) == wanted && Suggestion.distance(b, a) == wanted, "\(a) \(b)")
    }
  }

  @Test func helpIsInGroupsWithExamples() throws {
    let help = try Command.run(["run", "--help"]).output
    for title in ["DATA:", "ENCODER:", "LAYOUT AND IMAGES:", "NETWORK AND TRAINING:", "SPLIT:", "DEVICE:"] {
      #expect(help.contains("\n\(title)\n"), "\(title)\n\(help)")
    }
    #expect(help.contains("\nEXAMPLES:\n") || help.contains("EXAMPLES:"))
    #expect(!help.contains("the recipe's)"))
  }

  @Test(arguments: ["bash", "zsh", "fish"]) func completionsOfferValues(_ shell: String) throws {
    let script = try Command.run(["--generate-completion-script", shell]).output
    for value in ["efficientnet_lite0", "minilm-l6", "cls+mean", "lsa"] {
      #expect(script.contains(value), "\(shell): \(value)")
    }
  }
}
