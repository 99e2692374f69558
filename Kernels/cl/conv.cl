// Convolutions as products with taps (product.h): no im2col matrix is written. Few channels a group: direct sums.
//
//   forward   A = w (co, K)           B = taps (K, out_h out_w)             K = (ci, kh, kw) ascending
//   grad x    A = w' (ci, K')         B = output gradients (K', h w)        K' = (co, kh, kw) ascending
//   grad w    A = dy (co, N)          B = taps (N, K)                       N = (sample of a group of 8, spot)
//
// Taps outside the image are +0 and take part in the sum (NUMERICS.md rule 4).

TSR_PRODUCT(tsr_conv, 0, TSR_B_TAPS)
TSR_PRODUCT(tsr_conv_grad_weight, 0, TSR_B_TAPS_ACROSS)

TSR_FN float tsr_tap(const tsr_conv_params c, __global const float *plane, int kh, int kw, int oh, int ow) {
  const int h = oh * c.stride_h - c.pad_h + kh * c.dilation_h, w = ow * c.stride_w - c.pad_w + kw * c.dilation_w;
  return h >= 0 && h < c.height && w >= 0 && w < c.width ? plane[h * c.width + w] : 0.0f;
}
// Of a stride of 1: the host splits others by phase.
TSR_FN float tsr_grad_tap(const tsr_conv_params c, __global const float *plane, int kh, int kw, int h, int w) {
  const int oh = h + c.pad_h - kh * c.dilation_h, ow = w + c.pad_w - kw * c.dilation_w;
  return oh >= 0 && ow >= 0 && oh < c.out_h && ow < c.out_w ? plane[oh * c.out_w + ow] : 0.0f;
}

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
