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
  private let exact: Bool

  /// - Parameter exact: nothing is reused, new memory holds no numbers (NaN, -1) and what follows a tensor is looked at when it goes,
  ///   for sanitizers; `TESSERA_CPU_BUFFERS=exact` asks for it.
  init(exact: Bool = ProcessInfo.processInfo.environment["TESSERA_CPU_BUFFERS"] == "exact") {
    self.exact = exact
  }

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
    let capacity = exact ? bytes : Self.sizeClass(bytes)
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
    let pointer = reused ?? Self.fresh(capacity + Self.margin)
    if exact { memset(pointer, 0xff, capacity + Self.margin) }
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
      return pointer.deallocate()
    }
    lock.withLock {
      used -= capacity
      free[capacity, default: []].append(pointer)
    }
  }
}
