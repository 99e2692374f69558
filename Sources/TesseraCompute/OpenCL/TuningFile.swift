// SPDX-License-Identifier: Apache-2.0
import Foundation

/// Tiles that `tessera tune` found, by device: files of several hosts can be merged and shipped.
public struct TuningFile: Sendable, Codable {
  /// What the file is and the version of its form.
  private var format = Self.format
  private static let format = "tessera product tiles, version \(FileVersions.productTiles)"
  /// By `key(of:gpu:)`.
  public private(set) var devices: [String: GemmTuning] = [:]

  /// A file of no device.
  public init() {}

  /// Reads a file.
  ///
  /// - Throws: `TesseraError` for one that cannot be read, is none, or has tiles that no kernel can be
  ///   built with.
  public init(_ path: String) throws {
    let wanted = "what tessera tune writes (\(Self.format))"
    let data = try InputFile.read(path, wanted: wanted, atMost: InputFile.Limit.configuration)
    guard let file = try? JSONDecoder().decode(TuningFile.self, from: data) else {
      throw TesseraError.input(path, found: "something else", wanted: wanted)
    }
    guard file.format == Self.format else {
      throw TesseraError.input(path, found: "format \(file.format.prefix(80))", wanted: wanted)
    }
    for (device, tuning) in file.devices where !(tuning.many.isSound && tuning.few.isSound) {
      throw TesseraError.input(
        path, found: "tiles of \(device) that no kernel is built with", wanted: wanted)
    }
    self = file
  }

  /// The user's own file, where it is there and sound: a broken one is as none.
  public static var own: TuningFile? { ownPath.flatMap { try? TuningFile($0) } }

  /// `tiles.json` in the cache folder.
  public static var ownPath: String? { CacheFolder.base?.appendingPathComponent("tiles.json").path }

  /// The tiles of a device.
  func tuning(_ device: OpenCLDevice, gpu: Bool) -> GemmTuning? {
    devices[Self.key(of: device, gpu: gpu)]
  }

  /// Adds what another file knows; it wins over what is known.
  public mutating func merge(_ other: TuningFile) { devices.merge(other.devices) { $1 } }

  /// Adds or replaces a device's tiles.
  ///
  /// - Throws: `TesseraError` for a device without tiles: the CPU.
  public mutating func set(_ tuning: GemmTuning, for backend: any Backend) throws {
    devices[try backend.requireTunable("tiles").tuningKey] = tuning
  }

  /// Writes the file, whole or not at all.
  public func write(to path: String) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    let file = try AtomicFile(path)
    try file.write(try encoder.encode(self) + Data("\n".utf8))
    try file.commit()
  }

  /// A device as its driver names it, and which form of the kernels it runs.
  static func key(of device: OpenCLDevice, gpu: Bool) -> String {
    [device.platform, device.name, device.driver, gpu ? "groups" : "rows"].joined(separator: " | ")
  }
}
