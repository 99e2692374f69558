// SPDX-License-Identifier: Apache-2.0
import TesseraImages
import TesseraVision

/// Words for a reader who did not make the run.
extension ReportPage {
  /// What was done, and what the words of the page mean.
  var guide: String {
    let list = words.map { "<dt>\(escaped($0.0))</dt><dd>\(escaped($0.1))</dd>" }.joined()
    return
      "<p>\(escaped(way))</p><details><summary>The words of this page</summary><dl>\(list)</dl></details>"
  }

  private var way: String {
    let c = data.configuration
    let features = data.layout.scaler.minimum.count
    let source =
      data.table == nil
      ? "Each text went through an encoder of language, whose hidden states gave \(features) numbers, the features. "
      : "Each row of the table is \(features) numbers, its columns, the features. "
    return source
      + "Features that behave alike over the training rows were laid out near each other in a square, and each got a pixel "
      + "there: so every row became an image of \(data.layout.side) x \(data.layout.side) pixels. A network for images "
      + "(\(c.model.architecture.rawValue)) learnt from the images of the training rows which class each is of. The figures "
      + "under Result are of the test rows, which nothing had seen before. Beside them stands the linear probe, which "
      + "learnt from the features without any image: what the network has more than the probe, the images brought."
  }

  @_optimize(none)
  private var words: [(String, String)] {
    let network = data.configuration.model.network
    var list = [
      (
        "feature",
        data.table == nil
          ? "One number of the vector that stands for a text: an element of one of the encoder's hidden states."
          : "A column of the table, brought to one scale."
      ),
      (
        "pixel",
        "A place of the square. It shows one feature, or the mean of several; its grey is their value in a row."
      ),
      (
        "channel",
        "An image may have several layers, like red, green and blue of a photograph. Each has a layout of its own."
      ),
      ("backbone, slice", "The first layers of a network for images, up to where the head begins."),
      ("head", "The layers behind the slice, which say how likely each class is."),
    ]
    if network.bypass {
      list.append(
        (
          "linear path",
          "A layer from the pixels straight to the classes, around slice and head. Both are added up."
        ))
    }
    list += [
      (
        "epoch",
        "A pass over the training rows. Of all, the one that did best on the validation rows is kept."
      ),
      (
        "linear probe",
        "A logistic regression on the features themselves, without an image: what the network has to beat."
      ),
      (
        "95%",
        "The interval that would hold the true share in 95 of 100 such trials. Where two intervals overlap widely, the "
          + "difference may be chance."
      ),
      (
        "p beside the probe",
        "How likely a difference as large is if network and probe were equally good (McNemar's exact test)."
      ),
      (
        "divergence",
        "How much the layout in the plane distorts who is whose neighbour (Kullback and Leibler); 0 is not at all."
      ),
      (
        "area under ROC",
        "How often a row of the class gets a higher probability than a row that is not of it: 1 always, 0.5 by chance."
      ),
      (
        "calibration error",
        "How far probabilities are from how often they are right; 0 is best. 0.9 should be right 9 times of 10."
      ),
      (
        "Grad-CAM",
        "Where in the slice's output a small change would speak for the predicted class most (Selvaraju et al. 2017)."
      ),
      (
        "fingerprint",
        "The SHA-256 of what a stage made. The same command gives the same fingerprint on every device; tessera verify "
          + "compares."
      ),
    ]
    return list
  }
}
