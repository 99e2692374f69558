// SPDX-License-Identifier: Apache-2.0
// One task of direct_weight.c, per instruction set.
#include "vector.h"

#include "interleave.h"

// Adds `count` spots from `first` on to the chains of `outputs` x `taps` (or starts them): registers, read and written once.
static inline __attribute__((always_inline)) void TSR_ISA(weight_chains)(const int outputs, const int taps,
                                                                         const tsr_conv_params *c, int pitch, int first,
                                                                         int count, const float *x, const int *shift,
                                                                         const float *dy, float *sums, int depth, int fresh) {
  TSR_ISA(vector) acc[4][9];
#define TSR_EACH_CHAIN(...)                                              \
  _Pragma("clang loop unroll(full)") for (int m = 0; m < outputs; m++)   \
  _Pragma("clang loop unroll(full)") for (int t = 0; t < taps; t++) {    \
    TSR_ISA(loose) *const at = (TSR_ISA(loose) *)(sums + (m * depth + t) * TSR_VECTOR); \
    __VA_ARGS__;                                                         \
  }
  TSR_EACH_CHAIN(acc[m][t] = *at)
  if (fresh) TSR_EACH_CHAIN((void)at; acc[m][t] = 0.0f)
  int oh = first / c->out_w, ow = first % c->out_w;
  const int64_t step = (int64_t)c->stride_w * TSR_VECTOR;
  while (count > 0) {
    const int run = c->out_w - ow < count ? c->out_w - ow : count;
    const float *from = x + ((int64_t)oh * c->stride_h * pitch + (int64_t)ow * c->stride_w) * TSR_VECTOR;
    for (int q = 0; q < run; q++, from += step, dy += TSR_VECTOR) {
      _Pragma("clang loop unroll(full)") for (int t = 0; t < taps; t++) {
        const TSR_ISA(vector) v = *(const TSR_ISA(loose) *)(from + shift[t]);
        _Pragma("clang loop unroll(full)") for (int m = 0; m < outputs; m++) acc[m][t] = __builtin_elementwise_fma(
            *(const TSR_ISA(loose) *)(dy + m * TSR_K_CHUNK * TSR_VECTOR), v, acc[m][t]);
      }
    }
    count -= run;
    ow = 0;
    oh++;
  }
  TSR_EACH_CHAIN(*at = acc[m][t])
#undef TSR_EACH_CHAIN
}

static void TSR_ISA(direct_weight)(const tsr_direct_weight_plan *p, const tsr_weight_shape *shape, int batch_group, int block,
                                   float *scratch) {
  const tsr_conv_params *c = &p->conv;
  const tsr_weight_shape s = *shape;
  const int channel = block * TSR_VECTOR;
  const int lanes = c->groups - channel < TSR_VECTOR ? c->groups - channel : TSR_VECTOR;
  float *const planes = scratch, *const dy = planes + (int64_t)s.inputs * s.rows * s.pitch * TSR_VECTOR;
  float *const chains = dy + (int64_t)s.outputs * TSR_K_CHUNK * TSR_VECTOR;
  const int64_t elements = (int64_t)s.outputs * s.depth * TSR_VECTOR;
  float *const sums = chains + elements;
  int shift[TSR_K_CHUNK];
  for (int t = 0; t < s.taps; t++)
    shift[t] = (t / c->kernel_w * c->dilation_h * s.pitch + t % c->kernel_w * c->dilation_w) * TSR_VECTOR;

  const int64_t image = (int64_t)c->height * c->width;
  const int first = batch_group * TSR_BATCH_GROUP;
  const int last = c->batch - first < TSR_BATCH_GROUP ? c->batch : first + TSR_BATCH_GROUP;
  const float *lines[TSR_VECTOR];
  int at = 0, chunks = 0;
  for (int n = first; n < last; n++) {
    const int columns = s.pitch - c->pad_w < c->width ? s.pitch - c->pad_w : c->width;
    for (int i = 0; i < s.inputs; i++)
      for (int h = 0; h < c->height && h + c->pad_h < s.rows && columns > 0; h++) {
        for (int l = 0; l < lanes; l++)
          lines[l] = p->x + ((int64_t)n * c->in_channels + (channel + l) * s.inputs + i) * image + (int64_t)h * c->width;
        TSR_ISA(interleave)(planes + (((int64_t)i * s.rows + h + c->pad_h) * s.pitch + c->pad_w) * TSR_VECTOR, TSR_VECTOR,
                            lines, lanes, columns);
      }
    for (int spot = 0; spot < s.spots;) {
      const int count = s.spots - spot < TSR_K_CHUNK - at ? s.spots - spot : TSR_K_CHUNK - at;
      for (int m = 0; m < s.outputs; m++) {
        for (int l = 0; l < lanes; l++)
          lines[l] = p->dy + ((int64_t)n * c->out_channels + (channel + l) * s.outputs + m) * s.spots + spot;
        TSR_ISA(interleave)(dy + (int64_t)m * TSR_K_CHUNK * TSR_VECTOR, TSR_VECTOR, lines, lanes, count);
      }
      for (int i = 0; i < s.inputs; i++) {
        const float *x = planes + (int64_t)i * s.rows * s.pitch * TSR_VECTOR;
#define TSR_STEP(high, wide)                                                                                            \
  for (; t + wide <= s.taps; t += wide)                                                                               \
    TSR_ISA(weight_chains)(high, wide, c, s.pitch, spot, count, x, shift + t, dy + (int64_t)m * TSR_K_CHUNK * TSR_VECTOR, \
                           chains + ((int64_t)m * s.depth + i * s.taps + t) * TSR_VECTOR, s.depth, at == 0);
        int m = 0;
        for (; m + 4 <= s.outputs; m += 4) {
          int t = 0;
          TSR_STEP(4, 3) TSR_STEP(4, 1)
        }
        for (; m < s.outputs; m++) {
          int t = 0;
          TSR_STEP(1, 9) TSR_STEP(1, 4) TSR_STEP(1, 1)
        }
#undef TSR_STEP
      }
      spot += count;
      at += count;
      if (at < TSR_K_CHUNK && (spot < s.spots || n + 1 < last)) continue;
      for (int64_t e = 0; e < elements; e++) sums[e] = chunks ? sums[e] + chains[e] : chains[e];
      chunks++;
      at = 0;
    }
  }
  float *out = p->partial + ((int64_t)batch_group * c->out_channels + channel * s.outputs) * s.depth;
  const int made = s.outputs * s.depth;
  for (int l = 0; l < lanes; l++)
    for (int e = 0; e < made; e++) out[(int64_t)l * made + e] = sums[(int64_t)e * TSR_VECTOR + l];
}
