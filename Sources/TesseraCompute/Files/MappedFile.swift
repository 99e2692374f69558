// SPDX-License-Identifier: Apache-2.0
import Foundation

/// A file that is read through memory: pages come from the disk when they are read, and go when they are released.
final class MappedFile: @unchecked Sendable {
  /// The first byte, at the beginning of a page.
  let base: UnsafeRawPointer
  /// Bytes of the file.
  let count: Int

  /// A reader of a page brings its neighbours of this many bytes along (Linux's fault_around_bytes).
  private static let around = 1 << 16

  /// Maps an open file of `count` bytes, more than 0; nil if the system does not.
  init?(descriptor: Int32, count: Int) {
    guard count > 0, let memory = mmap(nil, count, PROT_READ, MAP_PRIVATE, descriptor, 0),
      memory != MAP_FAILED
    else { return nil }
    (base, self.count) = (UnsafeRawPointer(memory), count)
  }

  deinit { munmap(UnsafeMutableRawPointer(mutating: base), count) }

  /// The bytes, which keep the file mapped.
  var data: Data {
    Data(
      bytesNoCopy: UnsafeMutableRawPointer(mutating: base), count: count,
      deallocator: .custom { _, _ in withExtendedLifetime(self) {} })
  }

  /// The bytes.
  var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base, count: count) }

  /// Lets the system take back the memory of a range, and of what was brought along with it. What is read of it later
  /// comes from the file again.
  func release(_ range: Range<Int>) {
    guard !range.isEmpty else { return }
    let address = Int(bitPattern: base)
    let first = max(address, (address + range.lowerBound) / Self.around * Self.around)
    let last = min(
      address + count, (address + range.upperBound + Self.around - 1) / Self.around * Self.around)
    guard last > first else { return }
    madvise(UnsafeMutableRawPointer(bitPattern: first), last - first, MADV_DONTNEED)
  }
}
