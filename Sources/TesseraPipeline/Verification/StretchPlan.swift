// SPDX-License-Identifier: Apache-2.0

/// Which stretches between recorded states are computed again, and from where: each of those that are drawn,
/// from the last kept state before it, or on from the one that was computed last, or from the start.
struct StretchPlan: Equatable {
  /// One run over stretches that follow each other.
  struct Run: Equatable {
    /// The number of the kept state that it begins at; nil: at the start.
    let from: Int?
    /// The numbers of the states that it makes.
    var states: Range<Int>
  }

  /// The runs in order.
  private(set) var runs: [Run] = []
  /// States that were recorded, and those of them that were drawn.
  let total: Int, drawn: Int

  /// States that are computed.
  var computed: Int { runs.reduce(0) { $0 + $1.states.count } }

  /// A plan for states by number.
  ///
  /// - Parameters:
  ///   - total: states that were recorded.
  ///   - kept: the numbers of those that are kept.
  ///   - drawn: the numbers of those that are to be made again, ascending.
  init(total: Int, kept: Set<Int>, drawn: [Int]) {
    (self.total, self.drawn) = (total, drawn.count)
    for state in drawn {
      let nearest = (0..<state).last { kept.contains($0) }
      let end = runs.last?.states.upperBound ?? 0
      if let last = runs.indices.last, end > nearest ?? -1 {
        runs[last].states = runs[last].states.lowerBound..<max(end, state + 1)
      } else {
        runs.append(Run(from: nearest, states: (nearest.map { $0 + 1 } ?? 0)..<state + 1))
      }
    }
  }
}
