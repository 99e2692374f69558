// SPDX-License-Identifier: Apache-2.0
import Foundation

/// How much the built programs on disk may take.
package enum ProgramCacheLimit {
  /// The variable that says it.
  package static let variable = "TESSERA_PROGRAM_CACHE"
  /// Bytes where it says nothing: 512 MiB, some hundred programs of a GPU's.
  package static let usual = 512 << 20

  /// The limit of the environment.
  ///
  /// - Throws: `TesseraError` for what is no size.
  package static func standard() throws -> Int { try limit(ProcessInfo.processInfo.environment) }

  /// The limit by some environment variables: MiB, 0 for none to be kept.
  ///
  /// - Throws: `TesseraError` for what is no size.
  package static func limit(_ environment: [String: String]) throws -> Int {
    guard let text = environment[variable], !text.isEmpty else { return usual }
    guard text.allSatisfy({ $0.isASCII && $0.isNumber }), let size = Int(text), size <= 1 << 30 else {
      throw TesseraError.input(
        variable, found: text, wanted: "MiB of built programs that are kept, 0 or more")
    }
    return size << 20
  }

  /// Whether programs of a platform are kept.
  ///
  /// PoCL keeps what it has built itself. To hand out a binary it would first compile every kernel of the
  /// program once more, for work-groups of any size, though few of them are ever launched: a first start took
  /// three times as long. Its programs are kept only where the variable is set.
  ///
  /// - Parameters:
  ///   - platform: the platform's name.
  ///   - environment: the environment's variables.
  static func isKept(
    of platform: String, _ environment: [String: String] = ProcessInfo.processInfo.environment
  ) -> Bool {
    guard let size = try? limit(environment), size > 0 else { return false }
    return platform != "Portable Computing Language" || !(environment[variable] ?? "").isEmpty
  }

  /// Takes the least recently used files away until the rest is within the limit.
  ///
  /// - Parameters:
  ///   - folder: the programs' folder.
  ///   - limit: bytes.
  ///   - kept: the file that was written last, which stays if it fits alone.
  static func enforce(_ limit: Int, in folder: URL, keeping kept: URL) {
    let manager = FileManager.default
    let keys: Set<URLResourceKey> = [.fileSizeKey, .contentModificationDateKey, .isRegularFileKey]
    let files = (try? manager.contentsOfDirectory(at: folder, includingPropertiesForKeys: Array(keys))) ?? []
    var found: [(url: URL, size: Int, used: Date)] = files.compactMap { url in
      guard let values = try? url.resourceValues(forKeys: keys), values.isRegularFile == true,
        let size = values.fileSize, let used = values.contentModificationDate
      else { return nil }
      let isKept = url.lastPathComponent == kept.lastPathComponent
      return (url, size, isKept ? .distantFuture : used)
    }
    var total = found.reduce(0) { $0 + $1.size }
    guard total > limit else { return }
    found.sort { ($0.used, $0.url.path) < ($1.used, $1.url.path) }
    for file in found where total > limit {
      // Another process may have taken it away.
      try? manager.removeItem(at: file.url)
      total -= file.size
    }
  }
}
