// SPDX-License-Identifier: Apache-2.0
internal import Kernels

/// What a device can compute: one requirement per primitive, in families.
///
/// Work is enqueued, not awaited: a method returns when the work is accepted, and only a read-back
/// (`download`, `floats`) or `synchronize` blocks. Outputs are allocated by the caller and never overlap
/// inputs unless a method says that it may work in place. Every backend gives the same bits
/// (`Kernels/NUMERICS.md`). Methods throw `TesseraError` for shapes that do not fit and for device failures.
public protocol Backend: MemoryBackend, ContractionBackend, MapBackend, ReductionBackend, SoftmaxBackend,
  AttentionBackend, NormalizationBackend, PoolingBackend, LossBackend, RandomBackend, TSNEBackend,
  SparseTSNEBackend
{
  /// What the device is, and how it was opened.
  var info: DeviceInfo { get }
  /// The backend that does the work, without a profiler around it.
  var unprofiled: any Backend { get }
}

/// Elements of a contraction that are summed in one chain (rule 4 of NUMERICS.md): sums of such chunks, added up in
/// ascending order, have the bits of the whole.
package let contractionChunk = Int(TSR_K_CHUNK)

extension Backend {
  /// Itself: a backend that wraps another says otherwise.
  public var unprofiled: any Backend { self }

  /// Whether it wants much work at a time.
  public var isGPU: Bool { info.kind == .gpu }
}

/// The version of the numerics contract (`Kernels/NUMERICS.md`): results of different versions may differ.
public let numericsVersion: Int32 = TSR_NUMERICS_VERSION
