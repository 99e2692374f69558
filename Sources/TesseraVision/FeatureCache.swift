// SPDX-License-Identifier: Apache-2.0
import Foundation
import TesseraCompute

/// Where the frozen slice's outputs may be kept between epochs, in bytes; the first that holds all of them
/// is taken, else they are computed for each batch. Changes no bit.
public struct FeatureLimits: Sendable, Equatable {
  /// Bytes of device memory; nil: half of what there is.
  public var device: Int?
  /// Bytes of host memory; nil: half of what there is.
  public var host: Int?
  /// Bytes of a memory-mapped file in `folder`; nil: half of what there is.
  public var file: Int?
  /// Folder of the file, which has no name and is gone with the process.
  public var folder: String?

  /// Half of the device's memory, else half of the host's, else half of what is free on the disk of a folder.
  public init() {}

  /// The limits in bytes on a device.
  package func bytes(on device: any Backend) -> (device: Int, host: Int, file: Int) {
    var free = 0
    if file == nil, let folder {
      let attributes = try? FileManager.default.attributesOfFileSystem(forPath: folder)
      free = (attributes?[.systemFreeSize] as? NSNumber).map { Int(clamping: $0.int64Value) } ?? 0
    }
    return (
      self.device ?? device.memory / 2, host ?? HostMemory.available / 2, folder == nil ? 0 : file ?? free / 2
    )
  }

  /// Where something is kept.
  public enum Place: Sendable, Equatable {
    /// In the memory of the device that trains.
    case device
    /// In the host's memory.
    case host
    /// In a memory-mapped file.
    case file
  }

  /// The first place that holds so many bytes; nil where none does.
  public func place(of bytes: Int, on device: any Backend) -> Place? {
    let room = self.bytes(on: device)
    if bytes <= room.device { return .device }
    if bytes <= room.host { return .host }
    return folder != nil && bytes <= room.file ? .file : nil
  }

  /// Nothing is kept.
  public static var none: FeatureLimits {
    var limits = FeatureLimits()
    (limits.device, limits.host, limits.file) = (0, 0, 0)
    return limits
  }
}

/// Kept rows of one size.
protocol FeatureCache: AnyObject, Sendable {
  /// Keeps rows (rows, ...) of a device from a number on; several threads may, each its own rows.
  func keep(_ tensor: Tensor, from row: Int, of device: any Backend) throws
  /// Copies rows, by number, one after the other into a tensor.
  func copy(_ rows: [Int], into tensor: Tensor, on device: any Backend) throws
}

/// Rows in tensors of one device, large ones of up to `segment` rows each: a batch is then one command, not
/// one a row.
final class DeviceFeatureCache: FeatureCache {
  private let size: Int, count: Int, segment: Int
  /// Parts of a row that are gathered each for itself: one row alone would not fill a GPU.
  private let pieces: Int
  private let home: any Backend
  private let segments = Locked<[Int: Tensor]>([:])

  /// Room for `count` rows of `rowSize` floats, taken as they come.
  ///
  /// - Parameter chunk: every keep is of so many rows, but for the last.
  init(count: Int, rowSize: Int, chunk: Int, most: Int = 1 << 28, on device: any Backend) {
    (self.count, size, home) = (count, rowSize, device)
    let fitting = max(1, most / max(1, rowSize) / chunk)
    segment = min(fitting, max(1, (count + chunk - 1) / chunk)) * chunk
    pieces = [64, 32, 16, 8, 4, 2].first { rowSize > 0 && rowSize % $0 == 0 } ?? 1
  }

  /// The rows are a chunk; those of another device come over the host.
  func keep(_ tensor: Tensor, from row: Int, of device: any Backend) throws {
    let at = row % segment * size
    guard device !== home else {
      return try home.copy(
        tensor, to: try place(of: row),
        region: CopyRegion(
          rows: 1, columns: tensor.count, sourceStride: tensor.count, destinationOffset: at,
          destinationStride: tensor.count))
    }
    let values = try device.floats(tensor)
    do {
      try values.withUnsafeBytes { try home.upload($0, to: try place(of: row), offset: at) }
    } catch let error as TesseraError {
      // What fails here is no fault of the helper's.
      throw error.on(home.name)
    }
  }

  /// The tensor that keeps a row.
  private func place(of row: Int) throws -> Tensor {
    try segments.withLock { segments in
      if let kept = segments[row / segment] { return kept }
      let rows = min(segment, count - row / segment * segment)
      let made = try home.allocate([rows, size], .float32)
      segments[row / segment] = made
      return made
    }
  }

  func copy(_ rows: [Int], into tensor: Tensor, on device: any Backend) throws {
    let segments = segments.withLock { $0 }
    func kept(_ row: Int) throws -> Tensor {
      if let tensor = segments[row / segment] { return tensor }
      throw TesseraError.failure("features of the slice", found: "no row \(row)", wanted: "a kept row")
    }
    guard let first = rows.first else { return }
    if rows.allSatisfy({ $0 / segment == first / segment }) {
      let ids = rows.flatMap { row in (0..<pieces).map { Int32(row % segment * pieces + $0) } }
      return try device.gatherRows(
        try kept(first), ids: try device.tensor(ids, [ids.count]), columns: size / pieces, into: tensor)
    }
    for (at, row) in rows.enumerated() {
      try device.copy(
        try kept(row), to: tensor,
        region: CopyRegion(
          rows: 1, columns: size, sourceOffset: row % segment * size, sourceStride: size,
          destinationOffset: at * size, destinationStride: size))
    }
  }
}

/// Rows in mapped memory: the host's, or a file's that the system pages in and out.
final class MappedFeatureCache: FeatureCache, @unchecked Sendable {
  private let size: Int
  private let bytes: UnsafeMutableRawBufferPointer
  /// Whether a file has the rows: its pages need not stay in memory once they were read or written.
  private let isFile: Bool

  /// Room for `count` rows of `rowSize` floats; in a file of `folder` if there is one.
  ///
  /// - Throws: `TesseraError` if there is not enough memory or room on the disk.
  init(count: Int, rowSize: Int, folder: String?) throws {
    (size, isFile) = (rowSize, folder != nil)
    let length = max(1, count * rowSize * 4)
    var descriptor: Int32 = -1
    if let folder {
      let path = URL(fileURLWithPath: folder).appendingPathComponent("features.\(getpid()).tmp").path
      descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
      guard descriptor >= 0 else {
        throw TesseraError.input(folder, found: String(cString: strerror(errno)), wanted: "a writable folder")
      }
      unlink(path)
      // Reserved now: a full disk is an error here, not a signal in the middle of an epoch.
      let status = posix_fallocate(descriptor, 0, off_t(length))
      guard status == 0 else {
        close(descriptor)
        throw TesseraError.failure(
          "features of the slice in \(folder)", found: String(cString: strerror(status)),
          wanted: "room for \(length) bytes (--feature-disk 0 does without)")
      }
    }
    let flags = descriptor >= 0 ? MAP_SHARED : MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE
    let memory = mmap(nil, length, PROT_READ | PROT_WRITE, flags, descriptor, 0)
    if descriptor >= 0 { close(descriptor) }
    guard let memory, memory != MAP_FAILED else {
      throw TesseraError.failure(
        "features of the slice", found: String(cString: strerror(errno)), wanted: "\(length) bytes of memory")
    }
    bytes = UnsafeMutableRawBufferPointer(start: memory, count: length)
  }

  deinit { munmap(bytes.baseAddress, bytes.count) }

  func keep(_ tensor: Tensor, from row: Int, of device: any Backend) throws {
    let begin = row * size * 4
    let end = begin + tensor.count * 4
    guard end <= bytes.count else {
      throw TesseraError.failure(
        "features of the slice", found: "\(end) bytes", wanted: "at most \(bytes.count)")
    }
    try device.download(tensor, offset: 0, into: .init(rebasing: bytes[begin..<end]))
    release(begin..<end)
  }

  /// Lets the system take back the memory of a file's range; what was written is in the file.
  private func release(_ range: Range<Int>) {
    guard isFile, let base = bytes.baseAddress else { return }
    let page = Int(sysconf(Int32(_SC_PAGESIZE)))
    let first = range.lowerBound / page * page
    let last = min(bytes.count, (range.upperBound + page - 1) / page * page)
    madvise(base + first, last - first, MADV_DONTNEED)
  }

  func copy(_ rows: [Int], into tensor: Tensor, on device: any Backend) throws {
    for (at, row) in rows.enumerated() {
      let part = UnsafeRawBufferPointer(rebasing: bytes[row * size * 4..<(row + 1) * size * 4])
      try device.upload(part, to: tensor, offset: at * size)
      release(row * size * 4..<(row + 1) * size * 4)
    }
  }
}
