// SPDX-License-Identifier: Apache-2.0
import TesseraCompute
import TesseraData
import TesseraVision

extension RunVerification {
  /// Thrown to end a training after an epoch.
  private struct Enough: Error {}

  /// Trains again, on the recorded images, to the last of the epochs that are drawn; every epoch up to it is
  /// compared with its record, the digest of its state included.
  ///
  /// - Parameter draw: places in a history of so many epochs.
  func epochs(draw: (Int) throws -> [Int]) throws -> (RunCertificate.Stage, RunCertificate.Difference?) {
    let history = try Pipeline.decode([EpochRecord].self, run.checked(Pipeline.Files.history))
    let images = try ImageSet.read(run.checked(Pipeline.Files.images))
    guard let last = try draw(history.count).last else {
      return (.init(stage: "model", extent: .nothing), nil)
    }
    progress.note("training \(last + 1) of \(history.count) epochs again: no state is kept to begin from")
    progress.begin("training on \(images.split.training.count) images again")
    var (found, difference) = ([EpochRecord](), RunCertificate.Difference?.none)
    do {
      _ = try TrainedModel.train(
        images, configuration.model, on: devices,
        progress: { progress.update("epoch \($0)", done: $1, of: $2, unit: "images") },
        epochDone: { record, _ in
          found.append(record)
          difference = FinishedRun.historyDifference(Array(history.prefix(found.count)), found)
          if difference != nil || found.count > last { throw Enough() }
        })
    } catch is Enough {
      return (.init(stage: "model", extent: .epochs, rows: found.count, total: history.count), difference)
    }
    // A training that ends before the recorded one does has fewer epochs.
    return (
      .init(stage: "model", extent: .epochs, rows: found.count, total: history.count),
      FinishedRun.historyDifference(Array(history.prefix(last + 1)), found)
    )
  }
}
