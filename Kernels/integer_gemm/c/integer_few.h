// SPDX-License-Identifier: Apache-2.0
// Products of matrices whose k is in groups of few terms, each an exact integer sum: gradients for weights.
//
// Algorithm  Sums of so few products of digits are integers below 2^53, which float64 holds: T = sum of d0 q'
//            + d1 w' + d2 d0' with q' the whole of B's number and w' = 256 d0' + d1' (of two digits q q'),
//            fused or not, is exact. A group's results are added to those of the groups before it in a
//            register.
// Tensors    A (m, k), B (k, n) by strides, C (m, n). left: (k, part, row), right: (k, part, column).
// Work       A thread takes blocks of TSR_FEW_HIGH x TSR_FEW_WIDE results.
// Tuning     TSR_FEW_ROWS: rows of the register tile, of one vector of columns.
//
//   group 0: T -> result   group 1: T -> result + ...   ->  C, stored once
//
// Rules      6, 9, 13.
#pragma once

#include "integer_gemm/c/integer_image.h"

enum { TSR_FEW_ROWS = 4, TSR_FEW_HIGH = 64, TSR_FEW_WIDE = 256, TSR_FEW_LANES = TSR_VECTOR / 2 };
typedef double doubles __attribute__((ext_vector_type(TSR_VECTOR / 2), aligned(8)));
typedef float half_vector __attribute__((ext_vector_type(TSR_VECTOR / 2), aligned(4)));

static int tsr_integer_few_stride(int lines) { return (int)tile_padded(lines, TSR_VECTOR); }

// Lines of an operand in groups: scales, then the parts of each term.
typedef struct {
  const float *from;
  int64_t line_stride, k_stride;
  int lines, k, group, digits, is_b;
  double *to;
  int *scales;
} few_lines;

static void few_pack(const few_lines *o, int begin, int end) {
  const int stride = tsr_integer_few_stride(o->lines), parts = o->digits == 3 ? 3 : 1;
  for (int first = 0; first < o->k; first += o->group) {
    const int last = first + o->group < o->k ? first + o->group : o->k;
    int *const scales = o->scales + (int64_t)(first / o->group) * stride;
    for (int i = begin; i < end; i++) scales[i] = 0;
    for (int k = first; k < last; k++)
      for (int i = begin; i < end; i++) {
        const int m = (int)tsr_magnitude_bits(o->from[i * o->line_stride + k * o->k_stride]);
        scales[i] = scales[i] > m ? scales[i] : m;
      }
    for (int i = begin; i < end; i++) scales[i] = tsr_digit_scale((tsr_u32)scales[i], o->digits);
    for (int k = first; k < last; k++) {
      double *const to = o->to + (int64_t)k * parts * stride;
      for (int i = begin; i < end; i++) {
        const float x = o->from[i * o->line_stride + k * o->k_stride];
        const unsigned u = integer_digits_of(x * tsr_scale_factor(scales[i]), o->digits);
        const int q = (int)u - tsr_digit_offset(o->digits), d0 = (int)(u >> 16) - 128;
        to[i] = o->digits == 2 || o->is_b ? q : d0;
        if (o->digits == 2) continue;
        to[stride + i] = o->is_b ? (int)(u >> 8) - 0x8080 : (int)(u >> 8 & 255u) - 128;
        to[2 * stride + i] = o->is_b ? d0 : (int)(u & 255u) - 128;
      }
    }
  }
}
static void tsr_integer_few_left(const tsr_integer_few_plan *p, int begin, int end) {
  const few_lines lines = {p->a, p->a_row_stride, p->a_col_stride, p->m, p->k, p->group, p->digits,
                           0,    p->left,         p->a_scales};
  few_pack(&lines, begin, end);
}
static void tsr_integer_few_right(const tsr_integer_few_plan *p, int begin, int end) {
  const few_lines lines = {p->b, p->b_col_stride, p->b_row_stride, p->n, p->k, p->group, p->digits,
                           1,    p->right,        p->b_scales};
  few_pack(&lines, begin, end);
}

static inline __attribute__((always_inline)) doubles few_fma(double x, doubles y, doubles sum) {
#if TSR_VECTOR == 4 && !defined(__aarch64__)
  return sum + x * y;  // exact either way, and no instruction for the fused one
#else
  return __builtin_elementwise_fma((doubles)x, y, sum);
#endif
}

// The results of a vector of sums.
static inline __attribute__((always_inline)) vector few_result(doubles low, doubles high, int a, int_vector b,
                                                               int digits) {
  const half_vector x = __builtin_convertvector(low, half_vector),
                    y = __builtin_convertvector(high, half_vector);
#if TSR_VECTOR == 16
  const vector sums = __builtin_shufflevector(x, y, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
#elif TSR_VECTOR == 8
  const vector sums = __builtin_shufflevector(x, y, 0, 1, 2, 3, 4, 5, 6, 7);
#else
  const vector sums = __builtin_shufflevector(x, y, 0, 1, 2, 3);
#endif
  const int_vector e = (digits == 3 ? 16 : 0) - a - b, h = e >> 1;
  const vector once = (vector)((127 + h) << 23), twice = (vector)((127 + e - h) << 23);
  const int_vector none = (b == TSR_SCALE_NONE) | (int_vector)(a == TSR_SCALE_NONE ? -1 : 0);
  const int_vector bits = (int_vector)(sums * once * twice);
  return (vector)((bits & ~none) | (none & (int)TSR_NAN_BITS));
}

// Rows row ... of the register tile and a vector of columns from `column` on.
static inline __attribute__((always_inline)) void few_tile(const int parts, const tsr_integer_few_plan *p,
                                                           int row, int column) {
  const int64_t high = tsr_integer_few_stride(p->m), wide = tsr_integer_few_stride(p->n);
  const int rows = p->m - row < TSR_FEW_ROWS ? p->m - row : TSR_FEW_ROWS;
  const int columns = p->n - column < TSR_VECTOR ? p->n - column : TSR_VECTOR;
  float *const c = p->c + row * p->c_row_stride + column;
  vector total[TSR_FEW_ROWS];
  for (int r = 0; r < TSR_FEW_ROWS; r++)
    total[r] = p->accumulate && r < rows ? load_part(c + r * p->c_row_stride, columns) : (vector)0.0f;
  for (int first = 0, g = 0; first < p->k; first += p->group, g++) {
    const int last = first + p->group < p->k ? first + p->group : p->k;
    doubles low[TSR_FEW_ROWS], upper[TSR_FEW_ROWS];
    TSR_UNROLL for (int r = 0; r < TSR_FEW_ROWS; r++) low[r] = upper[r] = (doubles)0.0;
    for (int k = first; k < last; k++) TSR_UNROLL for (int part = 0; part < parts; part++) {
        const double *const x = p->left + (int64_t)(k * parts + part) * high + row;
        const double *const from = p->right + (int64_t)(k * parts + part) * wide + column;
        const doubles y = *(const doubles *)from, z = *(const doubles *)(from + TSR_FEW_LANES);
        TSR_UNROLL for (int r = 0; r < TSR_FEW_ROWS; r++) {
          low[r] = few_fma(x[r], y, low[r]);
          upper[r] = few_fma(x[r], z, upper[r]);
        }
      }
    typedef int unaligned_ints __attribute__((ext_vector_type(TSR_VECTOR), aligned(4)));
    const int_vector b = *(const unaligned_ints *)(p->b_scales + g * wide + column);
    TSR_UNROLL for (int r = 0; r < TSR_FEW_ROWS; r++) total[r] +=
        few_result(low[r], upper[r], p->a_scales[g * high + row + r], b, p->digits);
  }
  for (int r = 0; r < rows; r++) store_part(c + r * p->c_row_stride, canonicals(total[r]), columns);
}

static void tsr_integer_few_work(const tsr_integer_few_plan *p, tsr_worker worker, float *scratch) {
  (void)scratch;
  const int64_t down = (p->m + TSR_FEW_HIGH - 1) / TSR_FEW_HIGH,
                across = (p->n + TSR_FEW_WIDE - 1) / TSR_FEW_WIDE;
  for (int64_t task; (task = tsr_next_task(&worker, down * across)) >= 0;) {
    const int row = (int)(task % down) * TSR_FEW_HIGH, column = (int)(task / down) * TSR_FEW_WIDE;
    for (int i = row; i < p->m && i < row + TSR_FEW_HIGH; i += TSR_FEW_ROWS)
      for (int j = column; j < p->n && j < column + TSR_FEW_WIDE; j += TSR_VECTOR)
        if (p->digits == 3) few_tile(3, p, i, j);
        else few_tile(1, p, i, j);
  }
}
