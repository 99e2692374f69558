// SPDX-License-Identifier: Apache-2.0
internal import Kernels
import Synchronization

/// What is made of weights before they are multiplied, kept beside them: the transformed kernels of a convolution
/// by fewer multiplications, the packed panels of a product. In a frozen slice and in inference the same
/// weights meet batch after batch.
///
/// Every access to the weights' memory counts as one that may have changed them, but those of the
/// convolutions and products themselves; so a form is kept from the second use in a row on, and an optimiser's
/// step, a file that is read or anything else lets go of it.
struct PreparedWeights: ~Copyable, Sendable {
  /// Which form it is, and what it depends on beside the weights.
  enum Key: Hashable, Sendable {
    /// Kernels of so many outputs and channels, `taps` a side, in panels of `panel` output channels; mirrored, as in
    /// a gradient for the data, or not.
    case transformed(outputs: Int32, channels: Int32, taps: Int32, panel: Int, isMirrored: Bool)
    /// A product's matrix B (k, n) from `offset` on, with its strides, in chunks of k and panels of columns.
    case packed(k: Int32, n: Int32, offset: Int32, row: Int32, column: Int32, chunk: Int32, panel: Int32)
    /// A product's matrix B (k, n) as digits, for a unit that multiplies them.
    case digits(k: Int32, n: Int32, offset: Int32, row: Int32, column: Int32, digits: Int, unit: Int32)
    /// Kernels of a convolution as digits, of a direction, for a unit; `shape` is all but the batch.
    case exactKernels(shape: [Int32], isGradient: Bool, digits: Int, unit: Int32)
  }

  /// A form that is kept. Not private: the mutex around it lies within the storages' classes, and Swift 6.3's
  /// compiler breaks off a build without optimisation where another file's class holds a private type.
  struct Entry {
    let key: Key
    var accesses: Int
    var form: Tensor?
  }

  private let accesses = Atomic<Int>(0)
  private let entries = Mutex<[Entry]>([])

  /// The memory is given out, to be read or written.
  func noteAccess() { accesses.wrappingAdd(1, ordering: .relaxed) }

  /// Runs a convolution or a product with the weights.
  ///
  /// - Parameters:
  ///   - prepare: makes the form, where it is wanted a second time and small enough to be kept.
  ///   - body: the work, with the form or, if it is to make that itself, without.
  func use(
    _ key: Key, isKept: Bool, prepare: () throws -> Tensor, _ body: (Tensor?) throws -> Void
  ) throws {
    let before = accesses.load(ordering: .relaxed)
    let (isRepeated, kept) = entries.withLock { entries -> (Bool, Tensor?) in
      entries.removeAll { $0.accesses != before }
      let entry = entries.first { $0.key == key }
      return (entry != nil, entry?.form)
    }
    let form = try kept ?? (isKept && isRepeated ? prepare() : nil)
    try body(form)
    let after = accesses.load(ordering: .relaxed)
    entries.withLock { entries in
      entries.removeAll { $0.key == key }
      // This work alone has been here: what was kept of the weights still holds.
      for index in entries.indices where entries[index].accesses == before { entries[index].accesses = after }
      entries.append(Entry(key: key, accesses: after, form: form))
    }
  }
}

extension PreparedWeights.Key {
  init(_ p: tsr_winograd_params, panel: Int) {
    self = .transformed(
      outputs: p.outputs, channels: p.channels, taps: p.taps, panel: panel, isMirrored: p.mirrored != 0)
  }

  init(_ p: tsr_matmul_params, panel: Int32) {
    self = .packed(
      k: p.k, n: p.n, offset: p.b_offset, row: p.b_row_stride, column: p.b_col_stride, chunk: p.chunk,
      panel: panel)
  }

  init(_ p: tsr_matmul_params, digits: Int, unit: Int32) {
    self = .digits(
      k: p.k, n: p.n, offset: p.b_offset, row: p.b_row_stride, column: p.b_col_stride, digits: digits,
      unit: unit)
  }

  init(_ p: tsr_conv_params, isGradient: Bool, digits: Int, unit: Int32) {
    self = .exactKernels(
      shape: [
        p.in_channels, p.height, p.width, p.out_channels, p.kernel_h, p.kernel_w, p.stride_h, p.stride_w,
        p.pad_h, p.pad_w, p.dilation_h, p.dilation_w, p.groups, p.out_h, p.out_w,
      ], isGradient: isGradient, digits: digits, unit: unit)
  }
}
