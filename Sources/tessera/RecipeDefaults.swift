// SPDX-License-Identifier: Apache-2.0
import TesseraPipeline
import TesseraVision

/// What help says of the defaults that depend on the recipe or on the network: the values themselves.
enum RecipeDefaults {
  /// A default by recipe.
  static func text(_ value: (Recipe) -> String) -> String {
    let (standard, paper) = (value(.standard), value(.paper))
    return "(default: \(standard)\(paper == standard ? "" : "; the paper's recipe: \(paper)"))"
  }

  /// A default of the options of a network by recipe.
  static func model(_ value: (TrainedModel.Options) -> String) -> String {
    text { value($0.model()) }
  }

  /// A default by network: the recipe's own, and that of another one.
  static func network(_ value: (TrainedModel.Options) -> String) -> String {
    let own = Recipe.standard.model()
    let others = Architecture.allCases.first { $0 != own.architecture } ?? own.architecture
    let (first, rest) = (value(own), value(Recipe.standard.model(others)))
    return first == rest
      ? "(default: \(first))" : "(default: \(first) with \(own.architecture.rawValue), else \(rest))"
  }
}
