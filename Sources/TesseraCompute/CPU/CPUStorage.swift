// SPDX-License-Identifier: Apache-2.0
import Foundation

/// 64-byte aligned host memory, zeroed or not as the pool hands it out.
final class CPUStorage: TensorStorage, IntegerBounds, @unchecked Sendable {
  let pointer: UnsafeMutableRawPointer
  let byteCount: Int
  let bounds = Bounds()
  let prepared = PreparedWeights()
  let capacity: Int
  private let pool: CPUMemoryPool
  /// What this is a part of; nil: it has memory of its own.
  private let whole: CPUStorage?

  init(pointer: UnsafeMutableRawPointer, byteCount: Int, capacity: Int, pool: CPUMemoryPool) {
    self.pointer = pointer
    self.byteCount = byteCount
    self.capacity = capacity
    self.pool = pool
    whole = nil
  }

  /// A part of another's memory, for reading.
  ///
  /// - Parameter bytes: where it is; the caller knows that they are there.
  init(_ bytes: Range<Int>, of whole: CPUStorage) {
    (pointer, byteCount, capacity) = (whole.pointer + bytes.lowerBound, bytes.count, bytes.count)
    (pool, self.whole) = (whole.pool, whole)
  }

  deinit { if whole == nil { pool.release(pointer, capacity: capacity) } }
}

/// Free lists of host memory by size class, so that a training step allocates nothing.
final class CPUMemoryPool: @unchecked Sendable {
  private let lock = NSLock()
  private var free: [Int: [UnsafeMutableRawPointer]] = [:]
  private var used = 0
  private var peak = 0
  private let exact: Bool

  /// - Parameter exact: nothing is reused, new memory holds no numbers (NaN, -1) and what follows a tensor
  ///   is looked at when it goes, for sanitizers; `TESSERA_CPU_BUFFERS=exact` asks for it.
  init(exact: Bool = ProcessInfo.processInfo.environment["TESSERA_CPU_BUFFERS"] == "exact") {
    self.exact = exact
  }

  /// The most bytes that were in use at once.
  var highWaterMark: Int { lock.withLock { peak } }

  deinit {
    for pointer in free.values.joined() { Foundation.free(pointer) }
  }

  /// Eight classes per power of two: at most an eighth is wasted.
  static func sizeClass(_ bytes: Int) -> Int {
    guard bytes > 256 else { return 256 }
    let step = 1 << (Int.bitWidth - (bytes - 1).leadingZeroBitCount - 4)
    return (bytes + step - 1) / step * step
  }

  /// Memory for so many bytes.
  ///
  /// - Parameter what: what they are for, for the message.
  /// - Throws: `TesseraError` (`isOutOfMemory`) naming it if the system has none.
  func storage(_ bytes: Int, for what: @autoclosure () -> String = "work") throws -> CPUStorage {
    var capacity = exact ? bytes : Self.sizeClass(bytes)
    let reused = lock.withLock { () -> UnsafeMutableRawPointer? in
      let found = exact ? nil : idle(from: capacity)
      capacity = found?.capacity ?? capacity
      used += capacity
      peak = max(peak, used)
      if let found { return found.pointer }
      // Work of other sizes has begun: large blocks that lie idle go back before there are more of them.
      if capacity >= Self.large {
        giveBackIdle(from: Self.large)
      }
      return nil
    }
    let pointer = try reused ?? fresh(capacity, for: what())
    if exact { memset(pointer, 0xff, capacity + Self.margin) }
    return CPUStorage(pointer: pointer, byteCount: bytes, capacity: capacity, pool: self)
  }

  /// An idle block of this size, or if it is large of the next two: batches of texts differ by some tokens,
  /// and a page that the system gives anew has to be cleared. The lock is held.
  private func idle(from capacity: Int) -> (pointer: UnsafeMutableRawPointer, capacity: Int)? {
    var size = capacity
    for _ in 0..<(capacity >= Self.hugePage ? 3 : 1) {
      if let pointer = free[size]?.popLast() { return (pointer, size) }
      size = Self.sizeClass(size + 1)
    }
    return nil
  }

  /// Gives idle blocks back to the system; the lock is held.
  private func giveBackIdle(from least: Int) {
    for size in free.keys where size >= least {
      for pointer in free.removeValue(forKey: size) ?? [] { Foundation.free(pointer) }
    }
  }

  /// Memory that nobody used yet. A block of many pages asks for huge ones: each page that is touched first
  /// costs a fault.
  private func fresh(_ capacity: Int, for what: String) throws -> UnsafeMutableRawPointer {
    let bytes = capacity + Self.margin
    let alignment = bytes >= Self.hugePage ? Self.hugePage : 64
    if let pointer = Self.aligned(bytes, alignment) { return pointer }
    // What lies idle in other sizes may make room, and so may pages of the usual size.
    lock.withLock { giveBackIdle(from: 0) }
    if let pointer = Self.aligned(bytes, alignment) ?? Self.aligned(bytes, 64) { return pointer }
    lock.withLock { used -= capacity }
    throw TesseraError.outOfMemory(
      what, found: "no memory for its \(bytes) bytes beside \(lock.withLock { used }) in use",
      wanted: "more memory, or less to do at once")
  }

  private static func aligned(_ bytes: Int, _ alignment: Int) -> UnsafeMutableRawPointer? {
    // Not Swift's own, which ends the process where there is no memory.
    var pointer: UnsafeMutableRawPointer?
    guard posix_memalign(&pointer, alignment, bytes) == 0, let pointer else { return nil }
    // Advice: where it is not taken, pages are small.
    if alignment == hugePage { _ = madvise(pointer, bytes, MADV_HUGEPAGE) }
    return pointer
  }

  /// The kernels may read, never use, up to one vector past the end of a buffer.
  private static let margin = 64
  private static let hugePage = 2 << 20
  private static let large = 16 << 20

  func release(_ pointer: UnsafeMutableRawPointer, capacity: Int) {
    if exact {
      let after = UnsafeRawBufferPointer(start: pointer + capacity, count: Self.margin)
      if let place = after.firstIndex(where: { $0 != 0xff }) {
        StandardError.write("tessera: byte \(place) after a tensor of \(capacity) bytes was written\n")
        abort()
      }
      lock.withLock { used -= capacity }
      return Foundation.free(pointer)
    }
    lock.withLock {
      used -= capacity
      free[capacity, default: []].append(pointer)
    }
  }
}
