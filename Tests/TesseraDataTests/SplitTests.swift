// SPDX-License-Identifier: Apache-2.0
import TesseraCompute
import Testing

@testable import TesseraData

@Suite struct SplitTests {
  private let labels = (0..<103).map { Int32($0 % 2) }

  @Test func everyRowIsUsedOnce() throws {
    let split = try Split(labels: labels, validation: 0.2, test: 0.1, seed: 5)
    #expect(split.validation.count == 21 && split.test.count == 10 && split.training.count == 72)
    #expect((split.training + split.validation + split.test).sorted() == Array(0..<103))
    #expect(split.training == split.training.sorted())
  }

  @Test func fewerTrainingRowsAreAmongMore() throws {
    let whole = try Split(labels: labels, validation: 0.2, test: 0.1, seed: 5)
    let some = try Split(labels: labels, validation: 0.2, test: 0.1, seed: 5, trainingRows: 40)
    let few = try Split(labels: labels, validation: 0.2, test: 0.1, seed: 5, trainingRows: 11)
    #expect(some.training.count == 40 && few.training.count == 11)
    #expect(Set(few.training).isSubset(of: some.training) && Set(some.training).isSubset(of: whole.training))
    #expect(some.validation == whole.validation && few.test == whole.test)
    #expect(try Split(labels: labels, validation: 0.2, test: 0.1, seed: 5, trainingRows: 72) == whole)
    for rows in [73, 0, -1] {
      #expect(throws: TesseraError.self) {
        try Split(labels: labels, validation: 0.2, test: 0.1, seed: 5, trainingRows: rows)
      }
    }
  }

  @Test func theSeedDecides() throws {
    let split = try Split(labels: labels, validation: 0.2, test: 0.1, seed: 5)
    #expect(try split == Split(labels: labels, validation: 0.2, test: 0.1, seed: 5))
    #expect(try split != Split(labels: labels, validation: 0.2, test: 0.1, seed: 6))
  }

  @Test func impossibleSharesAndSingleClassesAreRefused() {
    for (validation, test) in [(-0.1, 0), (0.5, 0.5), (0, 1), (Double.nan, 0)] {
      #expect(throws: TesseraError.self) {
        try Split(labels: labels, validation: validation, test: test, seed: 1)
      }
    }
    #expect(throws: TesseraError.self) {
      try Split(labels: [1, 1, 1, 1], validation: 0.25, test: 0, seed: 1)
    }
    #expect(throws: TesseraError.self) { try Split(labels: [0, 1], validation: 0.5, test: 0, seed: 1) }
  }

  /// Classes of very different sizes: each has its share in every part, but for a row.
  @Test(arguments: [1, 2, 3, 4, 5] as [UInt64]) func everyClassIsDividedInTheSameShares(_ seed: UInt64) throws
  {
    let sizes = [700, 203, 61, 20, 5]
    let labels = sizes.enumerated().flatMap { [Int32](repeating: Int32($0), count: $1) }
    let split = try Split(labels: labels, validation: 0.2, test: 0.1, seed: seed, method: .stratified)
    let n = labels.count
    #expect(n == 989 && split.validation.count == 198 && split.test.count == 99)
    #expect((split.training + split.validation + split.test).sorted() == Array(0..<n))
    for (rows, share) in [(split.training, 0.7), (split.validation, 0.2), (split.test, 0.1)] {
      for (c, size) in sizes.enumerated() {
        let count = rows.count { labels[$0] == Int32(c) }
        #expect(abs(Double(count) - share * Double(size)) < 1.6, "class \(c): \(count) of \(size)")
      }
    }
    let again = try Split(labels: labels, validation: 0.2, test: 0.1, seed: seed, method: .stratified)
    let other = try Split(labels: labels, validation: 0.2, test: 0.1, seed: seed + 1, method: .stratified)
    #expect(split == again && split != other)
    // Fewer training rows are among more, in the same shares.
    let few = try Split(
      labels: labels, validation: 0.2, test: 0.1, seed: seed, method: .stratified, trainingRows: 100)
    #expect(Set(few.training).isSubset(of: split.training) && few.test == split.test)
    #expect(abs(few.training.count { labels[$0] == 0 } - 71) <= 1)
  }

  @Test(arguments: [SplitMethod.random, .stratified]) func foldsTestEveryRowOnce(_ method: SplitMethod) throws
  {
    let labels = (0..<103).map { Int32($0 % 10 == 0 ? 1 : 0) }
    var tested: [Int] = []
    for number in 1...5 {
      let split = try Split(
        labels: labels, validation: 0.2, test: 0.9, seed: 3, method: method, fold: Fold(number, of: 5))
      #expect((split.training + split.validation + split.test).sorted() == Array(0..<103))
      #expect(split.validation.count == 21 && (20...21).contains(split.test.count))
      if method == .stratified {
        #expect((2...3).contains(split.test.count { labels[$0] == 1 }))
        #expect(abs(split.validation.count { labels[$0] == 1 } - 2) <= 1)
      }
      tested += split.test
    }
    #expect(tested.sorted() == Array(0..<103))
  }

  @Test func foldsThatThereAreNotAreRefused() {
    for (number, count, rows) in [(0, 5, 20), (6, 5, 20), (1, 1, 20), (1, 0, 20), (1, 21, 20), (1, -1, 20)] {
      #expect(throws: TesseraError.self, "\(number) of \(count)") {
        try Split(
          labels: (0..<rows).map { Int32($0 % 2) }, validation: 0.1, test: 0, seed: 1,
          fold: Fold(number, of: count))
      }
    }
    // Half of the rows for validation and half for the test leave none.
    #expect(throws: TesseraError.self) {
      try Split(labels: [0, 1, 0, 1], validation: 0.5, test: 0, seed: 1, fold: Fold(1, of: 2))
    }
    var options = SplitOptions()
    options.fold = 1
    #expect(throws: TesseraError.self) { try options.split(of: [0, 1, 0, 1], seed: 1) }
    options.folds = 2
    #expect(throws: TesseraError.self) { try options.split(of: [0, 1, 0, 1], seed: 1, hasTest: true) }
  }
}
