// SPDX-License-Identifier: Apache-2.0
import Foundation

/// A folder in memory of this process's own, for what is only read by path.
enum Scratch {
  static let folder: String = {
    let root = FileManager.default.fileExists(atPath: "/dev/shm") ? "/dev/shm" : NSTemporaryDirectory()
    let path = "\(root)/tessera-fuzz-\(ProcessInfo.processInfo.processIdentifier)"
    try? FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    atexit { try? FileManager.default.removeItem(atPath: Scratch.folder) }
    return path
  }()

  /// Writes an input and gives its path.
  static func file(_ name: String, _ bytes: UnsafeRawBufferPointer) -> String {
    let path = "\(folder)/\(name)"
    let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
    precondition(descriptor >= 0, "\(path) cannot be written")
    var done = 0
    while done < bytes.count {
      let count = write(descriptor, bytes.baseAddress.map { $0 + done }, bytes.count - done)
      precondition(count > 0, "\(path) cannot be written")
      done += count
    }
    close(descriptor)
    return path
  }
}
