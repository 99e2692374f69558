// SPDX-License-Identifier: Apache-2.0
// Products as exact integers on the CPU: A and B become digits, whose products are summed in integers.
//
// Algorithm  B's rows say how A's columns are balanced; operands are packed as digits, each once; tiles of
//            32 x 16 exact sums are made by the best unit that the machine has (words.h; of AVX-512
//            isa/avx512_vnni.c and isa/avx512_amx.c) and become results by two powers of two.
//            Where A has rows enough for all threads, who makes their results packs them: their digits do
//            not leave the level 2 cache.
// Tensors    A (m, k), B (k, n) by strides (tsr_integer_gemm_plan), C (m, n), bias (m) or (n). Packed B:
//            exponents, factors of A and of B (k each, to whole blocks), scales (n, to whole strips),
//            strips. Packed A: scales (m, to whole panels of two strips), strips; or none, and a task's
//            rows in a worker's scratch, in the same order.
// Work       A thread takes blocks of `panels` x `strips` tiles, those of its own share first; or panels with
//            all strips.
// Tuning     TSR_INTEGER_PANELS, TSR_INTEGER_STRIPS: the most tiles of a task. TSR_PANEL_BYTES: the most
//            that a task packs.
//
//            16
//   B strip [==]  digits, in the level 1 cache while panels of A come by
//   A panel [====] x  ->  T (32, 16) in 64 bits  ->  C
//
// Rules      9, 12 (bias and activation as in rule 4).
#pragma once

#include "gemm/c/epilogue.h"
#include "integer_gemm/c/pack_vnni.h"
#include "integer_gemm/c/words.h"

enum { TSR_INTEGER_PANELS = 4, TSR_INTEGER_STRIPS = 8, TSR_PANEL_ROWS = 2 * TSR_STRIP };
enum { TSR_PACKED_PANELS = 8, TSR_PANEL_BYTES = 1 << 20 };

// Where the parts of packed operands are, in bytes; what has 64 bytes is aligned by them.
static inline int64_t integer_padded_k(const tsr_integer_gemm_plan *p) {
  return integer_blocks(p->k) * TSR_INTEGER_BLOCK;
}
static inline int64_t integer_strip_bytes(const tsr_integer_gemm_plan *p, int is_b) {
  return integer_blocks(p->k) * integer_block_bytes(p->unit, p->digits, is_b);
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
         tile_padded(p->n, TSR_STRIP) / TSR_STRIP * (4 * TSR_STRIP + integer_strip_bytes(p, 1));
}
static int64_t tsr_integer_gemm_a_bytes(const tsr_integer_gemm_plan *p) {
  return tile_padded(p->m, TSR_PANEL_ROWS) / TSR_STRIP * (4 * TSR_STRIP + integer_strip_bytes(p, 0));
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

// The results of a row of a tile's sums: of lines with scales a and b[16].
static inline void integer_results(const int64_t *t, int a, const int *b, int digits, float *to) {
  for (int j = 0; j < TSR_STRIP; j += TSR_VECTOR) {
    typedef int unaligned_ints __attribute__((ext_vector_type(TSR_VECTOR), aligned(4)));
    const int_vector scales = *(const unaligned_ints *)(b + j), e = (digits == 3 ? 16 : 0) - a - scales;
    const int_vector h = e >> 1, none = (scales == TSR_SCALE_NONE) | -(int_vector)(a == TSR_SCALE_NONE);
    const vector value = __builtin_convertvector(*(const integer_sums *)(t + j), vector);
    const vector scaled = value * (vector)((h + 127) << 23) * (vector)((e - h + 127) << 23);
    *(unaligned_vector *)(to + j) = (vector)(((int_vector)scaled & ~none) | (none & (int)TSR_NAN_BITS));
  }
}

// A row of results that are not added and only biased: they need not be looked at twice.
static inline void integer_store_row(const tsr_integer_gemm_plan *p, const float *sums, int row, int column) {
  float *const c = p->c + row * p->c_row_stride + column;
  for (int j = 0; j < TSR_STRIP && column + j < p->n; j += TSR_VECTOR) {
    const int left = p->n - column - j, count = left < TSR_VECTOR ? left : TSR_VECTOR;
    vector v = *(const unaligned_vector *)(sums + j);
    if (p->bias_kind == TSR_BIAS_ROW) v = v + p->bias[row];
    if (p->bias_kind == TSR_BIAS_COLUMN) v = v + load_part(p->bias + column + j, count);
    store_part(c + j, canonicals(v), count);
  }
}

// Rows of A as digits, `first` being a panel's first: their scales and strips.
typedef struct {
  const int *scales;
  const char *strips;
  int first;
} integer_left;

// The results of a tile's sums, scaled, biased and activated.
static void integer_epilogue(const tsr_integer_gemm_plan *p, const integer_left *left, const int64_t *t,
                             int row, int column) {
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
  const int *const a = left->scales + row - left->first;
  float sums[TSR_PANEL_ROWS * TSR_STRIP];
  if (!p->accumulate && p->activation == TSR_ACT_NONE) {
    for (int r = 0; r < part.rows; r++) {
      integer_results(t + r * TSR_STRIP, a[r], integer_b_scales(p) + column, p->digits, sums);
      integer_store_row(p, sums, row + r, column);
    }
    return;
  }
  for (int r = 0; r < part.rows; r++)
    integer_results(t + r * TSR_STRIP, a[r], integer_b_scales(p) + column, p->digits, sums + r * TSR_STRIP);
  store_epilogue(&f, &part, sums, TSR_STRIP);
}

// The products of one or two tiles of the same rows, by a unit.
static inline void integer_tiles(int unit, const tsr_integer_tile *tiles, int count) {
#if TSR_VECTOR == 16
  if (unit == TSR_INTEGER_VNNI) return tsr_integer_tiles_vnni(tiles, count);
#endif
  for (int i = 0; i < count; i++) {
    // These units add in any case.
    if (!tiles[i].adds) memset(tiles[i].t, 0, 8 * TSR_PANEL_ROWS * TSR_STRIP);
    if (unit == TSR_INTEGER_WORDS) integer_tile_words(tiles + i);
#if TSR_VECTOR == 16
    else tsr_integer_tile_amx(tiles + i);
#endif
  }
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

// What a panel's tile asks the caches for.
static inline int64_t integer_ahead(int64_t terms) { return 32 * terms; }

// The tiles of panels panel ..< panel_end and strips strip ..< strip_end.
static void integer_task(const tsr_integer_gemm_plan *p, const integer_left *left, int panel, int panel_end,
                         int strip, int strip_end) {
  enum { TILE = TSR_PANEL_ROWS * TSR_STRIP };
  const int64_t bytes = integer_strip_bytes(p, 0), b_bytes = integer_strip_bytes(p, 1);
  int64_t t[2 * TILE] __attribute__((aligned(64)));
  for (int s = strip; s < strip_end; s += 2)
    for (int i = panel; i < panel_end; i++) {
      const int row = i * TSR_PANEL_ROWS, count = s + 1 < strip_end ? 2 : 1;
      const char *const a = left->strips + (row - left->first) / TSR_STRIP * bytes;
      const char *const b = integer_b_strips(p) + s * b_bytes;
      tsr_integer_tile tiles[2];
      for (int j = 0; j < count; j++)
        tiles[j] = (tsr_integer_tile){{a, a + bytes},
                                      b + j * b_bytes,
                                      (int)integer_blocks(p->k),
                                      p->digits,
                                      t + j * TILE,
                                      p->k,
                                      p->m - row < TSR_PANEL_ROWS ? p->m - row : TSR_PANEL_ROWS,
                                      0,
                                      b + 2 * b_bytes + (i - panel) * integer_ahead(p->k)};
      integer_tiles(p->unit, tiles, count);
      for (int j = 0; j < count; j++) integer_epilogue(p, left, t + j * TILE, row, (s + j) * TSR_STRIP);
    }
}

// Panels of A that a task packs.
static inline int integer_high(const tsr_integer_gemm_plan *p) {
  int high = TSR_PACKED_PANELS;
  while (high > 1 && 2 * high * integer_strip_bytes(p, 0) > TSR_PANEL_BYTES) high /= 2;
  return high;
}
// Floats of a worker's scratch: scales and strips of these panels if A is not packed beforehand.
static int64_t tsr_integer_gemm_scratch_count(const tsr_integer_gemm_plan *p) {
  const int64_t panel = 4 * TSR_PANEL_ROWS + 2 * integer_strip_bytes(p, 0);
  return p->packed_a ? 0 : integer_high(p) * panel / 4;
}

// The tiles of panels panel ..< end, which are packed here.
static void integer_pack_and_multiply(const tsr_integer_gemm_plan *p, int panel, int end, void *scratch) {
  const int first = panel * TSR_PANEL_ROWS;
  const integer_left left = {scratch, (char *)scratch + 4 * integer_high(p) * TSR_PANEL_ROWS, first};
  const integer_lines lines = {p->a + first * p->a_row_stride,
                               integer_factors(p, 0),
                               p->a_row_stride,
                               p->a_col_stride,
                               p->m - first,
                               p->k,
                               p->digits,
                               0};
  integer_pack(&lines, p->unit, 0, 2 * (end - panel), (char *)left.strips, scratch);
  integer_task(p, &left, panel, end, 0, (p->n + TSR_STRIP - 1) / TSR_STRIP);
}

static void tsr_integer_gemm_work(const tsr_integer_gemm_plan *p, tsr_worker worker, float *scratch) {
  const int panels = (p->m + TSR_PANEL_ROWS - 1) / TSR_PANEL_ROWS,
            strips = (p->n + TSR_STRIP - 1) / TSR_STRIP;
  int high = p->packed_a ? TSR_INTEGER_PANELS : integer_high(p),
      wide = p->packed_a ? TSR_INTEGER_STRIPS : strips;
  // Every thread finds two tasks or more, if there are tiles enough.
  while (p->packed_a && wide > 1 &&
         (int64_t)((panels + high - 1) / high) * ((strips + wide - 1) / wide) < 2 * worker.count)
    wide /= 2;
  while (high > 1 && (int64_t)((panels + high - 1) / high) * ((strips + wide - 1) / wide) < 2 * worker.count)
    high /= 2;
  const int64_t down = (panels + high - 1) / high, across = (strips + wide - 1) / wide;
  const integer_left left = {p->packed_a, integer_a_strips(p), 0};
  integer_begin(p->unit);
  for (int64_t task; (task = tsr_next_task(&worker, down * across)) >= 0;) {
    const int i = (int)(task / across) * high, s = (int)(task % across) * wide;
    const int end = i + high < panels ? i + high : panels;
    if (p->packed_a) integer_task(p, &left, i, end, s, s + wide < strips ? s + wide : strips);
    else integer_pack_and_multiply(p, i, end, scratch);
  }
  integer_end(p->unit);
}
