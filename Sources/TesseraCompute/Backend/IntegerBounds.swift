// SPDX-License-Identifier: Apache-2.0
import Synchronization

/// The smallest and largest element of an integer tensor, as far as the host knows them: labels and indices
/// that the host uploaded are checked without a look at the device, for which a step of training would have
/// to wait.
final class Bounds: Sendable {
  /// Two 32-bit numbers; the larger one in front where nothing is known.
  private let packed = Atomic<UInt64>(Bounds.unknown)
  private static let unknown = pack(.max, .min)

  private static func pack(_ low: Int32, _ high: Int32) -> UInt64 {
    UInt64(UInt32(bitPattern: low)) << 32 | UInt64(UInt32(bitPattern: high))
  }

  /// Whether they are known to ascend, equal ones allowed.
  private let ascends = Atomic<Bool>(false)
  var isAscending: Bool { ascends.load(ordering: .relaxed) }

  /// What is known.
  var known: ClosedRange<Int32>? {
    let value = packed.load(ordering: .relaxed)
    let (low, high) = (
      Int32(truncatingIfNeeded: value >> 32), Int32(truncatingIfNeeded: value)
    )
    return low <= high ? low...high : nil
  }

  /// The elements are these.
  func set(_ values: [Int32]) {
    let low = values.min() ?? 0, high = values.max() ?? 0
    ascends.store(zip(values, values.dropFirst()).allSatisfy { $0 <= $1 }, ordering: .relaxed)
    packed.store(Self.pack(low, high), ordering: .relaxed)
  }

  /// The elements have changed.
  func forget() { packed.store(Self.unknown, ordering: .relaxed) }
}

/// Storage that keeps what is known of its integers.
protocol IntegerBounds: AnyObject {
  var bounds: Bounds { get }
}

extension Tensor {
  /// Notes the elements that the host has uploaded.
  func noteBounds(_ values: [Int32]) { (storage as? any IntegerBounds)?.bounds.set(values) }

  /// Has the elements taken for good ones: for cases that look at what kernels do with others.
  package func assumeGood() { noteBounds([0]) }

  /// Something else is written into the tensor.
  func forgetBounds() {
    if elementType == .int32 { (storage as? any IntegerBounds)?.bounds.forget() }
  }
}

extension MemoryBackend {
  /// Throws for an element outside 0..<limit. Elements that a kernel computed are read back once, all
  /// others are known.
  func requireBounds(_ place: String, _ what: String, _ tensor: Tensor, below limit: Int) throws {
    guard tensor.count > 0 else { return }
    let storage = tensor.storage as? any IntegerBounds
    if storage?.bounds.known == nil {
      let values = try ints(tensor)
      guard let storage else { return try check(place, what, values.min() ?? 0, values.max() ?? 0, limit) }
      storage.bounds.set(values)
    }
    if let known = storage?.bounds.known { try check(place, what, known.lowerBound, known.upperBound, limit) }
  }

  private func check(_ place: String, _ what: String, _ low: Int32, _ high: Int32, _ limit: Int) throws {
    guard low >= 0, Int(high) < limit else {
      throw TesseraError.failure(
        place, found: "\(what) of \(low < 0 ? low : high)", wanted: "0 to \(limit - 1)")
    }
  }
}
