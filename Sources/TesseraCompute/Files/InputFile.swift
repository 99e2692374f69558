// SPDX-License-Identifier: Apache-2.0
import Foundation

/// Files that someone else made, read whole: what is no plain file or larger than it can rightly be is
/// refused before it is read, and every refusal has the system's reason.
public enum InputFile {
  /// The most bytes of a file by what it is.
  public enum Limit {
    /// A configuration, a record: 16 MiB.
    public static let configuration = 16 << 20
    /// A vocabulary, a kernel's text, a report: 256 MiB.
    public static let text = 256 << 20
    /// A data set, and what it unpacks to: 2 GiB.
    public static let data = 2 << 30
    /// Tensors, which are mapped and not read.
    public static let tensors = Int.max
  }

  /// The bytes of a file of text or of a record: what is of another kind by its first bytes, such as an
  /// archive, a page or a Git LFS pointer, is refused by its name.
  ///
  /// - Parameters:
  ///   - path: where it is.
  ///   - wanted: what it ought to be, for messages.
  ///   - limit: the most bytes it may have.
  ///   - pipes: whether a pipe or a terminal will do, which is read to its end.
  ///   - mapped: whether to map a file instead of reading it.
  /// - Throws: `TesseraError` naming the file, the reason and what was wanted.
  public static func read(
    _ path: String, wanted: String, atMost limit: Int, pipes: Bool = false, mapped: Bool = false
  ) throws -> Data {
    let data = try readAny(path, wanted: wanted, atMost: limit, pipes: pipes, mapped: mapped)
    if let kind = FileKind.recognise(data.prefix(FileKind.prefixCount)), kind != .json {
      throw kind.refusal(path, data.prefix(FileKind.prefixCount), wanted: wanted)
    }
    return data
  }

  /// A file of any kind, mapped; nil for an empty one.
  static func map(_ path: String, wanted: String) throws -> MappedFile? {
    var mapping: MappedFile?
    _ = try readAny(path, wanted: wanted, atMost: Limit.tensors, mapped: true, mapping: &mapping)
    return mapping
  }

  /// The bytes of a file of any kind, for readers that look at its first bytes themselves.
  package static func readAny(
    _ path: String, wanted: String, atMost limit: Int, pipes: Bool = false, mapped: Bool = false
  ) throws -> Data {
    var mapping: MappedFile?
    return try readAny(path, wanted: wanted, atMost: limit, pipes: pipes, mapped: mapped, mapping: &mapping)
  }

  private static func readAny(
    _ path: String, wanted: String, atMost limit: Int, pipes: Bool = false, mapped: Bool = false,
    mapping: inout MappedFile?
  ) throws -> Data {
    // Without O_NONBLOCK a pipe that nobody writes to would never open.
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | (pipes ? 0 : O_NONBLOCK))
    func refusal(_ found: String) -> TesseraError { .input(path, found: found, wanted: wanted) }
    func unreadable() -> TesseraError { refusal("no readable file (\(String(cString: strerror(errno))))") }
    guard descriptor >= 0 else { throw unreadable() }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw unreadable() }
    let kind = status.st_mode & S_IFMT
    guard kind != S_IFDIR else { throw refusal("a folder") }
    guard kind == S_IFREG || pipes else { throw refusal("a pipe or a device") }
    let size = kind == S_IFREG ? Int(status.st_size) : 0
    func tooLarge(_ found: String) -> TesseraError {
      .input(path, found: found, wanted: "\(wanted) of at most \(limit >> 20) MiB")
    }
    guard size <= limit else { throw tooLarge("\(size) bytes") }
    if mapped, size > 0 {
      guard let file = MappedFile(descriptor: descriptor, count: size) else {
        guard errno == ENOMEM else { throw unreadable() }
        throw TesseraError.failure(
          path, found: "no memory to map its \(size) bytes", wanted: "more address space (ulimit -v)")
      }
      mapping = file
      return file.data
    }
    // One byte more than there should be, so that the end is seen without another round.
    var data = Data(count: size + 1)
    var count = 0
    while true {
      if count == data.count { data.count = min(2 * count + 65_536, limit + 1) }
      let got = data.withUnsafeMutableBytes {
        Foundation.read(descriptor, $0.baseAddress! + count, $0.count - count)
      }
      if got < 0 && errno == EINTR { continue }
      guard got >= 0 else { throw unreadable() }
      guard got > 0 else { break }
      count += got
      guard count <= limit else { throw tooLarge("more than \(limit) bytes") }
    }
    data.count = count
    return data
  }

  /// The bytes of a file if there is one that can be read, for what may be missing.
  public static func readIfThere(_ path: String, atMost limit: Int = Limit.configuration) -> Data? {
    try? read(path, wanted: "", atMost: limit)
  }
}
