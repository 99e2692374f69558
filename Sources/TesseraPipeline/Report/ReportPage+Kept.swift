// SPDX-License-Identifier: Apache-2.0
import TesseraData
import TesseraVision

/// Which epoch was kept, and what that says of the CNN.
extension ReportPage {
  /// The figure among the results.
  var keptTile: (String, String, String) {
    let kept = data.kept
    let share = kept.epoch.map { "\($0)\(kept.of.map { " of \($0)" } ?? "")" } ?? "none"
    let meaning =
      kept.isLinearPathAlone
      ? "the linear path alone"
      : kept.epoch == 0 ? "as it was fitted" : kept.epoch == nil ? "no epoch was run" : "best on validation"
    return ("kept epoch", share, meaning)
  }

  /// The same in words.
  var keptWords: String {
    let (kept, held) = (data.kept, data.layout.split.validation.count)
    guard let epoch = kept.epoch else {
      return "No epoch was run: the network is as it was drawn by seed, and so are its answers."
    }
    if kept.isLinearPathAlone {
      guard kept.of != 0 else {
        return
          "No epoch of the CNN was run: the figures are those of the linear path from the pixels to the classes."
      }
      return
        "The CNN added nothing. What was kept is epoch 0, the linear path from the pixels to the classes alone: of "
        + "\(kept.of ?? 0) epochs none was better on the \(held) validation rows by more than a standard error. The figures are "
        + "those of the linear path."
    }
    if epoch == 0 {
      let fitted =
        kept.hasLinearPath
        ? "the linear path and the head as they were fitted together" : "the head as it was fitted"
      return "What was kept is epoch 0: \(fitted)"
        + (kept.of == 0
          ? ". No epoch was run."
          : ". Of \(kept.of ?? 0) epochs none was better on the \(held) validation rows by more than a standard error.")
    }
    guard held > 0 else {
      return "Epoch \(epoch), the last, was kept: there are no validation rows to choose by."
    }
    return kept.hasLinearPath
      ? "Epoch \(epoch) was kept: the network was better on the \(held) validation rows than "
        + (kept.hasFittedHead ? "as it was fitted" : "the linear path alone")
        + " by more than a standard error."
      : "Epoch \(epoch) was kept, the best on the \(held) validation rows."
  }

  /// What each seed gave, where there are several.
  var seeds: String {
    guard !data.repeats.isEmpty else { return "" }
    func row(_ seed: UInt64, _ epoch: Int?, _ accuracy: Accuracy?) -> [String] {
      let kept = KeptEpoch(epoch, data.configuration.model.network)
      let told = (epoch.map { "\($0)" } ?? "none") + (kept.isLinearPathAlone ? ", the linear path alone" : "")
      return ["\(seed)", told, accuracy.map { "\($0)" } ?? "-"]
    }
    let rows =
      [row(data.configuration.seed, data.kept.epoch, data.evaluation?.model)]
      + data.repeats.map { row($0.seed, $0.keptEpoch, $0.accuracy) }
    return HTMLPage.table(["seed", "kept epoch", "test accuracy"], rows)
  }

  /// What stands above the evidence.
  var evidenceNote: String {
    let path =
      "pixels that speak for the predicted class on the linear path around the slice (red) and against it (blue)"
    guard data.table == nil else {
      return columnsNote + (data.kept.hasLinearPath ? " Beside it \(path)." : "")
    }
    guard data.kept.isCNNTrained else {
      let reason =
        data.kept.isLinearPathAlone
        ? "The linear path alone was kept, and no evidence leads through the slice: there is no Grad-CAM to show."
        : "No epoch was run: Grad-CAM would show what was drawn by seed."
      return reason + (data.kept.hasLinearPath ? " Shown are \(path)." : "")
    }
    return
      "Grad-CAM at the slice's output, for the predicted class, over the image's difference from the mean, and the words "
      + "and features that the answer hangs on."
      + (data.kept.hasLinearPath ? " Beside it \(path)." : "")
  }
}
