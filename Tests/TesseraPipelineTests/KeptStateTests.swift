// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import TesseraCompute
import TesseraVision
import Testing

@testable import TesseraPipeline

/// States that a run keeps: stretches are made again from them, and they are what was recorded.
@Suite struct KeptStateTests {
  private func names(_ run: String) -> [String] { RunDirectory.visibleNames(in: run + "/states") }

  /// More steps than a stretch has, and more than one record of t-SNE.
  private func withLongRun(_ kept: KeptStates, _ body: (_ folder: String, _ run: String) throws -> Void)
    throws
  {
    try ProofRun.withRun { folder in
      try ProofRun.make(folder, "long", keptStates: kept) {
        $0.repeats = 1
        ($0.model.training.epochs, $0.model.training.batch, $0.layout.iterations) = (3, 1, 120)
      }
      try body(folder, folder + "/long")
    }
  }

  private func stage(_ certificate: RunCertificate, _ name: String) throws -> RunCertificate.Stage {
    try #require(certificate.stages.first { $0.stage == name })
  }

  @Test func whichAreKept() throws {
    #expect(try KeptStates("all") == .all && KeptStates("none") == .none && KeptStates("3") == .every(3))
    for text in ["", "0", "-1", "every", "1.5", "99999999"] {
      #expect(throws: TesseraError.self) { try KeptStates(text) }
    }
    #expect((0..<7).filter(KeptStates.every(3).keeps) == [0, 3, 6])
    #expect(KeptStates.all.keeps(5) && !KeptStates.none.keeps(0))
  }

  @Test func plansBeginAtTheNearestState() {
    func plan(_ kept: Set<Int>, _ drawn: [Int]) -> [StretchPlan.Run] {
      StretchPlan(total: 10, kept: kept, drawn: drawn).runs
    }
    #expect(plan([], []).isEmpty)
    #expect(plan([], [3, 7]) == [.init(from: nil, states: 0..<8)])
    #expect(
      plan([2, 5], [0, 3, 7]) == [
        .init(from: nil, states: 0..<1), .init(from: 2, states: 3..<4), .init(from: 5, states: 6..<8),
      ])
    // A state that is kept is made again from the one before it.
    #expect(plan([2, 3], [3]) == [.init(from: 2, states: 3..<4)])
    #expect(plan([1], [3, 4]) == [.init(from: 1, states: 2..<5)])
    #expect(StretchPlan(total: 10, kept: [2], drawn: [4, 9]).computed == 7)
  }

  @Test(.tags(.slow)) func stretchesBeginAtKeptStates() throws {
    try withLongRun(.all) { _, run in
      // Epoch 0, three epochs of 26 steps (one stretch each), and t-SNE at 50, 100, 120.
      #expect(names(run).filter { $0.hasPrefix("epoch") }.count == 4)
      #expect(names(run).filter { $0.hasPrefix("layout") }.count == 3)
      for seed in 1...4 as ClosedRange<UInt64> {
        let found = try ProofRun.verify(run, .rows(.count(1), seed: seed, stretches: .count(1)))
        #expect(found.isEqual, "\(found.difference?.text ?? "")")
        let (layout, model) = (try stage(found, "layout"), try stage(found, "model"))
        #expect((model.rows, model.total, model.computed) == (1, 4, 1))
        #expect((layout.rows, layout.total, layout.computed) == (1, 3, 1))
      }
      // A state that another has tampered with is a failure, as any file that is not as recorded.
      try TensorEdit.flip("losses", element: 1, in: run + "/states/epoch-1-step-26.safetensors")
      var failures = 0
      for seed in 1...8 as ClosedRange<UInt64> {
        do { _ = try ProofRun.verify(run, .rows(.count(1), seed: seed, stretches: .count(1))) } catch let
          error as TesseraError
        {
          #expect(error.kind == .failure && error.place.contains("epoch-1-step-26"), "\(error)")
          failures += 1
        }
      }
      #expect(failures > 0 && failures < 8)
      // What comes to it names it, and so does a verification of all that does not come to it.
      let found = try ProofRun.verify(run, .rows(.count(1), seed: 1, stretches: .share(1)))
      #expect(found.isEqual, "its losses are no tensor of the state")
      #expect(throws: TesseraError.self) { try ProofRun.verify(run) }
    }
  }

  /// States of the training before, in the same folder, are not taken for this one's.
  @Test(.tags(.slow)) func anotherTrainingRemovesTheStatesBeforeIt() throws {
    try withLongRun(.all) { folder, run in
      #expect(names(run).count == 7)
      try ProofRun.make(folder, "long", keptStates: .none) {
        $0.repeats = 1
        ($0.model.training.epochs, $0.model.training.batch, $0.layout.iterations) = (2, 1, 120)
      }
      // The layout's are of the layout that stayed.
      #expect(names(run).allSatisfy { $0.hasPrefix("layout") } && names(run).count == 3, "\(names(run))")
      #expect(try ProofRun.verify(run).isEqual)
    }
  }

  @Test(.tags(.slow)) func aChangedStateIsNamedWhereItIsKept() throws {
    try withLongRun(.every(2)) { _, run in
      #expect(
        names(run).filter { $0.hasPrefix("epoch") } == [
          "epoch-0-step-0.safetensors", "epoch-2-step-26.safetensors",
        ])
      // The whole end of a training is made up: a state, its digest, and all digests that follow from it.
      let path = run + "/history.json"
      var history = try JSONDecoder().decode(
        [EpochRecord].self, from: Data(contentsOf: URL(fileURLWithPath: path)))
      history[2].stretches = [String(repeating: "a", count: 64)]
      history[2].state = history[2].seal
      try JSONEncoder().encode(history).write(to: URL(fileURLWithPath: path))
      try TensorEdit.flip(
        "model.bypass.weight", element: 7, bit: 3, in: run + "/states/epoch-2-step-26.safetensors")
      try ProofRun.fit(run, "model")
      let found = try ProofRun.verify(run, .rows(.count(1), seed: 1, stretches: .share(1)))
      let difference = try #require(found.difference)
      #expect(difference.stage == "model" && difference.file == "states/epoch-2-step-26.safetensors")
      #expect(difference.tensor == "model.bypass.weight" && difference.index == [0, 7], "\(difference.text)")
    }
  }

  @Test(.tags(.slow)) func aLayoutsHistoryIsMadeAgain() throws {
    try withLongRun(.none) { folder, run in
      #expect(names(run).isEmpty)
      let whole = try ProofRun.verify(run, .rows(.count(1), seed: 1, stretches: .share(1)))
      #expect(whole.isEqual, "\(whole.difference?.text ?? "")")
      #expect(try stage(whole, "layout").computed == 3)
      for (change, named) in [
        ("\"iteration\":50", "iteration 50"), ("\"iteration\":120", "iteration 120"),
      ] {
        let copy = folder + "/copy"
        try? FileManager.default.removeItem(atPath: copy)
        try FileManager.default.copyItem(atPath: run, toPath: copy)
        try ProofRun.replace(copy + "/layout.history.json", change, "\"iteration\":49")
        try ProofRun.fit(copy, "layout")
        let found = try ProofRun.verify(copy, .rows(.count(1), seed: 1, stretches: .share(1)))
        #expect(found.difference?.stage == "layout", "\(found.difference?.text ?? "equal")")
        #expect(found.difference?.text.contains(named) == true, "\(found.difference?.text ?? "equal")")
      }
      // A place, its pixels left as they are; and a pixel.
      for (tensor, element) in [("coordinates", 3), ("pixel_of_feature", 3), ("minimum", 2)] {
        let copy = folder + "/copy"
        try? FileManager.default.removeItem(atPath: copy)
        try FileManager.default.copyItem(atPath: run, toPath: copy)
        try TensorEdit.flip(tensor, element: element, in: copy + "/layout.safetensors")
        try ProofRun.fit(copy, "layout")
        let found = try ProofRun.verify(copy, .rows(.count(1), seed: 1, stretches: .share(1)))
        #expect(found.difference?.stage == "layout", "\(found.difference?.text ?? "equal")")
        #expect(found.difference?.tensor?.contains(tensor) == true, "\(found.difference?.text ?? "equal")")
      }
    }
  }
}
