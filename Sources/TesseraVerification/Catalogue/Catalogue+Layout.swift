// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

extension Catalogue {
  /// The parts of t-SNE.
  @_optimize(none)
  static var layoutCases: [CatalogueCase] {
    [4, 15, 17, 33, 47, 49, 64, 65, 113, 130, 1025, 2117].map { tsne($0) } + [
      tsne(13, leastGain: 0.9), tsne(14, farApart: true),
    ]
  }

  /// `leastGain`: above what the gains fall to. `farApart`: two clusters, whose joint probabilities meet
  /// their floor, in a layout of two others, where Q does; `points` even.
  static func tsne(_ points: Int, leastGain: Float = 0.01, farApart: Bool = false) -> CatalogueCase {
    let label =
      "\(points) points, affinities and 3 steps, least gain \(leastGain)\(farApart ? ", far apart" : "")"
    return CatalogueCase("tsne", label, work: points * points * 100) { device in
      var inputs = CaseInputs(seed: 101)
      let dims = 6
      var values = inputs.floats(points * dims)
      if farApart { for index in values.indices.prefix(points / 2 * dims) { values[index] += 1000 } }
      let x = try device.tensor(values, [points, dims])
      let distances = try device.empty(points, points)
      let conditional = try device.empty(points, points)
      let joint = try device.empty(points, points)
      try device.squaredDistances(x, points: points, dims: dims, into: distances)
      try device.conditionalAffinities(
        distances, points: points, perplexity: Float(points) / 4, into: conditional)
      try device.jointAffinities(conditional, points: points, into: joint)

      var layout = try device.empty(2, points)
      let velocity = try device.empty(2, points)
      let gains = try device.empty(2, points)
      let forces = try device.empty(5, points)
      let norm = try device.empty(1)
      let divergence = try device.empty(1)
      try device.randomNormal(
        RandomStream(seed: 1701, stream: 1), mean: 0, deviation: 1e-2, into: layout)
      if farApart {
        let places = (0..<2 * points).map { Float($0 % points) + ($0 % 2 == 0 ? 1e9 : 0) }
        layout = try device.tensor(places, [2, points])
      }
      try device.fill(velocity, with: 0)
      try device.fill(gains, with: 1)
      var p = TSNEStep(points: points)
      (p.exaggeration, p.learningRate, p.momentum, p.minGain) = (12, 20, 0.5, leastGain)
      for _ in 0..<3 {
        try device.tsneForces(p, joint: joint, layout: layout, into: forces)
        try device.tsneUpdate(
          p, forces: forces, layout: layout, velocity: velocity, gains: gains, squaredNorm: norm)
      }
      // As another device gets them to compute.
      let block = points / 3..<points - 1
      let part = try device.empty(5, block.count)
      try device.tsneForces(p, rows: block, joint: joint, layout: layout, into: part)
      try device.tsneDivergence(joint, layout: layout, points: points, into: divergence)
      return [
        try device.output("conditional", conditional), try device.output("joint", joint),
        try device.output("forces", forces), try device.output("forces of a block", part),
        try device.output("layout", layout),
        try device.output("velocity", velocity), try device.output("gains", gains),
        try device.output("squared norm", norm), try device.output("divergence", divergence),
      ]
    }
  }
}
