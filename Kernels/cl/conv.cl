// What turns convolutions into matrix products on OpenCL devices: im2col matrices for a slice of the batch,
// permuted operands, and direct sums for grouped convolutions (depthwise ones have nothing to reuse).
//
//   forward   A = w (co, K)           B = taps (K, out_h out_w)             K = (ci, kh, kw) ascending
//   grad x    A = w' (ci, K')         B = output gradients (K', h w)        K' = (co, kh, kw) ascending
//   grad w    A = dy (co, N)          B = taps (N, K)                       N = (sample of a group of 8, spot)
//
// Taps outside the image are +0 and take part in the sum (NUMERICS.md rule 4).

TSR_FN float tsr_tap(const tsr_conv_params c, __global const float *plane, int kh, int kw, int oh, int ow) {
  const int h = oh * c.stride_h - c.pad_h + kh * c.dilation_h, w = ow * c.stride_w - c.pad_w + kw * c.dilation_w;
  return h >= 0 && h < c.height && w >= 0 && w < c.width ? plane[h * c.width + w] : 0.0f;
}
// Of a stride of 1: the host splits others by phase.
TSR_FN float tsr_grad_tap(const tsr_conv_params c, __global const float *plane, int kh, int kw, int h, int w) {
  const int oh = h + c.pad_h - kh * c.dilation_h, ow = w + c.pad_w - kw * c.dilation_w;
  return oh >= 0 && ow >= 0 && oh < c.out_h && ow < c.out_w ? plane[oh * c.out_w + ow] : 0.0f;
}

// y (samples, K, spots): one row per (sample, k).
TSR_ROWS2(tsr_im2col, tsr_im2col_params, p.samples * (p.conv.in_channels / p.conv.groups * p.conv.kernel_h * p.conv.kernel_w),
          const float, x, float, y)
  const tsr_conv_params c = p.conv;
  const int channels = c.in_channels / c.groups, taps = c.kernel_h * c.kernel_w, depth = channels * taps;
  const int sample = (int)(i / depth), k = (int)(i % depth), spots = c.out_h * c.out_w, tap = k % taps;
  __global const float *plane =
      x + ((long)(p.first + sample) * c.in_channels + p.group * channels + k / taps) * c.height * c.width;
  TSR_EACH_COLUMN(spots, y[i * spots + j] = tsr_tap(c, plane, tap / c.kernel_w, tap % c.kernel_w, (int)j / c.out_w,
                                                    (int)j % c.out_w);)
TSR_END

// y (samples, K', h w): one row per (sample, k').
TSR_ROWS2(tsr_im2col_grad, tsr_im2col_params,
          p.samples * (p.conv.out_channels / p.conv.groups * p.conv.kernel_h * p.conv.kernel_w), const float, dy, float, y)
  const tsr_conv_params c = p.conv;
  const int channels = c.out_channels / c.groups, taps = c.kernel_h * c.kernel_w, depth = channels * taps;
  const int sample = (int)(i / depth), k = (int)(i % depth), spots = c.height * c.width, tap = k % taps;
  __global const float *plane =
      dy + ((long)(p.first + sample) * c.out_channels + p.group * channels + k / taps) * c.out_h * c.out_w;
  TSR_EACH_COLUMN(spots, y[i * spots + j] = tsr_grad_tap(c, plane, tap / c.kernel_w, tap % c.kernel_w,
                                                         (int)j / c.width, (int)j % c.width);)
TSR_END

// y (samples spots, K): one row per (sample, spot).
TSR_ROWS2(tsr_im2row, tsr_im2col_params, p.samples * p.conv.out_h * p.conv.out_w, const float, x, float, y)
  const tsr_conv_params c = p.conv;
  const int channels = c.in_channels / c.groups, taps = c.kernel_h * c.kernel_w, depth = channels * taps;
  const int spots = c.out_h * c.out_w, sample = (int)(i / spots), spot = (int)(i % spots);
  const int oh = spot / c.out_w, ow = spot % c.out_w;
  __global const float *image =
      x + ((long)(p.first + sample) * c.in_channels + p.group * channels) * c.height * c.width;
  TSR_EACH_COLUMN(depth, const int tap = (int)j % taps;
                  y[i * depth + j] = tsr_tap(c, image + (long)((int)j / taps) * c.height * c.width, tap / c.kernel_w,
                                             tap % c.kernel_w, oh, ow);)
TSR_END

// y (co of the group, samples spots) from dy (batch, co, spots): one row per (co, sample).
TSR_ROWS2(tsr_gather_channels, tsr_im2col_params, p.samples * (p.conv.out_channels / p.conv.groups), const float, dy,
          float, y)
  const tsr_conv_params c = p.conv;
  const int channels = c.out_channels / c.groups, spots = c.out_h * c.out_w;
  const int channel = (int)(i / p.samples), sample = (int)(i % p.samples);
  __global const float *from =
      dy + ((long)(p.first + sample) * c.out_channels + p.group * channels + channel) * spots;
  TSR_EACH_COLUMN(spots, y[((long)channel * p.samples + sample) * spots + j] = from[j];)
TSR_END

// y (ci, co, taps) of one group from w (co, ci, taps): one row per (ci, co).
TSR_ROWS2(tsr_swap_weights, tsr_im2col_params,
          (p.conv.in_channels / p.conv.groups) * (p.conv.out_channels / p.conv.groups), const float, w, float, y)
  const tsr_conv_params c = p.conv;
  const int ins = c.in_channels / c.groups, outs = c.out_channels / c.groups, taps = c.kernel_h * c.kernel_w;
  const int ci = (int)(i / outs), co = (int)(i % outs);
  __global const float *from = w + ((long)(p.group * outs + co) * ins + ci) * taps;
  TSR_EACH_COLUMN(taps, y[i * taps + j] = from[j];)
TSR_END

// Grouped convolution, one row of outputs (n, co, oh) per item. bias may be w itself when there is none.
TSR_ROWS4(tsr_conv_grouped, tsr_conv_params, p.batch * p.out_channels * p.out_h, const float, x, const float, w,
          const float, bias, float, y)
  const int oh = (int)(i % p.out_h), co = (int)(i / p.out_h % p.out_channels);
  const long sample = i / p.out_h / p.out_channels;
  const int ins = p.in_channels / p.groups, group = co / (p.out_channels / p.groups);
  const int taps = p.kernel_h * p.kernel_w;
  __global const float *image = x + (sample * p.in_channels + group * ins) * p.height * p.width;
  __global const float *weights = w + (long)co * ins * taps;
  TSR_EACH_COLUMN(p.out_w, float total = 0.0f; float acc = 0.0f;
                  for (int k = 0; k < ins * taps; k++) {
                    const float v = tsr_tap(p, image + (long)(k / taps) * p.height * p.width,
                                            k % taps / p.kernel_w, k % taps % p.kernel_w, oh, (int)j);
                    acc = tsr_fma(weights[k], v, acc);
                    if (k % TSR_K_CHUNK == TSR_K_CHUNK - 1 || k == ins * taps - 1) {
                      total = k < TSR_K_CHUNK ? acc : total + acc;
                      acc = 0.0f;
                    }
                  }
                  if (p.bias) total = total + bias[co];
                  y[i * p.out_w + j] = tsr_canonical(tsr_activate(total, p.activation));)
TSR_END

// Its gradient for the input, one row of inputs (n, ci, h) per item.
TSR_ROWS3(tsr_conv_grouped_grad, tsr_conv_params, p.batch * p.in_channels * p.height, const float, dy, const float, w,
          float, dx)
  const int h = (int)(i % p.height), channel = (int)(i / p.height % p.in_channels);
  const long sample = i / p.height / p.in_channels;
  const int ins = p.in_channels / p.groups, outs = p.out_channels / p.groups;
  const int group = channel / ins, ci = channel % ins, taps = p.kernel_h * p.kernel_w;
  __global const float *image = dy + (sample * p.out_channels + group * outs) * p.out_h * p.out_w;
  TSR_EACH_COLUMN(p.width, float total = 0.0f; float acc = 0.0f;
                  for (int k = 0; k < outs * taps; k++) {
                    const int co = k / taps; const int tap = k % taps;
                    const float v = tsr_grad_tap(p, image + (long)co * p.out_h * p.out_w, tap / p.kernel_w,
                                                 tap % p.kernel_w, h, (int)j);
                    acc = tsr_fma(w[((long)(group * outs + co) * ins + ci) * taps + tap], v, acc);
                    if (k % TSR_K_CHUNK == TSR_K_CHUNK - 1 || k == outs * taps - 1) {
                      total = k < TSR_K_CHUNK ? acc : total + acc;
                      acc = 0.0f;
                    }
                  }
                  dx[i * p.width + j] = tsr_canonical(total);)
TSR_END

// y (batch, k, n) = B by its strides: makes columns contiguous for the CPU-device product.
TSR_ROWS2(tsr_gather_matrix, tsr_matmul_params, p.batch * p.k, const float, b, float, y)
  const long batch = i / p.k, row = i % p.k;
  __global const float *from = b + p.b_offset + batch * p.b_batch_stride + row * p.b_row_stride;
  TSR_EACH_COLUMN(p.n, y[i * p.n + j] = from[(long)j * p.b_col_stride];)
TSR_END
