// Layer norm and batch norm (normalization.cl) on a CPU device, sixteen lanes at a time.
//
//   row, or a sample's plane:   [0 ... 15][16 ... 31][32 ... 47][48 ... 63][64 ... 79] ...
//   lanes:                          a          b          c          d          a
#if defined __OPENCL_VERSION__ && !defined TSR_WIDE

// The lanes of a row's sums: + x, and + (x - mean)^2, of n elements. Beyond the end +0 is added, which changes none: no sum is -0.
typedef struct { float16 a, b, c, d; } tsr_lanes;
TSR_FN float tsr_tree_of(tsr_lanes s) { return tsr_tree(s.a, s.b, s.c, s.d); }
TSR_FN tsr_lanes tsr_lanes_plus(tsr_lanes s, __global const float *x, int n) {
  int j = 0;
#define TSR_PLUS_SOME(s, at) if (j + at < n) s = fma(tsr_some_of(x + j + at, n - j - at), (float16)(1.0f), s);  // tsr_add of each
  for (; j < n; j += TSR_LANES) { TSR_PLUS_SOME(s.a, 0) TSR_PLUS_SOME(s.b, 16) TSR_PLUS_SOME(s.c, 32) TSR_PLUS_SOME(s.d, 48) }
  return s;
}
TSR_FN tsr_lanes tsr_lanes_squares(tsr_lanes s, __global const float *x, int n, float mean) {
  int j = 0;
#define TSR_PLUS_SQUARE(s, at)                                                                                            \
  if (j + at < n) {                                                                                                       \
    float16 v = tsr_some_of(x + j + at, n - j - at) - mean;                                                               \
    if (n - j - at < 16) v = select((float16)(0.0f), v, TSR_ALL_LANES < n - j - at);                                      \
    s = fma(v, v, s);                                                                                                     \
  }
  for (; j < n; j += TSR_LANES) { TSR_PLUS_SQUARE(s.a, 0) TSR_PLUS_SQUARE(s.b, 16) TSR_PLUS_SQUARE(s.c, 32) TSR_PLUS_SQUARE(s.d, 48) }
  return s;
}

// Layer norm of a row (normalization.cl): its mean and 1 / its standard deviation.
typedef struct { float mean, rstd; } tsr_moments;
TSR_FN tsr_moments tsr_layer_norm_row(__global const float *x, __global const float *gamma, __global const float *beta, __global float *y,
                                      int n, float eps) {
  const tsr_lanes none = {0.0f, 0.0f, 0.0f, 0.0f};
  const float mean = tsr_div(tsr_tree_of(tsr_lanes_plus(none, x, n)), (float)n);
  const float scale = tsr_rsqrt(tsr_div(tsr_tree_of(tsr_lanes_squares(none, x, n, mean)), (float)n) + eps);
  for (int j = 0; j < n; j += 16) {
    const float16 v = (tsr_some_of(x + j, n - j) - mean) * scale;
    tsr_leave_some(tsr_canonical_each(fma(v, tsr_some_of(gamma + j, n - j), tsr_some_of(beta + j, n - j))), y + j, n - j);
  }
  const tsr_moments moments = {mean, scale};
  return moments;
}

// A channel's sum over groups of samples, of x or, with `squares`, of (x - mean)^2.
TSR_FN float tsr_samples_sum(__global const float *x, int outer, long stride, int inner, const int squares, float mean) {
  float total = 0.0f;
  for (int group = 0; group < outer; group += TSR_BATCH_GROUP) {
    tsr_lanes s = {0.0f, 0.0f, 0.0f, 0.0f};
    for (int n = group; n < group + TSR_BATCH_GROUP && n < outer; n++)
      s = squares ? tsr_lanes_squares(s, x + n * stride, inner, mean) : tsr_lanes_plus(s, x + n * stride, inner);
    total = tsr_add(total, tsr_tree_of(s));
  }
  return total;
}
#endif
