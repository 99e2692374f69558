// SPDX-License-Identifier: Apache-2.0
import Kernels

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

extension Backend {
  /// Itself: a backend that wraps another says otherwise.
  public var unprofiled: any Backend { self }

  /// Whether it wants much work at a time.
  public var isGPU: Bool { info.kind == .gpu }
}

/// Strides, extents and epilogue of a matrix product; see `Kernels/include/tessera_params.h`.
public typealias MatmulParameters = tsr_matmul_params
/// Extents of a two-dimensional convolution.
public typealias ConvParameters = tsr_conv_params
/// Extents of a pooling.
public typealias PoolParameters = tsr_pool_params
/// A row-major matrix with an epsilon.
public typealias RowsParameters = tsr_rows_params
/// Attention scores (heads, length, length) with their scale and the span of a bias by distance.
public typealias AttentionParameters = tsr_attention_params
/// Attention of texts packed one after another.
public typealias PackedAttentionParameters = tsr_packed_attention_params
/// A tensor seen as (outer, channels, inner), with an epsilon.
public typealias ChannelsParameters = tsr_channels_params
/// Local response normalisation of (outer, channels, inner) over `size` channels.
public typealias ResponseNormParameters = tsr_response_params
/// An Adam step.
public typealias AdamParameters = tsr_adam_params
/// A t-SNE gradient step.
public typealias TSNEParameters = tsr_tsne_params

/// The version of the numerics contract (`Kernels/NUMERICS.md`): results of different versions may differ.
public let numericsVersion: Int32 = TSR_NUMERICS_VERSION
