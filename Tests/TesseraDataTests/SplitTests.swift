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
}
