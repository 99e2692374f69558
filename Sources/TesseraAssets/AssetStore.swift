// SPDX-License-Identifier: Apache-2.0
import Foundation
import TesseraCompute

/// The fetched assets in the cache folder, each in a folder of its name.
package struct AssetStore: Sendable {
  /// The cache folder; nil where there is no home.
  package let folder: URL?

  /// The store of the environment's cache folder.
  package static let standard = AssetStore(folder: CacheFolder.base)

  package init(folder: URL?) { self.folder = folder }

  /// Where an asset is, or would be.
  ///
  /// - Throws: `TesseraError` where there is no cache folder.
  package func place(_ asset: Asset) throws -> URL { try base().appendingPathComponent(asset.name) }

  /// The cache folder.
  ///
  /// - Throws: `TesseraError` where there is none.
  package func base() throws -> URL {
    guard let folder else {
      throw TesseraError.input(
        "cache", found: "no folder for it", wanted: "TESSERA_CACHE, XDG_CACHE_HOME or HOME to name one")
    }
    return folder
  }

  /// Whether all files of an asset are there with their sizes.
  package func holds(_ asset: Asset) -> Bool {
    guard let place = try? place(asset), let files = asset.files else { return false }
    return files.allSatisfy { size(place.appendingPathComponent($0.name)) == $0.bytes }
  }

  /// Whether all files of an asset are there, byte for byte.
  package func isIntact(_ asset: Asset) throws -> Bool {
    guard holds(asset), let files = asset.files else { return false }
    let place = try place(asset)
    return try files.allSatisfy {
      try Fingerprint.ofFile(place.appendingPathComponent($0.name).path) == $0.sha256
    }
  }

  /// What an option names: a path as it is; else, by the name of a fetched asset, its folder, or its file if
  /// it has but one.
  ///
  /// - Parameters:
  ///   - argument: what was given.
  ///   - option: the option, for messages.
  /// - Throws: `TesseraError` for an asset that was not fetched, naming the command that does.
  package func path(of argument: String, option: String) throws -> String {
    guard !argument.contains("/"), !FileManager.default.fileExists(atPath: argument),
      let asset = try Asset.all().first(where: { $0.name == argument })
    else { return argument }
    guard holds(asset) else {
      let fetched = folder.map { ", which is not in \($0.path)" } ?? ""
      throw TesseraError.input(
        option, found: "\(argument)\(fetched)", wanted: "tessera fetch \(argument) first, or a path")
    }
    let place = try place(asset)
    guard let files = asset.files, files.count == 1 else { return place.path }
    return place.appendingPathComponent(files[0].name).path
  }

  /// The size of a file; nil for none.
  private func size(_ file: URL) -> Int? {
    (try? FileManager.default.attributesOfItem(atPath: file.path))?[.size] as? Int
  }
}
