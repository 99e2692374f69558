// SPDX-License-Identifier: Apache-2.0
import TesseraCompute
import TesseraNN

extension ImageClassifier {
  /// The network with its weights of now on each device of a group, whose main one is its own.
  public func copies(on devices: DeviceGroup) throws -> Replicated<ImageClassifier> {
    let values =
      devices.helpers.isEmpty
      ? [] : try devices.naming(device) { try state.map { try device.floats($0.tensor) } }
    let shared = try devices.ranks.map { try NetworkWork.share(self, with: $0) }
    return try Replicated(devices, main: self, shared: shared) { try copy(values, on: $0) }
  }

  /// The network with its weights of now on another device.
  func copy(on other: any Backend) throws -> ImageClassifier {
    try copy(try state.map { try device.floats($0.tensor) }, on: other)
  }

  /// The class probabilities' logarithms of normalised images, row-major (count, classes).
  public func logProbabilities(_ images: [Float]) throws -> [Float] {
    try copies(on: DeviceGroup(device)).logProbabilities(images)
  }

  /// The class probabilities' logarithms of some of them, row-major (count, classes).
  func logProbabilities(of images: ArraySlice<Float>) throws -> [Float] {
    let images = try tensor(images)
    let context = evaluation()
    let y = try context.logSoftmax(
      try logits(Variable(try features(images)), images: images, context))
    return try device.floats(y.value)
  }

  private func copy(_ values: [[Float]], on other: any Backend) throws -> ImageClassifier {
    let copy = try ImageClassifier(
      architecture, classes: classes, pixels: pixels, channels: channels, options: options, seed: 0,
      device: other)
    copy.standardizesBatches = standardizesBatches
    for (values, (_, tensor)) in zip(values, copy.state) {
      try values.withUnsafeBytes { try other.upload($0, to: tensor, offset: 0) }
    }
    return copy
  }
}

extension Replicated<ImageClassifier> {
  /// The class probabilities' logarithms of normalised images, row-major (count, classes).
  public func logProbabilities(_ images: [Float]) throws -> [Float] {
    let area = main.channels * main.pixels * main.pixels
    try main.check("images", images)
    let rows = FeatureRows(Floats(images), columns: area)
    return try logProbabilities(rows, of: Array(0..<rows.count))
  }

  /// The class probabilities' logarithms of normalised images, row-major (count, classes); images of a mapped file
  /// come and go batch by batch.
  ///
  /// - Parameter chosen: the numbers of the images.
  package func logProbabilities(_ images: FeatureRows, of chosen: [Int]) throws -> [Float] {
    let (batch, count, classes) = (32, chosen.count, main.classes)
    var out = [Float](repeating: 0, count: count * classes)
    let (pixels, channels) = (main.pixels, main.channels)
    @Sendable func part(_ number: Int) throws -> [Float] {
      let rows = chosen[number * batch..<min(count, (number + 1) * batch)]
      let part = images.gather(rows)
      try ImageClassifier.check("images", part, rows: rows, area: channels * pixels * pixels)
      for row in rows { images.release(row..<row + 1) }
      return part
    }
    let coding = PartCoding<[Float]>(
      input: { NetworkWork.predicting(try part($0)) }, output: { try NetworkWork.values($1) })
    try mapDynamic((count + batch - 1) / batch, coding: coding) { network, _, number in
      try network.logProbabilities(of: try part(number)[...])
    } take: { number, scores in
      let begin = number * batch * classes
      out.replaceSubrange(begin..<begin + scores.count, with: scores)
    }
    return out
  }
}
