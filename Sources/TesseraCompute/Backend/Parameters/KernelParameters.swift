// SPDX-License-Identifier: Apache-2.0
package import Kernels

/// What a kernel gets by value: a struct of `Kernels/include/tessera_params.h`.
package protocol KernelParameters {}

extension tsr_adam_params: KernelParameters {}
extension tsr_affinity_params: KernelParameters {}
extension tsr_attention_params: KernelParameters {}
extension tsr_channels_params: KernelParameters {}
extension tsr_copy_params: KernelParameters {}
extension tsr_gather_params: KernelParameters {}
extension tsr_gemm_params: KernelParameters {}
extension tsr_grid_params: KernelParameters {}
extension tsr_integer_greatest_params: KernelParameters {}
extension tsr_integer_params: KernelParameters {}
extension tsr_integer_view_params: KernelParameters {}
extension tsr_integer_gemm_params: KernelParameters {}
extension tsr_map_params: KernelParameters {}
extension tsr_nearest_params: KernelParameters {}
extension tsr_pack_params: KernelParameters {}
extension tsr_points_params: KernelParameters {}
extension tsr_pool_params: KernelParameters {}
extension tsr_random_params: KernelParameters {}
extension tsr_response_params: KernelParameters {}
extension tsr_rows_params: KernelParameters {}
extension tsr_step_params: KernelParameters {}
extension tsr_strided_params: KernelParameters {}
extension tsr_swap_params: KernelParameters {}
extension tsr_tsne_params: KernelParameters {}
extension tsr_upsample_params: KernelParameters {}
extension tsr_winograd_params: KernelParameters {}
extension tsr_winograd_part_params: KernelParameters {}

extension tsr_matmul_params {
  init(_ p: Matmul) {
    self.init(
      m: Int32(extent: p.m), n: Int32(extent: p.n), k: Int32(extent: p.k), batch: Int32(extent: p.batch),
      a_row_stride: Int32(extent: p.a.rowStride), a_col_stride: Int32(extent: p.a.columnStride),
      b_row_stride: Int32(extent: p.b.rowStride), b_col_stride: Int32(extent: p.b.columnStride),
      c_row_stride: Int32(extent: p.c.rowStride), a_batch_stride: Int32(extent: p.a.batchStride),
      b_batch_stride: Int32(extent: p.b.batchStride), c_batch_stride: Int32(extent: p.c.batchStride),
      a_offset: Int32(extent: p.a.offset), b_offset: Int32(extent: p.b.offset),
      c_offset: Int32(extent: p.c.offset), bias_offset: Int32(extent: p.biasOffset),
      chunk: Int32(extent: p.chunk), bias: p.bias.rawValue, activation: p.activation.rawValue,
      accumulate: p.accumulates ? 1 : 0)
  }
}

extension tsr_conv_params {
  init(_ p: Convolution) {
    self.init(
      batch: Int32(extent: p.batch), in_channels: Int32(extent: p.inChannels),
      height: Int32(extent: p.height), width: Int32(extent: p.width),
      out_channels: Int32(extent: p.outChannels), kernel_h: Int32(extent: p.kernel.height),
      kernel_w: Int32(extent: p.kernel.width), stride_h: Int32(extent: p.stride.height),
      stride_w: Int32(extent: p.stride.width), pad_h: Int32(extent: p.padding.height),
      pad_w: Int32(extent: p.padding.width), dilation_h: Int32(extent: p.dilation.height),
      dilation_w: Int32(extent: p.dilation.width), groups: Int32(extent: p.groups),
      out_h: Int32(extent: p.output.height), out_w: Int32(extent: p.output.width),
      bias: BiasKind.none.rawValue, activation: p.activation.rawValue)
  }

  /// Elements of the input, of the weights, and multiply-adds, as `Convolution` counts them.
  var inputCount: Int { elements(Int(batch), Int(in_channels), Int(height), Int(width)) }
  var weightCount: Int {
    elements(Int(out_channels), Int(in_channels / groups), Int(kernel_h), Int(kernel_w))
  }
  var multiplyAdds: Int {
    elements(Int(batch), Int(out_h), Int(out_w), weightCount)
  }
}

extension tsr_pool_params {
  init(_ p: Pooling) {
    self.init(
      planes: Int32(extent: p.planes), height: Int32(extent: p.height), width: Int32(extent: p.width),
      out_h: Int32(extent: p.output.height), out_w: Int32(extent: p.output.width),
      kernel_h: Int32(extent: p.kernel.height), kernel_w: Int32(extent: p.kernel.width),
      stride_h: Int32(extent: p.stride.height), stride_w: Int32(extent: p.stride.width),
      pad_h: Int32(extent: p.padding.height), pad_w: Int32(extent: p.padding.width))
  }
}

extension tsr_rows_params {
  /// `eps`: an epsilon, or the kernel's one number. `batch`: rows that a mean is over.
  init(rows: Int, columns: Int, batch: Int? = nil, eps: Float = 0) {
    self.init(
      rows: Int32(extent: rows), cols: Int32(extent: columns), batch: Int32(extent: batch ?? rows), eps: eps)
  }
  init(_ p: LayerNormalization) { self.init(rows: p.rows, columns: p.columns, eps: p.eps) }
}

extension tsr_channels_params {
  init(_ p: ChannelLayout) {
    self.init(
      outer: Int32(extent: p.outer), channels: Int32(extent: p.channels), inner: Int32(extent: p.inner),
      training: 0, batch: Int32(extent: p.batch), eps: p.eps, momentum: 0)
  }
}

extension tsr_response_params {
  init(_ p: LocalResponseNormalization) {
    self.init(
      outer: Int32(extent: p.outer), channels: Int32(extent: p.channels), inner: Int32(extent: p.inner),
      size: Int32(extent: p.size), alpha: p.alpha, beta: p.beta, k: p.k)
  }
}

extension tsr_attention_params {
  init(_ p: AttentionScores) {
    self.init(
      heads: Int32(extent: p.heads), length: Int32(extent: p.length), span: Int32(extent: p.span),
      scale: p.scale)
  }
}

extension tsr_packed_attention_params {
  init(_ p: PackedAttention) {
    self.init(
      tokens: Int32(extent: p.tokens), heads: Int32(extent: p.heads), width: Int32(extent: p.width),
      span: Int32(extent: p.span), scale: p.scale)
  }
}

extension tsr_adam_params {
  init(_ p: AdamStep) {
    self.init(
      count: Int32(extent: p.count), lr: p.learningRate, beta1: p.beta1, beta2: p.beta2, eps: p.eps,
      weight_decay: p.weightDecay, correction1: p.correction1, correction2: p.correction2)
  }
}

extension tsr_tsne_params {
  init(_ p: TSNEStep) {
    self.init(
      points: Int32(extent: p.points), first: 0, rows: 0, exaggeration: p.exaggeration,
      learning_rate: p.learningRate, momentum: p.momentum, min_gain: p.minGain)
  }
}
