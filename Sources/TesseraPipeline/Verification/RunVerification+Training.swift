// SPDX-License-Identifier: Apache-2.0
import Foundation
import TesseraCompute
import TesseraData
import TesseraVision

extension RunVerification {
  /// Runs stretches of the training again, each from the last kept state before it, else from the training's
  /// start, and compares every recorded state that it comes to.
  ///
  /// - Parameter draw: stretches by number, of so many.
  func trainingStretches(
    draw: (Int) throws -> [Int]
  ) throws -> (RunCertificate.Stage, RunCertificate.Difference?) {
    let history = try Pipeline.decode([EpochRecord].self, run.checked(Pipeline.Files.history))
    let images = try ImageSet.read(run.checked(Pipeline.Files.images))
    if let found = try historyDifference(history, images) { return (nothing, found) }
    let training = RecordedTraining(
      history, folder: run.folder, rows: images.split.training.count,
      batch: configuration.model.training.batch)
    let drawn = try draw(training.places.count)
    let plan = StretchPlan(total: training.places.count, kept: training.kept, drawn: drawn)
    if plan.computed > 0 {
      progress.note(
        "training: \(plan.drawn) of \(plan.total) states are drawn, \(TrainingPlace.stretch) steps apart;"
          + " \(plan.computed) have to be made again"
          + (plan.computed > plan.drawn ? ", for no nearer ones are kept to begin from" : ""))
    }
    var stage = nothing
    if plan.computed > 0 {
      stage = .init(stage: "model", extent: .stretches, rows: plan.drawn, total: plan.total)
      stage.computed = plan.computed
      stage.passes = RowSample.chances(drawn: plan.drawn, total: plan.total)
    }
    return (stage, try replay(plan, training, images))
  }

  private var nothing: RunCertificate.Stage { .init(stage: "model", extent: .nothing) }

  /// What the history says that cannot be, whatever the states were.
  private func historyDifference(_ history: [EpochRecord], _ images: ImageSet) throws -> RunCertificate
    .Difference?
  {
    let first = configuration.model.network.bypass ? 0 : 1
    func differs(_ entry: Int, _ recorded: String, _ recomputed: String) -> RunCertificate.Difference {
      .init(
        stage: "model", file: Pipeline.Files.history, tensor: "its entry", index: [entry], recorded: recorded,
        recomputed: recomputed)
    }
    for (entry, record) in history.enumerated() {
      guard record.epoch == first + entry else {
        return differs(entry, "epoch \(record.epoch)", "epoch \(first + entry)")
      }
      let wanted = record.places(
        rows: images.split.training.count, batch: configuration.model.training.batch
      ).count
      guard record.stretches?.count == wanted else {
        return differs(entry, "\(record.stretches?.count ?? 0) states", "\(wanted)")
      }
      guard record.state == record.seal else {
        return differs(entry, "the digest \(record.state ?? "none") of its figures", record.seal)
      }
    }
    let kept = EpochSelection.best(of: history, rows: images.split.validation.count)
    let told = run.records["model"]?.facts?["kept epoch"] ?? "none"
    guard told == kept.map({ "\($0)" }) ?? "none" else {
      return .init(
        stage: "model", file: "model.json", tensor: "its kept epoch", index: [], recorded: told,
        recomputed: kept.map { "\($0)" } ?? "none")
    }
    return nil
  }

  /// Compares the model with its standardisation of pixels, and with the state that it was kept of where that is
  /// kept, then runs what a plan has, until a state differs.
  private func replay(
    _ plan: StretchPlan, _ training: RecordedTraining, _ images: ImageSet
  ) throws -> RunCertificate.Difference? {
    let options = configuration.model
    let model = try ModelComparison(run.checked(Pipeline.Files.model), keptEpoch: training.keptEpoch(images))
    let statistics = try PixelStatistics.fit(
      images.images, area: images.area, rows: images.split.training, options.normalization)
    if let found = try model.difference(statistics, training) { return found }
    guard plan.computed > 0 else { return nil }
    progress.begin("training \(plan.computed) stretches again")
    var resources = TrainingResources()
    resources.splitting = .never
    // Rows that come up once are not worth keeping.
    let rows = plan.computed * TrainingPlace.stretch * options.training.batch
    if rows < images.labels.count { resources.limits = .none }
    let start = try TrainingStart(images, options, resources, on: devices.main) { _ in }
    let replay = try TrainingReplay(
      start.network, start.plan, recorded: training.history, resources, helpers: devices.helpers)
    for part in plan.runs {
      let found = try self.replay(part, replay, start, training) { found in
        try training.difference(from: found, replay.tensors, on: devices.main)
          ?? model.difference(from: replay.tensors, at: found, on: devices.main)
      }
      if let found { return found }
    }
    return nil
  }

  /// Runs stretches that follow each other, until one of their states differs.
  private func replay(
    _ part: StretchPlan.Run, _ replay: TrainingReplay, _ start: TrainingStart, _ training: RecordedTraining,
    differs: (TrainingReplay.Stretch) throws -> RunCertificate.Difference?
  ) throws -> RunCertificate.Difference? {
    var count = part.states.count
    if let state = part.from {
      try replay.begin(at: training.places[state], in: training.states)
    } else {
      try start.fit { replay.store }
      if let found = try replay.begin() {
        count -= 1
        if let difference = try differs(found) { return difference }
      }
    }
    for _ in 0..<count {
      let found = try replay.next {
        progress.update("epoch \($0.epoch)", done: $0.step, of: start.steps, unit: "steps")
      }
      if let difference = try differs(found) { return difference }
    }
    return nil
  }

  /// Whether a kept state of the training or of the layout is another than the recorded one: a run that was made
  /// again whole did not read them.
  func keptStateDifference() throws -> RunCertificate.Difference? {
    guard try !run.isOlder("model"), try !run.isOlder("layout") else { return nil }
    let history = try Pipeline.decode([EpochRecord].self, run.checked(Pipeline.Files.history))
    let images = try ImageSet.read(run.checked(Pipeline.Files.images))
    let options = configuration.model
    let training = RecordedTraining(
      history, folder: run.folder, rows: images.split.training.count, batch: options.training.batch)
    if !training.kept.isEmpty {
      var resources = TrainingResources()
      (resources.splitting, resources.limits) = (.never, .none)
      let start = try TrainingStart(images, options, resources, on: devices.main) { _ in }
      let replay = try TrainingReplay(
        start.network, start.plan, recorded: history, resources, helpers: devices.helpers)
      for state in training.kept.sorted() {
        try replay.begin(at: training.places[state], in: training.states)
      }
    }
    return try keptLayoutDifference()
  }

  private func keptLayoutDifference() throws -> RunCertificate.Difference? {
    let recorded = try RecordedLayout(
      try FeatureLayout.read(run.checked(Pipeline.Files.layout)),
      try Pipeline.decode([LayoutHistory].self, run.checked(Pipeline.Files.layoutHistory)),
      folder: run.folder)
    guard recorded.keepsStates else { return nil }
    let embeddings = try Embeddings.read(run.checked(Pipeline.Files.embeddings))
    var fit = try LayoutFit(
      embeddings, split: try configuration.split(of: data.labels), try configuration.layoutPlan(),
      on: devices.main)
    try recorded.checkKept(&fit, on: devices)
    return nil
  }
}
