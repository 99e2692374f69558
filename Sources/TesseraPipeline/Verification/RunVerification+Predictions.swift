// SPDX-License-Identifier: Apache-2.0
import TesseraCompute
import TesseraData
import TesseraVision

extension RunVerification {
  /// Predicts some of the rows again that were tested on, by the recorded model of the recorded images; accuracy
  /// and fingerprint are those of all recorded predictions.
  ///
  /// - Parameter draw: rows by number, of so many.
  func predictionRows(
    draw: (Int) throws -> [Int]
  ) throws -> (RunCertificate.Stage, RunCertificate.Difference?) {
    let images = try ImageSet.read(run.checked(Pipeline.Files.images))
    let (pictures, places, labels) = try testRows(images)
    let classes = images.classes.count
    let recorded = try Predictions(run.checked(Pipeline.Files.predictions), classes: classes)
    let report = Rows(stage: "evaluation", file: Pipeline.Files.predictions, total: labels.count)
    guard recorded.count == labels.count else {
      return report.other(0, "\(recorded.count) rows", "\(labels.count)")
    }
    if let row = labels.indices.first(where: { recorded.labels[$0] != labels[$0] }) {
      return report.differs(0, "labels", [row], "\(recorded.labels[row])", "\(labels[row])")
    }
    let model = try TrainedModel.read(run.checked(Pipeline.Files.model), on: devices)
    if let found = try figures(recorded, model) { return (report.done(0), found) }
    // A network that standardises whole batches makes a row of all rows beside it.
    let drawn = try draw(labels.count)
    let rows = model.network.standardizesBatches ? Array(labels.indices) : drawn
    progress.begin("predicting \(rows.count) of \(labels.count) rows again")
    let again = try model.logProbabilities(pictures, of: rows.map { places[$0] })
    return report.compare(rows, "log_probabilities", columns: classes, Floats(recorded.scores), again)
  }

  /// Whether the run's figures are others than its predictions make.
  private func figures(_ predictions: Predictions, _ model: TrainedModel) throws -> RunCertificate.Difference?
  {
    let told = try Pipeline.decode(Evaluation.self, run.checked(Pipeline.Files.evaluation))
    let made = try predictions.evaluation(keptEpoch: model.keptEpoch, names: model.classes)
    func differs(_ what: String, _ recorded: String, _ recomputed: String) -> RunCertificate.Difference {
      .init(
        stage: "evaluation", file: Pipeline.Files.evaluation, tensor: what, index: [], recorded: recorded,
        recomputed: recomputed)
    }
    for (what, own, other) in [
      ("the model's accuracy", told.model, made.model), ("the probe's accuracy", told.probe, made.probe),
    ] where own != other {
      return differs(what, "\(own.correct) of \(own.total)", "\(other.correct) of \(other.total)")
    }
    // Older programs did not write it.
    let isOld = (run.records["evaluation"]?.version ?? 1) < 3 && told.comparison == nil
    guard isOld || told.comparison == made.comparison else {
      return differs(
        "the comparison of both", told.comparison?.description ?? "none",
        made.comparison?.description ?? "none")
    }
    let isWithoutMeasures = try run.isWithoutMeasures || isOld
    for (what, own, other) in [
      ("the measures by class", told.measures, made.measures),
      ("the probe's measures by class", told.probeMeasures, made.probeMeasures),
    ] where !isWithoutMeasures && own != other {
      let names = ClassMeasures.difference(own, other)
      return differs(what, names.recorded, names.recomputed)
    }
    guard told.fingerprint == made.fingerprint else {
      return differs("its fingerprint", told.fingerprint, made.fingerprint)
    }
    guard told.keptEpoch == made.keptEpoch else {
      return differs(
        "its kept epoch", told.keptEpoch.map { "\($0)" } ?? "none", made.keptEpoch.map { "\($0)" } ?? "none")
    }
    return nil
  }

  /// The images to test on, with their classes.
  func testRows(_ images: ImageSet) throws -> (images: Floats, rows: [Int], labels: [Int32]) {
    guard configuration.test == nil else {
      let set = try ImageSet.read(run.checked(Pipeline.Files.testImages))
      return (set.images, Array(set.labels.indices), set.labels)
    }
    let rows = images.split.test
    return (images.images, rows, rows.map { images.labels[$0] })
  }
}
