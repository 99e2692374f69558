// SPDX-License-Identifier: Apache-2.0
import Foundation

/// Built programs on disk. A driver may crash on a binary that is cut off or damaged, so nothing is handed
/// to it that is not, byte for byte, what was kept under the same key (device, driver, options and source).
struct ProgramCache {
  /// The files' folder; nil where there is no home.
  let folder: URL?
  /// Bytes of all files at most; of more, the least recently used ones go.
  var limit = ProgramCacheLimit.usual

  /// The first line of a file: what it is and the version of its layout. A file of another version is not
  /// read.
  private static let title = "tessera program \(FileVersions.programCache)\n"

  /// The usual place.
  static let standard = ProgramCache(
    folder: CacheFolder.base?.appendingPathComponent("programs"),
    limit: (try? ProgramCacheLimit.standard()) ?? ProgramCacheLimit.usual)

  /// The key of a program: a digest of everything that decides it.
  static func key(_ parts: [String]) -> String {
    var print = Fingerprint()
    for part in parts { print.add(part) }
    return print.digits()
  }

  /// What was kept; nil if there is nothing, or not all of it, or something else under its name.
  func binary(_ key: String) -> Data? {
    guard let file = file(key), let data = try? Data(contentsOf: file) else { return nil }
    let binary = data.dropFirst(Self.header(key, Data()).count)
    let header = Self.header(key, binary)
    guard !binary.isEmpty, data.prefix(header.count) == header else { return nil }
    // The time says when it was used last.
    try? FileManager.default.setAttributes([.modificationDate: Date()], ofItemAtPath: file.path)
    return Data(binary)
  }

  /// Keeps a binary, whole or not at all, whoever else writes it; a folder that cannot be written is no
  /// error.
  func keep(_ binary: Data, _ key: String) {
    guard let folder, let file = file(key), !binary.isEmpty else { return }
    let whole = Self.header(key, binary) + binary
    guard whole.count <= limit else { return }
    try? FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    try? whole.write(to: file, options: .atomic)
    ProgramCacheLimit.enforce(limit, in: folder, keeping: file)
  }

  /// The file of a key.
  func file(_ key: String) -> URL? { folder?.appendingPathComponent(key) }

  /// What goes before a binary: title, key and checksum. Its length is the same for all.
  private static func header(_ key: String, _ binary: Data) -> Data {
    var print = Fingerprint()
    binary.withUnsafeBytes { print.add($0) }
    return Data("\(title)\(key)\n\(print.digits())\n".utf8)
  }
}
