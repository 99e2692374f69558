// SPDX-License-Identifier: Apache-2.0
internal import Kernels
import Synchronization

/// The transformed kernels of a convolution by fewer multiplications, kept beside the weights that they are
/// made of: in a frozen slice and in inference the same weights meet batch after batch.
///
/// Every access to the weights' memory counts as one that may have changed them, but those of the
/// convolutions themselves; so kernels are kept from the second convolution in a row on, and an optimiser's
/// step, a file that is read or anything else lets go of them.
struct KeptKernels: ~Copyable, Sendable {
  /// What a transform depends on beside the weights.
  struct Key: Hashable, Sendable {
    /// Channels that are made and read, taps a side, output channels of a panel.
    let outputs: Int32, channels: Int32, taps: Int32, panel: Int
    /// Whether the kernel is mirrored, as in a gradient for the data.
    let isMirrored: Bool
  }

  private struct Entry {
    let key: Key
    var accesses: Int
    var transformed: Tensor?
  }

  private let accesses = Atomic<Int>(0)
  private let entries = Mutex<[Entry]>([])

  /// The memory is given out, to be read or written.
  func noteAccess() { accesses.wrappingAdd(1, ordering: .relaxed) }

  /// Runs a convolution with the weights.
  ///
  /// - Parameters:
  ///   - transform: makes the kernels, where they are wanted a second time and are few enough to be kept.
  ///   - body: the convolution, with kernels or, if it is to make them itself, without.
  func use(
    _ key: Key, isKept: Bool, transform: () throws -> Tensor, _ body: (Tensor?) throws -> Void
  ) throws {
    let before = accesses.load(ordering: .relaxed)
    let (isRepeated, kept) = entries.withLock { entries -> (Bool, Tensor?) in
      entries.removeAll { $0.accesses != before }
      let entry = entries.first { $0.key == key }
      return (entry != nil, entry?.transformed)
    }
    let kernels = try kept ?? (isKept && isRepeated ? transform() : nil)
    try body(kernels)
    let after = accesses.load(ordering: .relaxed)
    entries.withLock { entries in
      entries.removeAll { $0.key == key }
      // The convolution alone has been here: what was kept of the weights still holds.
      for index in entries.indices where entries[index].accesses == before { entries[index].accesses = after }
      entries.append(Entry(key: key, accesses: after, transformed: kernels))
    }
  }
}

extension KeptKernels.Key {
  init(_ p: tsr_winograd_params, panel: Int) {
    self.init(
      outputs: p.outputs, channels: p.channels, taps: p.taps, panel: panel, isMirrored: p.mirrored != 0)
  }
}
