// SPDX-License-Identifier: Apache-2.0
import Foundation
import TesseraCompute
import TesseraData
import TesseraImages

/// The file of a layout. One channel of all features is written as it was before there were channels:
/// `coordinates` and `pixel_of_feature`; several as `channel.0.features`, `channel.0.coordinates`,
/// `channel.0.pixel_of_feature`, ...
extension FeatureLayout {
  /// What the metadata say of a channel.
  private struct Entry: Codable { let name: String, divergence: Float? }

  /// Writes the layout; returns its fingerprint.
  public func write(to path: String) throws -> String {
    let count = scaler.minimum.count
    var metadata = ["kind": "layout", "pixels": "\(side)"]
    let isGrey = channels.count == 1 && channels[0].features.count == count
    if isGrey {
      if let divergence = channels[0].divergence { metadata["divergence"] = "\(divergence)" }
      if channels[0].name != Self.standardName { metadata["representation"] = channels[0].name }
    } else {
      let entries = channels.map { Entry(name: $0.name, divergence: $0.divergence) }
      let encoder = JSONEncoder()
      encoder.outputFormatting = .sortedKeys
      metadata["channels"] = String(decoding: try encoder.encode(entries), as: UTF8.self)
    }
    var writer = SafetensorsWriter(metadata: metadata)
    writer.add("minimum", scaler.minimum, shape: [count])
    writer.add("maximum", [scaler.maximum], shape: [1])
    for (number, channel) in channels.enumerated() {
      let (prefix, size) = (isGrey ? "" : "channel.\(number).", channel.features.count)
      if !isGrey { writer.add(prefix + "features", channel.features.map { Int32($0) }, shape: [size]) }
      writer.add(prefix + "coordinates", channel.coordinates, shape: [2, size])
      writer.add(prefix + "pixel_of_feature", channel.pixels.pixelOfFeature, shape: [size])
    }
    split.add(to: &writer)
    return try writer.write(to: path)
  }

  /// Reads a layout.
  public static func read(_ path: String) throws -> FeatureLayout {
    let file = try TensorFile.open(path)
    try file.checkNumerics()
    let minimum = try file.floats("minimum")
    guard let side = file.metadata["pixels"].flatMap({ Int($0) }), side > 0, side <= 4096 else {
      throw TesseraError.input(
        path, found: "no pixels in its metadata", wanted: "a layout made by tessera layout")
    }
    let maximum = try file.floats("maximum", shape: [1])[0]
    guard maximum > 0, maximum.isFinite, minimum.allSatisfy(\.isFinite) else {
      throw TesseraError.input(path, found: "a scaler that is not finite", wanted: "finite numbers")
    }
    let count = minimum.count
    let channels: [LayoutChannel]
    if let text = file.metadata["channels"] {
      guard let entries = try? JSONDecoder().decode([Entry].self, from: Data(text.utf8)), !entries.isEmpty
      else {
        throw TesseraError.input(
          path, found: "channels in its metadata that cannot be read", wanted: "a layout made by tessera")
      }
      channels = try entries.enumerated().map { number, entry in
        let features = try file.ints("channel.\(number).features").map { Int($0) }
        guard features.allSatisfy({ $0 >= 0 && $0 < count }),
          zip(features, features.dropFirst()).allSatisfy({ $0 < $1 })
        else {
          throw TesseraError.input(
            "\(path): channel.\(number).features", found: "features out of order or range",
            wanted: "ascending ones below \(count)")
        }
        return try channel(file, entry, features, "channel.\(number).", side)
      }
    } else {
      let entry = Entry(
        name: file.metadata["representation"] ?? standardName,
        divergence: file.metadata["divergence"].flatMap { Float($0) })
      channels = [try channel(file, entry, Array(0..<count), "", side)]
    }
    return FeatureLayout(
      scaler: Scaler(minimum: minimum, maximum: maximum), channels: channels, split: try Split(file))
  }

  private static func channel(
    _ file: TensorFile, _ entry: Entry, _ features: [Int], _ prefix: String, _ side: Int
  ) throws -> LayoutChannel {
    LayoutChannel(
      name: entry.name, features: features,
      coordinates: try file.floats(prefix + "coordinates", shape: [2, features.count]),
      pixels: try PixelLayout(
        pixels: side, pixelOfFeature: try file.ints(prefix + "pixel_of_feature", shape: [features.count])),
      divergence: entry.divergence)
  }

  /// The name of the channel that the default recipe makes.
  static let standardName = Representation(method: .tsne, metric: .euclidean).description
}
