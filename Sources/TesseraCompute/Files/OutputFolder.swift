// SPDX-License-Identifier: Apache-2.0
import Foundation

/// Folders for output.
public enum OutputFolder {
  /// Makes a folder and those on the way to it; one that is there already is fine.
  ///
  /// - Throws: `TesseraError` naming the folder that could not be made, with the system's reason.
  public static func make(_ path: String) throws {
    guard !isFolder(path) else { return }
    // Before any of the way is made.
    guard path.utf8.count < Int(PATH_MAX) else {
      throw TesseraError.input(
        path, found: "a folder that cannot be made (\(String(cString: strerror(ENAMETOOLONG))))",
        wanted: "a writable place")
    }
    if let slash = path.utf8.lastIndex(of: 0x2f), slash > path.utf8.startIndex {
      try make(String(path[..<slash]))
    }
    guard mkdir(path, 0o777) != 0 else { return }
    let reason = errno
    // A slash at the end names a folder that is made by now; and others make folders too.
    guard !isFolder(path) else { return }
    throw TesseraError.input(
      path, found: "a folder that cannot be made (\(String(cString: strerror(reason))))",
      wanted: "a writable place")
  }

  /// The folders on the way to a file that are not there yet, the innermost first.
  static func missing(above path: String) -> [String] {
    var (found, place): ([String], Substring) = ([], path[...])
    while let slash = place.utf8.lastIndex(of: 0x2f), slash > place.startIndex {
      place = place[..<slash]
      var status = stat()
      guard stat(String(place), &status) != 0, errno == ENOENT, place.utf8.last != 0x2f else { continue }
      found.append(String(place))
    }
    return found
  }

  private static func isFolder(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
  }
}
