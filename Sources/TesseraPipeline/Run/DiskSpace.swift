// SPDX-License-Identifier: Apache-2.0
import Foundation
import TesseraCompute

/// Room on the disk of a folder.
public enum DiskSpace {
  /// Bytes that may still be written where a path lies, which need not be there yet; nil where that cannot
  /// be asked.
  public static func free(at path: String) -> Int? {
    var place = path.hasPrefix("/") ? path : FileManager.default.currentDirectoryPath + "/" + path
    while true {
      var status = statvfs()
      if statvfs(place, &status) == 0 {
        let (bytes, overflow) = Int(status.f_bavail).multipliedReportingOverflow(by: Int(status.f_frsize))
        return overflow ? nil : bytes
      }
      guard errno == ENOENT, let slash = place.utf8.lastIndex(of: 0x2f), slash > place.utf8.startIndex
      else { return nil }
      place = String(place[..<slash])
    }
  }

  /// Throws if there is less room than wanted.
  ///
  /// - Parameters:
  ///   - bytes: what will be written at the least.
  ///   - path: where it will be written; it need not exist yet.
  ///   - what: a name of what will be written.
  public static func require(_ bytes: Int, at path: String, for what: String) throws {
    guard let free = free(at: path), free < bytes else { return }
    throw TesseraError.failure(
      path, found: "\(amount(free)) free on its disk (No space left on device)",
      wanted: "\(amount(bytes)) for \(what)")
  }

  /// Bytes for people.
  public static func amount(_ bytes: Int) -> String {
    for (unit, size) in [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)] where bytes >= 10 * size {
      return "\(bytes / size) \(unit)"
    }
    return "\(bytes) bytes"
  }
}
