// SPDX-License-Identifier: Apache-2.0
// Products as exact integers on the CPU: A and B become digits, whose products are summed in integers.
//
// Algorithm  B's rows say how A's columns are balanced; operands are packed as digits, each once; tiles of
//            32 x 16 exact sums are made by the best unit that the machine has (words.h; of AVX-512
//            isa/avx512_vnni.c and isa/avx512_amx.c) and become results by two powers of two.
// Tensors    A (m, k), B (k, n) by strides (tsr_integer_gemm_plan), C (m, n), bias (m) or (n). Packed B:
//            exponents, factors of A and of B (k each, to whole blocks), scales (n, to whole strips),
//            strips. Packed A: scales (m, to whole panels of two strips), strips.
// Work       A thread takes blocks of `panels` x `strips` tiles, those of its own share first.
// Tuning     TSR_INTEGER_PANELS, TSR_INTEGER_STRIPS: the most tiles of a task.
//
//            16
//   B strip [==]  digits, in the level 1 cache while panels of A come by
//   A panel [====] x  ->  T (32, 16) in 64 bits  ->  C
//
// Rules      9, 12 (bias and activation as in rule 4).
#pragma once

#include "gemm/c/epilogue.h"
#include "integer_gemm/c/words.h"

enum { TSR_INTEGER_PANELS = 4, TSR_INTEGER_STRIPS = 8, TSR_PANEL_ROWS = 2 * TSR_STRIP };

// Where the parts of packed operands are, in bytes; what has 64 bytes is aligned by them.
static inline int64_t integer_padded_k(const tsr_integer_gemm_plan *p) {
  return integer_blocks(p->k) * TSR_INTEGER_BLOCK;
}
static inline int64_t integer_strip_bytes(const tsr_integer_gemm_plan *p) {
  return integer_blocks(p->k) * integer_block_bytes(p->unit, p->digits);
}
static inline int *integer_exponents(const tsr_integer_gemm_plan *p) { return (int *)p->packed_b; }
static inline float *integer_factors(const tsr_integer_gemm_plan *p, int is_b) {
  return (float *)p->packed_b + (1 + is_b) * integer_padded_k(p);
}
static inline int *integer_b_scales(const tsr_integer_gemm_plan *p) {
  return (int *)p->packed_b + 3 * integer_padded_k(p);
}
static inline char *integer_b_strips(const tsr_integer_gemm_plan *p) {
  return (char *)(integer_b_scales(p) + tile_padded(p->n, TSR_STRIP));
}
static inline char *integer_a_strips(const tsr_integer_gemm_plan *p) {
  return (char *)p->packed_a + 4 * tile_padded(p->m, TSR_PANEL_ROWS);
}

static int64_t tsr_integer_gemm_b_bytes(const tsr_integer_gemm_plan *p) {
  return 12 * integer_padded_k(p) +
         tile_padded(p->n, TSR_STRIP) / TSR_STRIP * (4 * TSR_STRIP + integer_strip_bytes(p));
}
static int64_t tsr_integer_gemm_a_bytes(const tsr_integer_gemm_plan *p) {
  return tile_padded(p->m, TSR_PANEL_ROWS) / TSR_STRIP * (4 * TSR_STRIP + integer_strip_bytes(p));
}

// The exponents of B's rows begin ..< end.
static void tsr_integer_gemm_exponents(const tsr_integer_gemm_plan *p, int begin, int end) {
  int *const exponents = integer_exponents(p);
  if (p->b_row_stride == 1) {
    for (int k = begin; k < end; k++) exponents[k] = 0;
    for (int64_t j = 0; j < p->n; j++) {
      const float *const line = p->b + j * p->b_col_stride;
      for (int k = begin; k < end; k++) {
        const int m = (int)tsr_finite_magnitude_bits(line[k]);
        exponents[k] = exponents[k] > m ? exponents[k] : m;
      }
    }
    for (int k = begin; k < end; k++) exponents[k] = tsr_balance_exponent((tsr_u32)exponents[k]);
    return;
  }
  for (int k = begin; k < end; k++) {
    const float *const line = p->b + k * p->b_row_stride;
    int greatest = 0;
    if (p->b_col_stride == 1) {
      for (int j = 0; j < p->n; j++) {
        const int m = (int)tsr_finite_magnitude_bits(line[j]);
        greatest = greatest > m ? greatest : m;
      }
    } else {
      for (int64_t j = 0; j < p->n; j++) {
        const int m = (int)tsr_finite_magnitude_bits(line[j * p->b_col_stride]);
        greatest = greatest > m ? greatest : m;
      }
    }
    exponents[k] = tsr_balance_exponent((tsr_u32)greatest);
  }
}

// The factors of A's columns and of B's rows.
static void tsr_integer_gemm_balance(const tsr_integer_gemm_plan *p) {
  const int *const exponents = integer_exponents(p);
  float *const a = integer_factors(p, 0), *const b = integer_factors(p, 1);
  int greatest = 0;
  if (p->unbalanced) {
    for (int k = 0; k < p->k; k++) a[k] = b[k] = 1.0f;
    return;
  }
  for (int k = 0; k < p->k; k++) greatest = greatest > exponents[k] ? greatest : exponents[k];
  for (int k = 0; k < p->k; k++) {
    a[k] = tsr_balance_a(exponents[k], greatest);
    b[k] = tsr_balance_b(exponents[k], greatest);
  }
}

// Strips begin ..< end of B's columns, and of A's rows.
static void tsr_integer_gemm_pack_b(const tsr_integer_gemm_plan *p, int begin, int end) {
  const integer_lines lines = {
      p->b, integer_factors(p, 1), p->b_col_stride, p->b_row_stride, p->n, p->k, p->digits, 1};
  integer_pack(&lines, p->unit, begin, end, integer_b_strips(p), integer_b_scales(p));
}
static void tsr_integer_gemm_pack_a(const tsr_integer_gemm_plan *p, int begin, int end) {
  const integer_lines lines = {
      p->a, integer_factors(p, 0), p->a_row_stride, p->a_col_stride, p->m, p->k, p->digits, 0};
  integer_pack(&lines, p->unit, begin, end, integer_a_strips(p), (int *)p->packed_a);
}

// The results of a tile's sums, scaled, biased and activated.
static void integer_epilogue(const tsr_integer_gemm_plan *p, const int64_t *t, int row, int column) {
  const finishing f = {p->bias_kind, p->activation, p->bias};
  const matrix_part part = {.c = p->c + row * p->c_row_stride + column,
                            .stride = p->c_row_stride,
                            .step = 1,
                            .row = row,
                            .column = column,
                            .rows = p->m - row < TSR_PANEL_ROWS ? p->m - row : TSR_PANEL_ROWS,
                            .columns = p->n - column < TSR_STRIP ? p->n - column : TSR_STRIP,
                            .add = p->accumulate,
                            .last = 1};
  const int *const a = (const int *)p->packed_a + row, *const b = integer_b_scales(p) + column;
  float sums[TSR_PANEL_ROWS * TSR_STRIP];
  for (int r = 0; r < part.rows; r++)
    for (int j = 0; j < TSR_STRIP; j++)
      sums[r * TSR_STRIP + j] = tsr_integer_result(t[r * TSR_STRIP + j], a[r], b[j], p->digits);
  store_epilogue(&f, &part, sums, TSR_STRIP);
}

// The products of a tile, by a unit.
static inline void integer_tile(int unit, const tsr_integer_tile *tile) {
  if (unit == TSR_INTEGER_WORDS) integer_tile_words(tile);
#if TSR_VECTOR == 16
  else if (unit == TSR_INTEGER_VNNI) tsr_integer_tile_vnni(tile);
  else tsr_integer_tile_amx(tile);
#endif
}
// What a thread does before its first tile and after its last one.
static inline void integer_begin(int unit) {
#if TSR_VECTOR == 16
  if (unit == TSR_INTEGER_AMX) tsr_integer_amx_begin();
#else
  (void)unit;
#endif
}
static inline void integer_end(int unit) {
#if TSR_VECTOR == 16
  if (unit == TSR_INTEGER_AMX) tsr_integer_amx_end();
#else
  (void)unit;
#endif
}

// The tiles of panels panel ..< panel_end and strips strip ..< strip_end.
static void integer_task(const tsr_integer_gemm_plan *p, int panel, int panel_end, int strip, int strip_end) {
  const int64_t bytes = integer_strip_bytes(p);
  int64_t t[TSR_PANEL_ROWS * TSR_STRIP] __attribute__((aligned(64)));
  for (int s = strip; s < strip_end; s++)
    for (int i = panel; i < panel_end; i++) {
      const char *const a = integer_a_strips(p) + 2 * i * bytes;
      const tsr_integer_tile tile = {
          {a, a + bytes}, integer_b_strips(p) + s * bytes, (int)integer_blocks(p->k), p->digits, t};
      memset(t, 0, sizeof t);
      integer_tile(p->unit, &tile);
      integer_epilogue(p, t, i * TSR_PANEL_ROWS, s * TSR_STRIP);
    }
}

static void tsr_integer_gemm_work(const tsr_integer_gemm_plan *p, tsr_worker worker) {
  const int panels = (p->m + TSR_PANEL_ROWS - 1) / TSR_PANEL_ROWS,
            strips = (p->n + TSR_STRIP - 1) / TSR_STRIP;
  int high = TSR_INTEGER_PANELS, wide = TSR_INTEGER_STRIPS;
  // Every thread finds two tasks or more, if there are tiles enough.
  while (wide > 1 && (int64_t)((panels + high - 1) / high) * ((strips + wide - 1) / wide) < 2 * worker.count)
    wide /= 2;
  while (high > 1 && (int64_t)((panels + high - 1) / high) * ((strips + wide - 1) / wide) < 2 * worker.count)
    high /= 2;
  const int64_t down = (panels + high - 1) / high, across = (strips + wide - 1) / wide;
  integer_begin(p->unit);
  for (int64_t task; (task = tsr_next_task(&worker, down * across)) >= 0;) {
    const int i = (int)(task / across) * high, s = (int)(task % across) * wide;
    integer_task(p, i, i + high < panels ? i + high : panels, s, s + wide < strips ? s + wide : strips);
  }
  integer_end(p->unit);
}
