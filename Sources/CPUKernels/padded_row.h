// Rows of an image with zeros around, columns split by their remainder by the stride, per instruction set.

// to[q] = from[q stride] for lo <= q < hi, zero elsewhere in 0 ..< count.
static inline void TSR_ISA(phase_row)(float *restrict to, int count, int lo, int hi, const float *from, int stride) {
  int q = lo;
  if (count >= TSR_VECTOR && lo <= TSR_VECTOR && count - hi <= TSR_VECTOR) {
    *(TSR_ISA(loose) *)to = 0.0f;
    *(TSR_ISA(loose) *)(to + count - TSR_VECTOR) = 0.0f;
  } else {
    for (int i = 0; i < lo; i++) to[i] = 0.0f;
    for (int i = hi; i < count; i++) to[i] = 0.0f;
  }
  // Strides that are known become shuffles.
  if (stride == 2)
    for (; q < hi; q++) to[q] = from[2 * q];
  else if (stride == 4)
    for (; q < hi; q++) to[q] = from[4 * q];
  else if (stride != 1)
    for (; q < hi; q++) to[q] = from[(int64_t)q * stride];
  for (; q + TSR_VECTOR <= hi; q += TSR_VECTOR) *(TSR_ISA(loose) *)(to + q) = *(const TSR_ISA(loose) *)(from + q);
  if (q < hi && hi - lo >= TSR_VECTOR)
    *(TSR_ISA(loose) *)(to + hi - TSR_VECTOR) = *(const TSR_ISA(loose) *)(from + hi - TSR_VECTOR);
  else
    for (; q < hi; q++) to[q] = from[q];
}

// Row h of a plane: place q of part `phase` is column q stride + phase - left, zero outside the plane.
static inline void TSR_ISA(padded_row)(float *to, int count, int stride, const float *plane, int h, int height, int width,
                                       int left) {
  const float *const line = plane + (int64_t)h * width;
  for (int phase = 0; phase < stride; phase++, to += count) {
    int lo = left > phase ? (left - phase + stride - 1) / stride : 0;
    const int end = width + left - phase;
    int hi = end > 0 ? (end - 1) / stride + 1 : 0;
    hi = hi > count ? count : hi;
    lo = lo > hi ? hi : lo;
    if (h < 0 || h >= height) lo = hi = count;
    TSR_ISA(phase_row)(to, count, lo, hi, line + phase - left, stride);
  }
}
