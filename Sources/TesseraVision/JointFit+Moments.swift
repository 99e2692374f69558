// SPDX-License-Identifier: Apache-2.0
import TesseraCompute
import TesseraNN

extension JointFit {
  /// Mean and deviation of every pixel and every one of the slice's outputs over the training rows, summed in
  /// Double in the order of the rows.
  static func moments(
    _ plan: TrainingPlan, _ store: FeatureStore, _ device: any Backend, pixels: Int, outputs: Int
  ) throws -> (mean: [Double], deviation: [Double]) {
    let count = Double(plan.training.count)
    /// Calls `body` with every row's inputs, pixels first.
    func rows(_ body: (UnsafeBufferPointer<Float>, Int) -> Void) throws {
      for begin in stride(from: 0, to: plan.training.count, by: 64) {
        let part = Array(plan.training[begin..<min(plan.training.count, begin + 64)])
        let features = try device.floats(try store.batch(part, Context(device: device)).features.value)
        let images = pixels > 0 ? plan.images.gather(part) : []
        images.withUnsafeBufferPointer { images in
          features.withUnsafeBufferPointer { features in
            for at in part.indices {
              if pixels > 0 { body(.init(rebasing: images[at * pixels..<(at + 1) * pixels]), 0) }
              body(.init(rebasing: features[at * outputs..<(at + 1) * outputs]), pixels)
            }
          }
        }
      }
    }
    var mean = [Double](repeating: 0, count: pixels + outputs)
    try rows { values, first in
      for j in values.indices { mean[first + j] += Double(values[j]) }
    }
    for j in mean.indices { mean[j] /= count }
    var squares = [Double](repeating: 0, count: mean.count)
    try rows { values, first in
      for j in values.indices {
        let difference = Double(values[j]) - mean[first + j]
        squares[first + j] += difference * difference
      }
    }
    return (mean, squares.map { ($0 / count).squareRoot() })
  }

  /// Mean and variance of the slice's channels over the training rows and all places.
  func channelMoments(_ channels: Int) -> (mean: [Float], variance: [Float]) {
    let places = outputs / channels
    let moments = (0..<channels).map { channel -> (mean: Float, variance: Float) in
      var (sum, squares) = (0.0, 0.0)
      for j in pixels + channel * places..<pixels + (channel + 1) * places {
        sum += mean[j]
        squares += deviation[j] * deviation[j] + mean[j] * mean[j]
      }
      let average = sum / Double(places)
      return (Float(average), Float(max(0, squares / Double(places) - average * average)))
    }
    return (moments.map(\.mean), moments.map(\.variance))
  }
}
