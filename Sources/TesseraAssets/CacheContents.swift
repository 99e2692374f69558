// SPDX-License-Identifier: Apache-2.0
import Foundation
import TesseraCompute

/// What the cache folder holds that is Tessera's: built programs, tiles, fetched assets, unfinished fetches.
package struct CacheContents: Sendable {
  /// A part of the cache that can be cleared by its name.
  package struct Part: Codable, Sendable, Equatable {
    /// `programs`, `tiles`, `unfinished` or an asset's name.
    package let name: String
    package let path: String
    /// What it is in words.
    package let about: String
    /// Files, and their bytes.
    package var files = 0, bytes = 0
  }

  /// The cache folder, and its parts that are there.
  package let folder: String
  package let parts: [Part]

  /// What a store's cache folder holds.
  ///
  /// - Throws: `TesseraError` where there is no cache folder.
  package init(_ store: AssetStore) throws {
    let base = try store.base()
    folder = base.path
    parts = try Self.known(base).compactMap(Self.measured)
  }

  /// Takes parts away.
  ///
  /// - Parameter names: names of parts, or `all`. One that is not there is fine.
  /// - Returns: what was taken away.
  /// - Throws: `TesseraError` for a name that no part has, before anything is taken away, and for what cannot be.
  package func clear(_ names: [String]) throws -> [Part] {
    let known = try Self.known(URL(fileURLWithPath: folder)).map(\.name)
    if let wrong = names.first(where: { $0 != "all" && !known.contains($0) }) {
      throw TesseraError.input(
        "cache clear", found: wrong, wanted: "all or some of \(known.joined(separator: ", "))")
    }
    let chosen = parts.filter { names.contains("all") || names.contains($0.name) }
    for part in chosen {
      do {
        try FileManager.default.removeItem(atPath: part.path)
      } catch {
        throw TesseraError.failure(part.path, found: error.localizedDescription, wanted: "to take it away")
      }
    }
    return chosen
  }

  /// All parts that there may be.
  private static func known(_ base: URL) throws -> [Part] {
    func part(_ name: String, _ file: String, _ about: String) -> Part {
      Part(name: name, path: base.appendingPathComponent(file).path, about: about)
    }
    return [
      part("programs", "programs", "built OpenCL programs"),
      part("tiles", "tiles.json", "tiles of tessera tune"),
      part("unfinished", ".fetch", "fetches that were stopped"),
    ] + (try Asset.all().map { part($0.name, $0.name, $0.about) })
  }

  /// A part with its size; nil where it is not there.
  private static func measured(_ part: Part) -> Part? {
    var isFolder: ObjCBool = false
    let manager = FileManager.default
    guard manager.fileExists(atPath: part.path, isDirectory: &isFolder) else { return nil }
    let names = isFolder.boolValue ? manager.subpaths(atPath: part.path) ?? [] : [""]
    var result = part
    for name in names {
      let path = name.isEmpty ? part.path : "\(part.path)/\(name)"
      guard let found = try? manager.attributesOfItem(atPath: path),
        found[.type] as? FileAttributeType == .typeRegular
      else { continue }
      result.files += 1
      result.bytes += (found[.size] as? Int) ?? 0
    }
    return result.files > 0 ? result : nil
  }
}
