// SPDX-License-Identifier: Apache-2.0
import TesseraCompute
import TesseraNN

extension ImageClassifier {
  /// Where in the slice's output the evidence for a class lies: Grad-CAM (Selvaraju et al. 2017), the
  /// positive part of the channels' sum, each weighted by the mean gradient of the class's logit for it.
  ///
  /// - Parameters:
  ///   - images: normalised, row-major (targets.count, channels, pixels, pixels).
  ///   - targets: a class for each image.
  /// - Returns: maps (targets.count, side, side), the largest element of each 1 (0 where nothing speaks for
  ///   the class).
  public func gradCAM(_ images: [Float], of targets: [Int32]) throws -> (maps: [Float], side: Int) {
    let area = channels * pixels * pixels
    try check("Grad-CAM", images, count: targets.count)
    guard targets.allSatisfy({ $0 >= 0 && $0 < Int32(classes) }) else {
      throw TesseraError.input(
        "Grad-CAM", found: "class \(targets.min() ?? 0) to \(targets.max() ?? 0)",
        wanted: "classes from 0, below \(classes)")
    }
    var (maps, side): ([Float], Int) = ([], 0)
    for (row, target) in targets.enumerated() {
      let image = Array(images[row * area..<(row + 1) * area])
      let output = try features(try device.tensor(image, [1, channels, pixels, pixels]))
      let context = Context(device: device, differentiable: true, products: options.products)
      let variable = Variable(output, requiresGradient: true)
      // The bypass does not lead through the slice.
      let logits = try logits(variable, images: nil, context)
      var chosen = [Float](repeating: 0, count: classes)
      chosen[Int(target)] = 1
      try context.tape?.backward(from: logits, gradient: try device.tensor(chosen, [1, classes]))
      guard let gradient = variable.gradient else {
        throw TesseraError.failure("Grad-CAM", found: "no gradient", wanted: "one for the slice's output")
      }
      side = output.shape[2]
      maps += Self.evidence(
        try device.floats(output), try device.floats(gradient), plane: side * output.shape[3])
    }
    return (maps, side)
  }

  private static func evidence(_ values: [Float], _ gradient: [Float], plane: Int) -> [Float] {
    var map = [Float](repeating: 0, count: plane)
    for begin in stride(from: 0, to: values.count, by: plane) {
      let weight = gradient[begin..<begin + plane].reduce(0, +) / Float(plane)
      for at in 0..<plane { map[at] += weight * values[begin + at] }
    }
    let most = map.reduce(0) { max($0, $1) }
    return map.map { most > 0 ? max(0, $0) / most : 0 }
  }
}

extension ImageClassifier {
  /// What each pixel of an image adds, on the linear path around the slice, to the lead of a class's logit
  /// over the mean of the others; nil for a network without that path.
  ///
  /// - Parameters:
  ///   - image: normalised, (channels, pixels, pixels).
  ///   - target: the class.
  public func bypassShares(_ image: [Float], of target: Int32) throws -> [Float]? {
    guard let bypass, let tensor = bypass.parameters.first?.parameter.value else { return nil }
    try check("evidence", image, count: 1)
    let (weight, area) = (try device.floats(tensor), image.count)
    guard weight.count == classes * area, (0..<Int32(classes)).contains(target) else {
      throw TesseraError.input(
        "evidence", found: "\(image.count) values, class \(target)",
        wanted: "\(weight.count / classes), a class below \(classes)")
    }
    return image.indices.map { p in
      var others: Float = 0
      for c in 0..<classes where c != Int(target) { others += weight[c * area + p] }
      return image[p] * (weight[Int(target) * area + p] - others / Float(max(1, classes - 1)))
    }
  }
}
