// SPDX-License-Identifier: Apache-2.0
internal import Kernels

extension tsr_gemm_params {
  /// The product of a convolution's direction: for every sample and group A (m, k) with the taps of
  /// `pixels` pixels.
  ///
  /// - Parameter source: elements of a sample's group of source images.
  init(_ p: tsr_conv_params, m: Int, k: Int, pixels: Int, source: Int) {
    var gemm = Matmul(m: m, n: pixels, k: k)
    gemm.batch = Int(p.batch) * Int(p.groups)
    gemm.a.batchStride = p.groups > 1 ? m * k : 0
    (gemm.b.batchStride, gemm.c.batchStride) = (source, m * pixels)
    self.init(tsr_matmul_params(gemm))
    groups = p.groups
  }

  /// One product of all images' columns where they share A: tiles then end at the last image's last column
  /// alone.
  mutating func mergeImages() {
    guard groups == 1, gemm.batch > 1, Int(gemm.batch) * Int(gemm.n) <= Int(Int32.max) else {
      return
    }
    (c_image, c_image_stride) = (gemm.n, gemm.c_batch_stride)
    gemm.n *= gemm.batch
    (gemm.batch, gemm.b_batch_stride, gemm.c_batch_stride) = (1, 0, 0)
  }
}

extension tsr_taps_params {
  /// The taps of a convolution's input for pixels of its output.
  init(forward p: tsr_conv_params) {
    self.init(
      channels: p.in_channels / p.groups, height: p.height, width: p.width, out_h: p.out_h,
      out_w: p.out_w,
      kernel_h: p.kernel_h, kernel_w: p.kernel_w, stride_h: p.stride_h, stride_w: p.stride_w,
      start_h: -p.pad_h,
      start_w: -p.pad_w, step_h: p.dilation_h, step_w: p.dilation_w)
  }

  /// The taps of the output's gradient for pixels of the input of a convolution with stride 1.
  init(gradientOf p: tsr_conv_params) {
    self.init(
      channels: p.out_channels / p.groups, height: p.out_h, width: p.out_w, out_h: p.height,
      out_w: p.width,
      kernel_h: p.kernel_h, kernel_w: p.kernel_w, stride_h: 1, stride_w: 1, start_h: p.pad_h,
      start_w: p.pad_w,
      step_h: -p.dilation_h, step_w: -p.dilation_w)
  }
}
