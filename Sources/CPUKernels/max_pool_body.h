// The rows of max_pool.c, per instruction set.
#include "vector.h"

// Elements 0, stride, 2 stride ... of a row; nothing beyond the last of them is read.
static inline TSR_ISA(vector) TSR_ISA(spread)(const float *from, int stride) {
  const TSR_ISA(vector) a = *(const TSR_ISA(loose) *)from;
  if (stride == 1) return a;
  const TSR_ISA(vector) b = *(const TSR_ISA(loose) *)(from + TSR_VECTOR - 1);
#if TSR_VECTOR == 16
  return __builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14, 17, 19, 21, 23, 25, 27, 29, 31);
#elif TSR_VECTOR == 8
  return __builtin_shufflevector(a, b, 0, 2, 4, 6, 9, 11, 13, 15);
#else
  return __builtin_shufflevector(a, b, 0, 2, 5, 7);
#endif
}

void TSR_ISA(tsr_max_pool)(const void *params, void *const *buffers, int64_t begin, int64_t end) {
  const tsr_pool_params p = *(const tsr_pool_params *)params;
  const float *const x = (const float *)buffers[0];
  float *const y = (float *)buffers[1];
  int *const indices = (int *)buffers[2];
  // Columns whose windows lie inside.
  int low = (p.pad_w + p.stride_w - 1) / p.stride_w, high = low;
  if (p.width + p.pad_w >= p.kernel_w) high = (p.width + p.pad_w - p.kernel_w) / p.stride_w + 1;
  if (high > p.out_w) high = p.out_w;
  if (high - low < TSR_VECTOR || p.stride_w > 2) low = high = 0;
  TSR_ISA(bits) step;
  for (int lane = 0; lane < TSR_VECTOR; lane++) step[lane] = lane * p.stride_w;
  for (int64_t i = begin; i < end; i++) {
    const float *const plane = x + i / p.out_h * p.height * p.width;
    float *const out = y + i * p.out_w;
    int *const places = indices + i * p.out_w;
    const int h0 = (int)(i % p.out_h) * p.stride_h - p.pad_h;
    const int first = h0 < 0 ? 0 : h0, last = h0 + p.kernel_h > p.height ? p.height : h0 + p.kernel_h;
    for (int j = 0; j < p.out_w; j++) {
      if (j == low && low < high) j = high;  // the vectors' part
      if (j == p.out_w) break;
      const int w0 = j * p.stride_w - p.pad_w;
      const int left = w0 < 0 ? 0 : w0, right = w0 + p.kernel_w > p.width ? p.width : w0 + p.kernel_w;
      int at = -1;
      float best = 0.0f;
      for (int h = first; h < last; h++)
        for (int w = left; w < right; w++) {
          const float v = plane[h * p.width + w];
          if (at < 0 || v > best || tsr_isnan(v)) best = v, at = h * p.width + w;
        }
      out[j] = tsr_canonical(best);
      places[j] = at;
    }
    for (int j = low; j < high; j += TSR_VECTOR) {
      if (j > high - TSR_VECTOR) j = high - TSR_VECTOR;  // the last one overlaps
      const int w0 = j * p.stride_w - p.pad_w;
      TSR_ISA(vector) best = TSR_ISA(spread)(plane + first * p.width + w0, p.stride_w);
      TSR_ISA(bits) at = step + (first * p.width + w0);
      for (int h = first; h < last; h++)
        for (int k = h == first; k < p.kernel_w; k++) {
          const int from = h * p.width + w0 + k;
          const TSR_ISA(vector) v = TSR_ISA(spread)(plane + from, p.stride_w);
          const TSR_ISA(bits) take = (TSR_ISA(bits))(v > best) | (TSR_ISA(bits))(v != v);
          best = (TSR_ISA(vector))((take & (TSR_ISA(bits))v) | (~take & (TSR_ISA(bits))best));
          at = (take & (step + from)) | (~take & at);
        }
      *(TSR_ISA(loose) *)(out + j) = TSR_ISA(canonicals)(best);
      __builtin_memcpy(places + j, &at, sizeof at);
    }
  }
}

// Input rows begin ..< end: windows in ascending order add their gradient where their maximum was, which is the order of the
// gather form for every element.
void TSR_ISA(tsr_max_pool_grad)(const void *params, void *const *buffers, int64_t begin, int64_t end) {
  const tsr_pool_params p = *(const tsr_pool_params *)params;
  const float *const dy = (const float *)buffers[0];
  const int *const indices = (const int *)buffers[1];
  float *const dx = (float *)buffers[2];
  for (int64_t i = begin; i < end;) {
    const int64_t plane = i / p.height;
    const int h0 = (int)(i % p.height), rows = p.height - h0 < end - i ? p.height - h0 : (int)(end - i);
    const int low = h0 * p.width, high = low + rows * p.width;
    float *const out = dx + plane * p.height * p.width;
    for (int at = low; at < high; at++) out[at] = 0.0f;
    // Windows that reach these rows.
    const int first = h0 + p.pad_h < p.kernel_h ? 0 : (h0 + p.pad_h - p.kernel_h) / p.stride_h + 1;
    int last = (h0 + rows - 1 + p.pad_h) / p.stride_h;
    last = last > p.out_h - 1 ? p.out_h - 1 : last;
    const int64_t stop = (plane * p.out_h + last + 1) * p.out_w;
    for (int64_t o = (plane * p.out_h + first) * p.out_w; o < stop; o++) {
      const int at = indices[o];
      if (at >= low && at < high) out[at] = tsr_add(out[at], dy[o]);
    }
    for (int at = low; at < high; at++) out[at] = tsr_canonical(out[at]);
    i += rows;
  }
}
