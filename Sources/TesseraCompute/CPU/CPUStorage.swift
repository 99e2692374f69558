import Foundation

/// 64-byte aligned host memory, zeroed or not as the pool hands it out.
final class CPUStorage: TensorStorage, @unchecked Sendable {
  let pointer: UnsafeMutableRawPointer
  let byteCount: Int
  private let capacity: Int
  private let pool: CPUMemoryPool

  init(pointer: UnsafeMutableRawPointer, byteCount: Int, capacity: Int, pool: CPUMemoryPool) {
    self.pointer = pointer
    self.byteCount = byteCount
    self.capacity = capacity
    self.pool = pool
  }

  deinit { pool.release(pointer, capacity: capacity) }
}

/// Free lists of host memory by size class, so that a training step allocates nothing.
final class CPUMemoryPool: @unchecked Sendable {
  private let lock = NSLock()
  private var free: [Int: [UnsafeMutableRawPointer]] = [:]
  private var used = 0
  private var peak = 0

  /// The most bytes that were in use at once.
  var highWaterMark: Int { lock.withLock { peak } }

  deinit {
    for pointer in free.values.joined() { pointer.deallocate() }
  }

  /// Eight classes per power of two: at most an eighth is wasted.
  static func sizeClass(_ bytes: Int) -> Int {
    guard bytes > 256 else { return 256 }
    let step = 1 << (Int.bitWidth - (bytes - 1).leadingZeroBitCount - 4)
    return (bytes + step - 1) / step * step
  }

  func storage(_ bytes: Int) -> CPUStorage {
    let capacity = Self.sizeClass(bytes)
    let reused = lock.withLock { () -> UnsafeMutableRawPointer? in
      used += capacity
      peak = max(peak, used)
      if let pointer = free[capacity]?.popLast() { return pointer }
      // Work of other sizes has begun: large blocks that lie idle go back before there are more of them.
      if capacity >= Self.large {
        for size in free.keys where size >= Self.large {
          for pointer in free.removeValue(forKey: size) ?? [] { pointer.deallocate() }
        }
      }
      return nil
    }
    // The kernels may read, never use, up to one vector past the end of a buffer.
    let pointer = reused ?? Self.fresh(capacity + 64)
    return CPUStorage(pointer: pointer, byteCount: bytes, capacity: capacity, pool: self)
  }

  /// Memory that nobody used yet. A block of many pages asks for huge ones: each page that is touched first costs a fault.
  private static func fresh(_ bytes: Int) -> UnsafeMutableRawPointer {
    guard bytes >= hugePage else { return .allocate(byteCount: bytes, alignment: 64) }
    let pointer = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: hugePage)
    // Advice: where it is not taken, pages are small.
    _ = madvise(pointer, bytes, MADV_HUGEPAGE)
    return pointer
  }

  private static let hugePage = 2 << 20
  private static let large = 16 << 20

  func release(_ pointer: UnsafeMutableRawPointer, capacity: Int) {
    lock.withLock {
      used -= capacity
      free[capacity, default: []].append(pointer)
    }
  }
}
