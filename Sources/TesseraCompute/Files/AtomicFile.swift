// SPDX-License-Identifier: Apache-2.0
import Foundation

/// A file that appears whole or not at all: written under a temporary name beside its place, synced, renamed.
public final class AtomicFile {
  private let path: String
  private let temporary: String
  private var descriptor: Int32

  /// Starts writing; folders on the way are made.
  ///
  /// - Throws: `TesseraError` if the file cannot be made.
  public init(_ path: String) throws {
    guard !path.isEmpty else {
      throw TesseraError.input("output", found: "an empty name", wanted: "a file to write to")
    }
    let path = try Self.target(path)
    self.path = path
    // Not Foundation's deletingLastPathComponent, which crashes on a path of one character.
    let folder = path.utf8.lastIndex(of: 0x2f).map { String(path[..<$0]) } ?? ""
    if !folder.isEmpty { try OutputFolder.make(folder) }
    temporary = Self.temporaryName(path)
    descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else {
      throw TesseraError.input(
        path, found: "a place that cannot be written to (\(Self.reason()))", wanted: "a writable place")
    }
  }

  deinit { abandon() }

  /// Where a file will stand: at the end of a link, which stays one. What is there must be a plain file,
  /// for it is replaced.
  private static func target(_ path: String) throws -> String {
    var status = stat()
    guard lstat(path, &status) == 0 else { return path }
    if status.st_mode & S_IFMT == S_IFLNK {
      guard let end = realpath(path, nil) else {
        throw TesseraError.input(path, found: "a link to nothing (\(reason()))", wanted: "a file to write to")
      }
      defer { free(end) }
      return try target(String(cString: end))
    }
    switch status.st_mode & S_IFMT {
    case S_IFREG: return path
    case S_IFDIR: throw TesseraError.input(path, found: "a folder", wanted: "a file to write to")
    default: throw TesseraError.input(path, found: "a pipe or a device", wanted: "a file to write to")
    }
  }

  /// The name beside a file's place; of a name that is as long as names can be, a part.
  private static func temporaryName(_ path: String) -> String {
    let name = path.utf8.lastIndex(of: 0x2f).map { path[path.utf8.index(after: $0)...] } ?? path[...]
    let ending = ".\(getpid()).tmp"
    guard name.utf8.count + ending.utf8.count > Int(NAME_MAX), name.utf8.count <= Int(NAME_MAX) else {
      return path + ending
    }
    var part = name
    while part.utf8.count + ending.utf8.count > Int(NAME_MAX) { part.removeLast() }
    return path[..<name.startIndex] + part + ending
  }

  /// Appends bytes.
  public func write(_ bytes: UnsafeRawBufferPointer) throws {
    var done = 0
    while done < bytes.count {
      let count = Foundation.write(descriptor, bytes.baseAddress! + done, min(bytes.count - done, 1 << 30))
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else {
        let reason = Self.reason()
        abandon()
        throw TesseraError.failure("writing \(path)", found: reason, wanted: "\(bytes.count) bytes written")
      }
      done += count
    }
  }

  /// Appends bytes.
  public func write(_ data: some ContiguousBytes) throws { try data.withUnsafeBytes { try write($0) } }

  /// Writes over bytes that were written before.
  ///
  /// - Parameter offset: where in the file.
  func overwrite(_ data: some ContiguousBytes, at offset: Int) throws {
    let end = lseek(descriptor, 0, SEEK_CUR)
    guard end >= 0, lseek(descriptor, off_t(offset), SEEK_SET) == off_t(offset) else {
      throw TesseraError.failure(
        "writing \(path)", found: Self.reason(), wanted: "a file that can be sought in")
    }
    try write(data)
    guard lseek(descriptor, end, SEEK_SET) == end else {
      throw TesseraError.failure(
        "writing \(path)", found: Self.reason(), wanted: "a file that can be sought in")
    }
  }

  /// Syncs, closes and puts the file in its place.
  public func commit() throws {
    let synced = fsync(descriptor) == 0 || errno == EINVAL
    let failure = synced ? nil : Self.reason()
    let closed = close(descriptor) == 0
    descriptor = -1
    guard synced, closed, rename(temporary, path) == 0 else {
      let reason = failure ?? Self.reason()
      unlink(temporary)
      throw TesseraError.failure("writing \(path)", found: reason, wanted: "the file in place")
    }
  }

  /// Throws if a file could not be written to a place, which stays as it is. For what is written after long
  /// work.
  public static func requireWritable(_ path: String) throws {
    let missing = OutputFolder.missing(above: path)
    defer { for folder in missing { rmdir(folder) } }
    _ = try AtomicFile(path)
  }

  /// Writes a whole file.
  public static func write(_ data: some ContiguousBytes, to path: String) throws {
    let file = try AtomicFile(path)
    try file.write(data)
    try file.commit()
  }

  private func abandon() {
    guard descriptor >= 0 else { return }
    close(descriptor)
    descriptor = -1
    unlink(temporary)
  }

  private static func reason() -> String { String(cString: strerror(errno)) }
}
