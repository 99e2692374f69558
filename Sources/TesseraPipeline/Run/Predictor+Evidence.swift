// SPDX-License-Identifier: Apache-2.0
import TesseraText
import TesseraVision

extension Predictor {
  /// Where the evidence for a prediction lies: in the slice's output (Grad-CAM) and on the linear path
  /// around it.
  public struct Evidence: Sendable, Codable {
    /// The epoch that the network was kept of; 0 for the linear path alone, where Grad-CAM is 0 throughout.
    public let keptEpoch: Int?
    /// Mean Grad-CAM at the features of each hidden state, by its number; empty of a run of a table.
    public let byState: [String: Float]
    /// The features with the most evidence, most first; it is in [0, 1]. Empty of a table with so few columns that the
    /// slice's output has a patch or two a side.
    public let features: [Feature]
    /// What the linear path adds to the lead of the predicted class's logit over the mean of the others,
    /// through the features of each hidden state; nil for a network without it, and of a run of a table.
    public let linearByState: [String: Float]?
    /// What it adds through single features, the largest shares first; nil for a network without it.
    public let linearFeatures: [Feature]?
    /// By how much the predicted class's lead falls when a table's column is put to its mean over the training rows,
    /// the columns that change most first; nil of a run of texts.
    public internal(set) var occlusion: [Feature]?

    /// A feature: its place in the encoder, or a table's column.
    public struct Feature: Sendable, Codable {
      /// The column's name; nil of a run of texts.
      public var name: String?
      /// Number of the hidden state; 0 of a table.
      public let state: Int
      /// Element of its vector, or the column's number from 0.
      public let element: Int
      /// What it adds to the predicted class's lead.
      public let evidence: Float
    }
  }

  /// What spoke for a prediction, mapped back to features and hidden states.
  ///
  /// - Parameters:
  ///   - prediction: a prediction of the same predictor.
  ///   - most: how many features are named.
  public func evidence(_ prediction: Prediction, most: Int = 10) throws -> Evidence {
    let target = Int32(classes.firstIndex(of: prediction.label) ?? 0)
    let image = try model.statistics.apply(prediction.image)
    let (map, side) = try model.network.gradCAM(image, of: [target])
    let names = featureNames
    let states: ClosedRange<Int> =
      switch source {
      case .table: 0...0
      case .texts(let encoder): try configuration.embedding.states(layers: encoder.configuration.layers)
      }
    let seen = layout.values(of: map, side: side)
    let width = max(1, seen.count / states.count)
    func byState(_ values: [Float], mean: Bool) -> [String: Float] {
      var result: [String: Float] = [:]
      for (index, state) in states.enumerated() {
        let part = values[min(values.count, index * width)..<min(values.count, (index + 1) * width)]
        result[String(state)] = part.reduce(0, +) / Float(mean ? max(1, part.count) : 1)
      }
      return result
    }
    func largest(_ values: [Float]) -> [Evidence.Feature] {
      values.indices.sorted { (abs(values[$1]), $0) < (abs(values[$0]), $1) }.prefix(max(0, most)).map {
        .init(
          name: names?[$0], state: states.lowerBound + $0 / width, element: $0 % width, evidence: values[$0])
      }
    }
    let shares = try model.network.bypassShares(image, of: target).map { layout.shares(of: $0) }
    return Evidence(
      keptEpoch: model.keptEpoch,
      byState: names == nil ? byState(seen, mean: true) : [:],
      features: names != nil && side < 3 ? [] : largest(seen),
      linearByState: names == nil ? shares.map { byState($0, mean: false) } : nil,
      linearFeatures: shares.map { largest($0) })
  }
}
