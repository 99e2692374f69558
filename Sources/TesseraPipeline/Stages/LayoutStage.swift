// SPDX-License-Identifier: Apache-2.0
import Foundation
import TesseraCompute
import TesseraData
import TesseraImages

/// Where each feature goes, the scaler, and which rows they were fitted on.
public struct FeatureLayout: Sendable {
  /// The fitted scaler.
  public let scaler: Scaler
  /// The images' channels, all of one size; at least one.
  public let channels: [LayoutChannel]
  /// The rows.
  public let split: Split

  /// Pixels a side of the images.
  public var side: Int { channels.first?.pixels.pixels ?? 0 }

  /// Fits scaler and layout on the training rows of a split.
  ///
  /// - Parameters:
  ///   - embeddings: features of all rows.
  ///   - split: which rows are fitted on: the training rows, and the validation rows where the plan says so.
  ///   - plan: how features are laid out, and on how many pixels.
  ///   - devices: the main one, and those that help it with t-SNE.
  ///   - progress: called with t-SNE's iteration, counted through all channels, the number of them all, and
  ///     the last known divergence.
  public static func make(
    _ embeddings: Embeddings, split: Split, _ plan: LayoutPlan, on devices: DeviceGroup,
    progress: (Int, Int, Float?) throws -> Void = { _, _, _ in }
  ) throws -> FeatureLayout {
    try make(embeddings, split: split, plan, on: devices, recorded: { _, _ in }, progress: progress)
  }

  /// The same, with every recorded state of t-SNE shown to a function, by the number of the channel.
  static func make(
    _ embeddings: Embeddings, split: Split, _ plan: LayoutPlan, on devices: DeviceGroup,
    recorded: (Int, TSNERun) throws -> Void, progress: (Int, Int, Float?) throws -> Void
  ) throws -> FeatureLayout {
    var fit = try LayoutFit(embeddings, split: split, plan, on: devices.main)
    let all = fit.parts.count * plan.tsne.iterations
    let channels = try fit.parts.indices.map { number in
      try fit.channel(number, on: devices) { run in
        try recorded(number, run)
        try progress(number * plan.tsne.iterations + run.iteration, all, run.divergence)
      }
    }
    return FeatureLayout(scaler: fit.scaler, channels: channels, split: split)
  }

  /// Images of rows of features, row-major (rows.count, channels, side, side).
  public func render(
    _ embeddings: Floats, columns: Int, rows: [Int], on device: any Backend
  ) throws -> [Float] {
    let area = side * side
    var images: [Float] = []
    images.reserveCapacity(rows.count * channels.count * area)
    for begin in stride(from: 0, to: rows.count, by: 1024) {
      let part = Array(rows[begin..<min(rows.count, begin + 1024)])
      let scaled = try scaler.apply(embeddings, columns: columns, rows: part, on: device)
      let planes = try channels.map { try $0.render(scaled, count: part.count, columns: columns) }
      for row in part.indices {
        for plane in planes { images += plane[row * area..<(row + 1) * area] }
      }
    }
    return images
  }

  /// What a map over images, (side, side) of any side, says of each feature: the mean over its pixels in
  /// the channels that show it.
  func values(of map: [Float], side mapSide: Int) -> [Float] {
    var (sums, counts) = (
      [Float](repeating: 0, count: scaler.minimum.count), [Float](repeating: 0, count: scaler.minimum.count)
    )
    for channel in channels {
      for (feature, pixel) in zip(channel.features, channel.pixels.pixelOfFeature) {
        let (row, column) = (Int(pixel) / side * mapSide / side, Int(pixel) % side * mapSide / side)
        sums[feature] += map[row * mapSide + column]
        counts[feature] += 1
      }
    }
    return zip(sums, counts).map { $1 > 0 ? $0 / $1 : 0 }
  }

  /// What amounts at the pixels of an image, (channels, side, side), make of each feature: a pixel's amount
  /// is shared by the features in it.
  func shares(of amounts: [Float]) -> [Float] {
    var sums = [Float](repeating: 0, count: scaler.minimum.count)
    for (number, channel) in channels.enumerated() {
      let density = channel.pixels.density
      for (feature, pixel) in zip(channel.features, channel.pixels.pixelOfFeature) {
        sums[feature] += amounts[number * side * side + Int(pixel)] / Float(density[Int(pixel)])
      }
    }
    return sums
  }
}

extension Split {
  func add(to writer: inout SafetensorsWriter) {
    for (name, rows) in [("rows.training", training), ("rows.validation", validation), ("rows.test", test)] {
      writer.add(name, rows.map { Int32($0) }, shape: [rows.count])
    }
  }

  init(_ file: TensorFile) throws {
    func rows(_ name: String) throws -> [Int] {
      let rows = try file.ints("rows.\(name)").map { Int($0) }
      guard rows.allSatisfy({ $0 >= 0 }) else {
        throw TesseraError.input("\(file.path): rows.\(name)", found: "a negative row", wanted: "row numbers")
      }
      return rows
    }
    self.init(training: try rows("training"), validation: try rows("validation"), test: try rows("test"))
  }

  /// Throws unless all rows lie below `count`.
  public func check(_ place: String, count: Int) throws {
    guard let wrong = (training + validation + test).first(where: { $0 < 0 || $0 >= count }) else { return }
    throw TesseraError.input(
      place, found: "row \(wrong) of \(count)", wanted: "a layout made from these rows")
  }
}
