// SPDX-License-Identifier: Apache-2.0
import Foundation
import TesseraCompute

/// What says that a run is finished: the SHA-256 of its configuration and of every stage's record, which
/// hold those of all other files. Written last; gone as soon as anything of the run changes.
struct RunManifest: Codable, Equatable {
  /// The layout of this file.
  var version = RunManifest.currentVersion
  static let currentVersion = 1
  /// SHA-256 by file name.
  let files: [String: String]
  /// SHA-256 of the above.
  private(set) var seal = ""

  static let name = "manifest.json"

  /// Of the files of a folder.
  init(of names: [String], in folder: String) throws {
    let root = URL(fileURLWithPath: folder)
    files = Dictionary(
      try names.map { ($0, try Fingerprint.ofFile(root.appendingPathComponent($0).path)) },
      uniquingKeysWith: { first, _ in first })
    seal = ownSeal
  }

  private var ownSeal: String {
    var print = Fingerprint()
    print.add("\(version)")
    for (name, digits) in files.ordered(by: { $0.key < $1.key }) {
      print.add(name)
      print.add(digits)
    }
    return print.digits()
  }

  /// The manifest as JSON with sorted keys.
  func encoded() throws -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return try encoder.encode(self) + Data("\n".utf8)
  }

  /// Reads the manifest of a folder; nil where there is none.
  ///
  /// - Throws: `TesseraError` naming one that is not whole, or of a later Tessera.
  static func read(in folder: String) throws -> RunManifest? {
    let path = URL(fileURLWithPath: folder).appendingPathComponent(name).path
    var status = stat()
    guard lstat(path, &status) == 0 else { return nil }
    let data = try InputFile.read(
      path, wanted: "the manifest of a finished run", atMost: InputFile.Limit.configuration)
    guard let manifest = try? JSONDecoder().decode(RunManifest.self, from: data) else {
      throw TesseraError.input(
        path, found: "a manifest that cannot be read", wanted: "tessera run, which makes it again")
    }
    guard manifest.version == currentVersion else {
      throw TesseraError.input(
        path, found: "version \(manifest.version)", wanted: "\(currentVersion), this program's")
    }
    // Written in one way alone: another byte, whatever it says, is a change.
    guard manifest.seal == manifest.ownSeal, try manifest.encoded() == data else {
      throw TesseraError.input(
        path, found: "a manifest that was changed", wanted: "tessera run, which makes it again")
    }
    return manifest
  }
}
