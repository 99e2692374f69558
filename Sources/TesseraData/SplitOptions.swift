// SPDX-License-Identifier: Apache-2.0

/// Which rows are for what: the one place of these options and their defaults; `Split` checks them. A run's
/// file keeps them under the names of the properties.
public struct SplitOptions: Sendable, Equatable, Codable {
  /// Share of the rows for validation.
  public var validationShare = 0.2
  /// Share of the rows for the test, where there is no test data.
  public var testShare = 0.2
  /// How many of the training rows are used; nil: all.
  public var trainingRows: Int?

  /// The defaults.
  public init() {}
}
