// SPDX-License-Identifier: Apache-2.0
import TesseraData

/// Classes with so few rows of validation or test that chance decides their figures.
struct SmallClasses {
  /// A warning for each set of rows with such classes.
  let warnings: [String]

  /// Fewer rows of a class than these say little of it.
  static let fewest = 10

  /// The classes of a data set, divided.
  ///
  /// - Parameters:
  ///   - labels: the class of each row.
  ///   - classes: their names.
  ///   - split: which rows are for what.
  ///   - test: the classes of rows that are tested on besides; nil: the split's are.
  ///   - options: how the split was made.
  init(labels: [Int32], classes: [String], split: Split, test: [Int32]?, options: SplitOptions) {
    func counts(_ labels: some Sequence<Int32>) -> [Int] {
      var counts = [Int](repeating: 0, count: classes.count)
      for label in labels where classes.indices.contains(Int(label)) { counts[Int(label)] += 1 }
      return counts
    }
    let all = counts(labels)
    let isRandom = options.splitMethod ?? .random == .random
    let remedy = isRandom ? "; --split stratified divides the rows of every class in the same share" : ""
    warnings = [
      ("validation", split.validation.map { labels[$0] }, true),
      ("test", test ?? split.test.map { labels[$0] }, test == nil),
    ].compactMap { name, rows, isShare in
      guard !rows.isEmpty else { return nil }
      let found = counts(rows)
      let small = classes.indices.filter { all[$0] > 0 && found[$0] < Self.fewest }
      guard !small.isEmpty else { return nil }
      let named = small.prefix(5).map { "\(found[$0]) of \(classes[$0])" }.joined(separator: ", ")
      let more = small.count > 5 ? ", and so for \(small.count - 5) classes more" : ""
      return "few rows of \(name): \(named)\(more). Figures of fewer than \(Self.fewest) rows are chance"
        + (isShare ? remedy : "")
    }
  }
}
