// SPDX-License-Identifier: Apache-2.0
import TesseraCompute
import TesseraData
import TesseraImages

/// What a layout is made of: the fitted scaler, and features as points, whose coordinates are their values over
/// the rows that it is fitted on.
struct LayoutFit {
  let scaler: Scaler
  /// The channels: name, representation and features of each.
  let parts: [(name: String, representation: Representation, features: [Int])]
  /// Pixels a side of the images.
  let side: Int
  /// t-SNE's iterations at the most.
  var iterations: Int { plan.tsne.iterations }
  private let plan: LayoutPlan
  /// Rows that it is fitted on.
  private let rows: Int
  private let columns: Int
  /// All features as points; gone once the last channel has them.
  private var all: [Float]

  /// Fits the scaler.
  ///
  /// - Parameters:
  ///   - embeddings: features of all rows.
  ///   - split: which rows are fitted on: the training rows, and the validation rows where the plan says so.
  ///   - plan: how features are laid out, and on how many pixels.
  ///   - device: what scales them.
  init(_ embeddings: Embeddings, split: Split, _ plan: LayoutPlan, on device: any Backend) throws {
    guard (0...4096).contains(plan.pixels) else {
      throw TesseraError.input("pixels", found: "\(plan.pixels)", wanted: "0 to 4096")
    }
    (self.plan, columns) = (plan, embeddings.columns)
    parts = try plan.parts(embeddings)
    guard !parts.isEmpty else {
      throw TesseraError.input("representations", found: "none", wanted: "at least one")
    }
    let seen = plan.seesValidation ? (split.training + split.validation).sorted() : split.training
    rows = seen.count
    scaler = try Scaler.fit(embeddings.features, columns: columns, rows: seen, on: device)
    all = try scaler.applyTransposed(embeddings.features, columns: columns, rows: seen, on: device)
    side = plan.pixels > 0 ? plan.pixels : PixelLayout.side(for: parts.map(\.features.count).max() ?? 1)
  }

  /// The points of a channel. Those of the last are given away: t-SNE lets go of them as soon as it can.
  private mutating func points(_ number: Int) -> [Float] {
    let features = parts[number].features
    guard features == Array(0..<columns) else {
      return features.flatMap { all[$0 * rows..<($0 + 1) * rows] }
    }
    guard number == parts.count - 1 else { return all }
    defer { all = [] }
    return all
  }

  /// A channel's t-SNE before its first iteration; nil of another layout.
  mutating func run(_ number: Int, on devices: DeviceGroup) throws -> TSNERun? {
    let part = parts[number]
    guard part.representation.method == .tsne else { return nil }
    return try plan.tsne(part.representation).begin(
      points(number), count: part.features.count, dims: rows, on: devices.main, helpers: devices.helpers)
  }

  /// Lays out a channel.
  ///
  /// - Parameter recorded: called with t-SNE at each recorded state.
  mutating func channel(
    _ number: Int, on devices: DeviceGroup, recorded: (TSNERun) throws -> Void
  ) throws -> LayoutChannel {
    let clock = ContinuousClock()
    let start = clock.now
    let part = parts[number]
    var (places, divergence, states) = ([Float](), Float?.none, [TSNERecord]())
    if let run = try run(number, on: devices) {
      let result = try plan.tsne(part.representation).finish(run, recorded: recorded)
      (places, divergence, states) = (result.coordinates, result.divergence, result.states)
    } else {
      places = try otherPlaces(number, on: devices.main)
    }
    let placed = clock.now
    var channel = LayoutChannel(
      name: part.name, features: part.features, coordinates: places,
      pixels: try PixelLayout(places, pixels: side, by: plan.discretization), divergence: divergence)
    channel.seconds = ((placed - start) / .seconds(1), (clock.now - placed) / .seconds(1))
    channel.states = states
    return channel
  }

  /// The places of a channel's features where t-SNE does not find them: drawn, or by the first two principal
  /// components.
  mutating func otherPlaces(_ number: Int, on device: any Backend) throws -> [Float] {
    let count = parts[number].features.count
    if parts[number].representation.method == .random {
      return try LayoutMethod.drawnPlaces(count, seed: plan.tsne.seed, channel: number, on: device)
    }
    return try PrincipalComponents(points(number), count: count, dims: rows, on: device).coordinates
  }
}
