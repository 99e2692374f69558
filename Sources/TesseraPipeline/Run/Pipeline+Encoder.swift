// SPDX-License-Identifier: Apache-2.0
import Foundation
import TesseraCompute
import TesseraText

extension Pipeline {
  /// Puts the encoder's files into the run's folder, as links where the file system allows: the folder can
  /// then be copied to another machine and predicts there.
  func keepEncoder(_ print: String) throws {
    let (encoder, manager) = (try EncoderFolder(configuration.encoder), FileManager.default)
    let files = try encoder.files
    func resolved(_ path: String) -> String { URL(fileURLWithPath: path).resolvingSymlinksInPath().path }
    let isOwn = resolved(configuration.encoder) == resolved(folder.file(Files.encoder))
    _ = try folder.stage(
      "encoder", inputs: ["encoder": print], parameters: [:],
      outputs: files.map { "\(Files.encoder)/\($0)" }
    ) {
      // A copied run is run again with the encoder that it holds: that must not be cleared away.
      if isOwn { return print }
      let place = folder.file(Files.encoder)
      // The folder appears whole or not at all; RunDirectory clears away what a killed run leaves under the
      // other name.
      let temporary = "\(place).\(getpid()).tmp"
      defer { try? manager.removeItem(atPath: temporary) }
      do {
        try manager.createDirectory(atPath: temporary, withIntermediateDirectories: true)
        for name in files {
          let target = "\(temporary)/\(name)"
          // Parts of weights may lie in a folder below.
          try manager.createDirectory(
            atPath: URL(fileURLWithPath: target).deletingLastPathComponent().path,
            withIntermediateDirectories: true)
          // What a link to a link would lead to need not exist on another machine.
          let source = resolved(encoder.file(name))
          if link(source, target) != 0 { try manager.copyItem(atPath: source, toPath: target) }
        }
        if manager.fileExists(atPath: place) { try manager.removeItem(atPath: place) }
        try manager.moveItem(atPath: temporary, toPath: place)
      } catch {
        throw TesseraError.failure(
          place, found: "\(error.localizedDescription)", wanted: "room for the encoder's files")
      }
      return print
    }
  }
}
