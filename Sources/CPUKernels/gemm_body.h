// The register tile and the loops around it, per instruction set; see gemm.c.
#include "gemm_pack.h"

typedef float TSR_ISA(vector) __attribute__((ext_vector_type(TSR_VECTOR)));
typedef float TSR_ISA(loose) __attribute__((ext_vector_type(TSR_VECTOR), aligned(4)));

// tile[r][0..<NR] = sum over k of a[k][r] b[k][:], one fma chain from +0 in ascending k.
static inline __attribute__((always_inline)) void TSR_ISA(micro)(const int rows, const int distance, int kc,
                                                                 const float *restrict a, const float *restrict b,
                                                                 float *restrict tile) {
  TSR_ISA(vector) acc[TSR_MR][2];
  _Pragma("clang loop unroll(full)") for (int r = 0; r < rows; r++) acc[r][0] = acc[r][1] = 0.0f;
  for (int k = 0; k < kc; k++, a += TSR_MR, b += TSR_NR) {
    const TSR_ISA(vector) b0 = *(const TSR_ISA(loose) *)b, b1 = *(const TSR_ISA(loose) *)(b + TSR_VECTOR);
    _Pragma("clang loop unroll(full)") for (int r = 0; r < rows; r++) {
      const TSR_ISA(vector) v = a[r];
      if (distance) {
        const TSR_ISA(vector) d0 = v - b0, d1 = v - b1;
        acc[r][0] = __builtin_elementwise_fma(d0, d0, acc[r][0]);
        acc[r][1] = __builtin_elementwise_fma(d1, d1, acc[r][1]);
      } else {
        acc[r][0] = __builtin_elementwise_fma(v, b0, acc[r][0]);
        acc[r][1] = __builtin_elementwise_fma(v, b1, acc[r][1]);
      }
    }
  }
  _Pragma("clang loop unroll(full)") for (int r = 0; r < rows; r++) {
    *(TSR_ISA(loose) *)(tile + r * TSR_NR) = acc[r][0];
    *(TSR_ISA(loose) *)(tile + r * TSR_NR + TSR_VECTOR) = acc[r][1];
  }
}

// Whole tiles and short ones: a few fixed heights, so that the accumulators stay in registers.
static void TSR_ISA(micro_rows)(int rows, int distance, int kc, const float *a, const float *b, float *tile) {
  if (distance) return TSR_ISA(micro)(TSR_MR, 1, kc, a, b, tile);
  if (rows <= 1) return TSR_ISA(micro)(1, 0, kc, a, b, tile);
  if (rows <= 2) return TSR_ISA(micro)(2, 0, kc, a, b, tile);
  if (rows <= 4) return TSR_ISA(micro)(4, 0, kc, a, b, tile);
#if TSR_MR > 8
  if (rows <= 8) return TSR_ISA(micro)(8, 0, kc, a, b, tile);
  if (rows <= 10) return TSR_ISA(micro)(10, 0, kc, a, b, tile);
  if (rows <= 12) return TSR_ISA(micro)(12, 0, kc, a, b, tile);
#endif
  TSR_ISA(micro)(TSR_MR, 0, kc, a, b, tile);
}

// c = tile or c + tile; after the last sum bias, activation and the one NaN.
static void TSR_ISA(merge)(const tsr_gemm_plan *p, const float *bias, float *restrict c, int64_t c_row,
                           const float *restrict tile, int64_t tile_row, int rows, int columns, int row, int column,
                           int add, int last) {
  for (int r = 0; r < rows; r++, c += c_row, tile += tile_row) {
    if (add)
      for (int j = 0; j < columns; j++) c[j] = c[j] + tile[j];
    else
      for (int j = 0; j < columns; j++) c[j] = tile[j];
    if (!last) continue;
    if (p->bias_kind == TSR_BIAS_ROW) {
      const float v = bias[row + r];
      for (int j = 0; j < columns; j++) c[j] = c[j] + v;
    } else if (p->bias_kind == TSR_BIAS_COLUMN) {
      const float *v = bias + column;
      for (int j = 0; j < columns; j++) c[j] = c[j] + v[j];
    }
    switch (p->activation) {
      case TSR_ACT_RELU:
        for (int j = 0; j < columns; j++) c[j] = tsr_canonical(tsr_relu(c[j]));
        break;
      case TSR_ACT_RELU6:
        for (int j = 0; j < columns; j++) c[j] = tsr_canonical(tsr_relu6(c[j]));
        break;
      case TSR_ACT_GELU:
        for (int j = 0; j < columns; j++) c[j] = tsr_canonical(tsr_gelu(c[j]));
        break;
      case TSR_ACT_TANH:
        for (int j = 0; j < columns; j++) c[j] = tsr_canonical(tsr_tanh(c[j]));
        break;
      default:
        for (int j = 0; j < columns; j++) c[j] = tsr_canonical(c[j]);
    }
  }
}

static void TSR_ISA(pack_panels)(const tsr_gemm_plan *p, const float *a, float *packed, int begin, int end) {
  const int64_t padded = (p->m + TSR_MR - 1) / TSR_MR * TSR_MR;
  for (int g = 0; g < p->k; g += p->group_k) {
    const int stop = p->k - g < p->group_k ? p->k : g + p->group_k;
    for (int k = g; k < stop; k += p->chunk) {
      const int kc = stop - k < p->chunk ? stop - k : p->chunk;
      for (int panel = begin; panel < end; panel++)
        TSR_ISA(pack_a_panel)(p, a, panel * TSR_MR, k, kc, packed + k * padded + (int64_t)panel * TSR_MR * kc);
    }
  }
}

// One block of columns of one product.
static void TSR_ISA(block)(const tsr_gemm_plan *p, int product, int j0, float *scratch) {
  const int outer = product / p->inner, inner = product % p->inner;
  const float *a = p->a + outer * p->a_outer + inner * p->a_inner;
  const float *b = p->b + outer * p->b_outer + inner * p->b_inner;
  const float *bias = p->bias ? p->bias + inner * p->bias_inner : 0;
  float *c = p->c + outer * p->c_outer + inner * p->c_inner + j0;
  const int nc = p->n - j0 < p->nc ? p->n - j0 : p->nc;
  const int m = p->upper && j0 + nc < p->m ? j0 + nc : p->m;
  const int64_t padded = (p->m + TSR_MR - 1) / TSR_MR * TSR_MR;
  const int width = (p->nc + TSR_NR - 1) / TSR_NR * TSR_NR;
  float *packed_b = scratch;
  float *line = packed_b + (int64_t)p->chunk * width;
  float *tile = line + (int64_t)TSR_NR * p->chunk + width;
  float *group_sum = tile + TSR_MR * TSR_NR;
  const int groups = p->group_k < p->k;
  float *own = group_sum + (groups ? (int64_t)p->m * width : 0);
  if (!p->packed_a) TSR_ISA(pack_panels)(p, a, own, 0, (int)(padded / TSR_MR));
  const float *packed_a = p->packed_a ? p->packed_a + inner * padded * p->k : own;
  if (p->k == 0) {
    for (int j = 0; j < TSR_MR * TSR_NR; j++) tile[j] = 0.0f;
    for (int i = 0; i < m; i += TSR_MR)
      for (int j = 0; j < nc; j += TSR_NR)
        TSR_ISA(merge)(p, bias, c + i * p->c_row + j, p->c_row, tile, TSR_NR, m - i < TSR_MR ? m - i : TSR_MR,
                       nc - j < TSR_NR ? nc - j : TSR_NR, i, j0 + j, p->accumulate, 1);
    return;
  }
  for (int g = 0; g < p->k; g += p->group_k) {
    const int stop = p->k - g < p->group_k ? p->k : g + p->group_k;
    float *target = groups ? group_sum : c;
    const int64_t target_row = groups ? width : p->c_row;
    for (int k = g; k < stop; k += p->chunk) {
      const int kc = stop - k < p->chunk ? stop - k : p->chunk;
      TSR_ISA(pack_b)(p, b, k, kc, j0, nc, packed_b, line);
      for (int i = 0; i < m; i += TSR_MR) {
        const int rows = m - i < TSR_MR ? m - i : TSR_MR;
        for (int j = 0; j < nc; j += TSR_NR) {
          TSR_ISA(micro_rows)(rows, p->distance, kc, packed_a + k * padded + (int64_t)i * kc,
                              packed_b + (int64_t)j * kc, tile);
          TSR_ISA(merge)(p, bias, target + i * target_row + j, target_row, tile, TSR_NR, rows,
                         nc - j < TSR_NR ? nc - j : TSR_NR, i, j0 + j, k > g || (!groups && p->accumulate),
                         !groups && k + kc == stop);
        }
      }
    }
    if (groups)
      TSR_ISA(merge)(p, bias, c, p->c_row, group_sum, width, m, nc, 0, j0, g > 0 || p->accumulate, stop == p->k);
  }
}
