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
  private let rows: [Int]
  private let embeddings: Embeddings
  /// All features as points, if memory holds them; gone once the last channel has them.
  private var all: [Float]?

  /// Fits the scaler.
  ///
  /// - Parameters:
  ///   - embeddings: features of all rows.
  ///   - split: which rows are fitted on: the training rows, and the validation rows where the plan says so.
  ///   - plan: how features are laid out, and on how many pixels.
  ///   - device: what scales them.
  ///   - mostPoints: bytes of points that memory holds; nil: as much as there is room for.
  init(
    _ embeddings: Embeddings, split: Split, _ plan: LayoutPlan, on device: any Backend, mostPoints: Int? = nil
  ) throws {
    guard (0...4096).contains(plan.pixels) else {
      throw TesseraError.input("pixels", found: "\(plan.pixels)", wanted: "0 to 4096")
    }
    (self.plan, self.embeddings) = (plan, embeddings)
    parts = try plan.parts(embeddings)
    guard !parts.isEmpty else {
      throw TesseraError.input("representations", found: "none", wanted: "at least one")
    }
    let seen = plan.seesValidation ? (split.training + split.validation).sorted() : split.training
    rows = seen
    scaler = try Scaler.fit(embeddings.features, columns: embeddings.columns, rows: seen, on: device)
    let room = mostPoints ?? min(Self.usualRoom, HostMemory.available / 8)
    all =
      seen.count * embeddings.columns * 4 <= room
      ? try scaler.applyTransposed(
        embeddings.features, columns: embeddings.columns, rows: seen, on: device) : nil
    side = plan.pixels > 0 ? plan.pixels : PixelLayout.side(for: parts.map(\.features.count).max() ?? 1)
  }

  /// Bytes of points that are kept in memory.
  private static let usualRoom = 1 << 30

  /// The points of a channel. Those of the last are given away: t-SNE lets go of them as soon as it can. Points that
  /// memory does not hold are made of some rows at a time.
  private mutating func points(_ number: Int, on device: any Backend) throws -> FeaturePoints {
    let (features, columns) = (parts[number].features, embeddings.columns)
    let isWhole = features == Array(0..<columns)
    guard let all else {
      let (scaler, rows, values) = (scaler, rows, embeddings.features)
      return FeaturePoints(count: features.count, dims: rows.count) { range in
        let part = Array(rows[range])
        let made = try scaler.applyTransposed(values, columns: columns, rows: part, on: device)
        return isWhole ? made : features.flatMap { made[$0 * part.count..<($0 + 1) * part.count] }
      }
    }
    if isWhole && number == parts.count - 1 { self.all = [] }
    let own = isWhole ? all : features.flatMap { all[$0 * rows.count..<($0 + 1) * rows.count] }
    return try FeaturePoints(own, count: features.count, dims: rows.count)
  }

  /// A channel's t-SNE before its first iteration; nil of another layout.
  mutating func run(_ number: Int, on devices: DeviceGroup) throws -> TSNERun? {
    let part = parts[number]
    guard part.representation.method == .tsne else { return nil }
    return try plan.tsne(part.representation, points: part.features.count).begin(
      points(number, on: devices.main), on: devices)
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
      let result = try plan.tsne(part.representation, points: part.features.count).finish(
        run, recorded: recorded)
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
    return try PrincipalComponents(of: points(number, on: device), on: device).coordinates
  }
}
