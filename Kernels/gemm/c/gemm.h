// SPDX-License-Identifier: Apache-2.0
// Contractions on the CPU: matrix products, convolutions with their gradients, pairwise distances.
//
// Algorithm  Goto and van de Geijn 2008, with the blocking of k frozen by the contract. One operand is
//            packed for all tasks, the other by the task that uses it, or A is read where it lies
//            (GemmSchedule.swift chooses). Convolutions never build an im2col matrix: packing B reads the
//            taps from the image. Convolutions with many channels (conv/c/conv_blocked.h) or with few of
//            them a group (conv/c/conv_grouped.h) have kernels of their own.
// Tensors    A (m, k) by strides, B (k, n) by strides or images (tsr_gemm_plan), C (m, n), bias (m) or
//            (n).
// Work       A thread takes (product, block of at most mc rows and nc columns) tasks, those of its own
//            share first. A task owns its part of C.
// Tuning     TSR_MR x TSR_NR: the register tile, by instruction set (isa/): 14 x 32 (AVX-512), 6 x 16
//            (AVX2), 4 x 8, 12 x 8 (arm64). mc and nc: by GemmSchedule.swift.
//
//            j0      j0+nc
//   B  k +-----[======]------+   panels of NR columns; some of them at a time stay in the level 2 cache
//        |                   |
//   A  k            C
//   [====]  i0 +---[======]--+   a panel of A (MR x chunk) stays in level 1 while panels of B stream by
//   [====]     |   [======]  |   MR x NR accumulators live in registers
//
// Rules      4 and 6 (k in groups of k_group, chunks inside), 9.
#pragma once

#include "gemm/c/microkernel.h"
#include "gemm/c/dispatch_mr.h"
#include "gemm/c/epilogue.h"
#include "gemm/c/pack.h"

// Floats of a block of packed B that the level 2 cache holds beside A: 128 columns of a whole chunk.
enum { TSR_GEMM_B_FLOATS = 128 * TSR_K_CHUNK };

// Floats of a C that no cache keeps for its tiles: 4 MB.
enum { TSR_LARGE_C = 1 << 20 };

// One register tile: a part of C, or where the part is no whole tile `scratch` first.
static inline void gemm_tile(const tsr_gemm_plan *p, const finishing *f, const tile_operands *operands,
                             const matrix_part *part, float *scratch) {
  const int vectors = gemm_panel_width(p, part->columns) / TSR_VECTOR;
  const int whole =
      part->columns == vectors * TSR_VECTOR && (!p->distance || part->rows == TSR_MR) && part->step == 1;
  // What is no comparison is applied to what stands in memory.
  const int later = part->last && !is_simple_activation(f->activation);
  epilogue t = {.c = scratch, .row = TSR_NR};
  if (whole)
    t = (epilogue){.c = part->c,
                   .row = part->stride,
                   .row_bias = f->bias_kind == TSR_BIAS_ROW ? f->bias + part->row : 0,
                   .column_bias = f->bias_kind == TSR_BIAS_COLUMN ? f->bias + part->column : 0,
                   .add = part->add,
                   .last = part->last,
                   .fetch = (int64_t)p->m * p->n > TSR_LARGE_C,
                   .activation = later ? TSR_ACT_NONE : f->activation};
  if (p->distance) dispatch_distance(operands, &t);
  else if (operands->a_row) dispatch_in_place(vectors, operands, &t);
  else dispatch_mr(part->rows, vectors, operands, &t);
  if (whole && later) activate_rows(f->activation, part->c, part->stride, part->rows, part->columns);
  if (whole) return;
  store_epilogue(f, part, scratch, TSR_NR);
}

// Rows or columns, filled up to whole tiles.
static inline int64_t tile_padded(int64_t count, int tile) { return (count + tile - 1) / tile * tile; }

// Chunks of the groups of k, in ascending order: k0 ..< k0 + kc of the group that ends at `stop`.
typedef struct {
  int k0, kc, first, stop;
} k_chunk;
static inline k_chunk gemm_first_chunk(const tsr_gemm_plan *p) {
  const int stop = p->k < p->k_group ? p->k : p->k_group;
  return (k_chunk){0, stop < p->chunk ? stop : p->chunk, 1, stop};
}
static inline k_chunk gemm_next_chunk(const tsr_gemm_plan *p, const k_chunk *now) {
  const int k0 = now->k0 + now->kc, first = k0 == now->stop;
  const int stop = !first ? now->stop : p->k - k0 < p->k_group ? p->k : k0 + p->k_group;
  return (k_chunk){k0, stop - k0 < p->chunk ? stop - k0 : p->chunk, first, stop};
}

// Panels begin ..< end of a packed A that all tasks share: (chunk, panel, k, MR).
static void gemm_pack_panels(const tsr_gemm_plan *p, const float *a, float *packed, int begin, int end) {
  const int64_t padded = tile_padded(p->m, TSR_MR);
  for (k_chunk s = gemm_first_chunk(p); s.k0 < p->k; s = gemm_next_chunk(p, &s))
    for (int panel = begin; panel < end; panel++)
      gemm_pack_a_panel(p, a, panel * TSR_MR, s.k0, s.kc,
                        packed + s.k0 * padded + (int64_t)panel * TSR_MR * s.kc);
}

// The part of `block` that the register tile from its element (i, j) on takes.
static inline matrix_part tile_part(const matrix_part *block, int i, int j) {
  return (matrix_part){.c = block->c + i * block->stride + j * block->step,
                       .step = block->step,
                       .stride = block->stride,
                       .row = block->row + i,
                       .column = block->column + j,
                       .rows = block->rows - i < TSR_MR ? block->rows - i : TSR_MR,
                       .columns = block->columns - j < TSR_NR ? block->columns - j : TSR_NR,
                       .add = block->add,
                       .last = block->last};
}

// A block of a product whose k is 0: every sum is +0.
static void gemm_empty_block(const finishing *f, const matrix_part *block, float *tile) {
  for (int i = 0; i < block->rows; i += TSR_MR)
    for (int j = 0; j < block->columns; j += TSR_NR) {
      const matrix_part part = tile_part(block, i, j);
      for (int q = 0; q < TSR_MR * TSR_NR; q++) tile[q] = 0.0f;
      store_epilogue(f, &part, tile, TSR_NR);
    }
}

// Rows of A, so few that packing B would cost more than is gained by it.
enum { TSR_STREAM_ROWS = TSR_VECTOR / 2 };

// Whether B is used as it comes from memory: rows of it, or columns whose k lie side by side.
static int gemm_streams_b(const tsr_gemm_plan *p) {
  return p->b_kind == TSR_B_STRIDED && (p->b_col == 1 || p->b_row == 1) && p->m <= TSR_STREAM_ROWS &&
         p->mc >= p->m && p->k_inner >= p->k && !p->distance && !p->packed_b;
}

// Few rows of A times the first `stop` k of a square of B, whose rows they are; `a` belongs to its first k.
static inline __attribute__((always_inline)) void gemm_add_square(const tsr_gemm_plan *p, const float *a,
                                                                  const vector *square, int stop, float *sums,
                                                                  int64_t stride) {
  for (int r = 0; r < p->m; r++) {
    const float *const row = a + r * p->a_row;
    vector sum = *(const unaligned_vector *)(sums + r * stride);
    TSR_UNROLL for (int q = 0; q < TSR_VECTOR; q++) if (q < stop) sum =
        tsr_fma_v(row[q * p->k_inner_stride], square[q], sum);
    *(unaligned_vector *)(sums + r * stride) = sum;
  }
}

// Columns of B whose k lie side by side: squares of B become rows in registers. Columns beyond the last are
// the last one's again.
static inline __attribute__((always_inline)) void gemm_square_of_columns(const float *const *lines, int k,
                                                                         const int count, vector *square) {
  TSR_UNROLL for (int q = 0; q < TSR_VECTOR; q++) square[q] = load_part(lines[q] + k, count);
  transpose_square(square);
}
static void gemm_stream_columns(const tsr_gemm_plan *p, const float *a, const float *b, const b_block *s,
                                float *sums, int64_t stride) {
  for (int j = 0; j < s->nc; j += TSR_VECTOR) {
    const float *lines[TSR_VECTOR];
    for (int q = 0; q < TSR_VECTOR; q++)
      lines[q] = b + s->k0 + (s->j0 + (j + q < s->nc ? j + q : s->nc - 1)) * p->b_col;
    vector square[TSR_VECTOR];
    int k = 0;
    for (; k + TSR_VECTOR <= s->kc; k += TSR_VECTOR) {
      TSR_UNROLL for (int q = 0; q < TSR_VECTOR; q++) __builtin_prefetch(lines[q] + k + 128);
      gemm_square_of_columns(lines, k, TSR_VECTOR, square);
      gemm_add_square(p, a + k * p->k_inner_stride, square, TSR_VECTOR, sums + j, stride);
    }
    if (k == s->kc) continue;
    gemm_square_of_columns(lines, k, s->kc - k, square);
    gemm_add_square(p, a + k * p->k_inner_stride, square, s->kc - k, sums + j, stride);
  }
}

// Rows of B, TSR_VECTOR of them at a time, so that sums are loaded and stored once for as many terms.
static void gemm_stream_rows(const tsr_gemm_plan *p, const float *a, const float *b, const b_block *s,
                             float *sums, int64_t stride) {
  for (int k = 0; k < s->kc; k += TSR_VECTOR, a += TSR_VECTOR * p->k_inner_stride) {
    const int rows = s->kc - k < TSR_VECTOR ? s->kc - k : TSR_VECTOR;
    const float *const from = b + (s->k0 + k) * p->b_row + s->j0;
    for (int j = 0; j < s->nc; j += TSR_VECTOR) {
      const int count = s->nc - j < TSR_VECTOR ? s->nc - j : TSR_VECTOR;
      vector square[TSR_VECTOR];
      if (rows == TSR_VECTOR && count == TSR_VECTOR)
        TSR_UNROLL for (int q = 0; q < TSR_VECTOR; q++) square[q] =
            *(const unaligned_vector *)(from + q * p->b_row + j);
      else
        TSR_UNROLL for (int q = 0; q < TSR_VECTOR; q++) if (q < rows) square[q] =
            load_part(from + q * p->b_row + j, count);
      if (rows == TSR_VECTOR) gemm_add_square(p, a, square, TSR_VECTOR, sums + j, stride);
      else gemm_add_square(p, a, square, rows, sums + j, stride);
    }
  }
}

// Few rows of A times the block of B as it comes, into `sums` (m, stride).
static void gemm_stream(const tsr_gemm_plan *p, const float *a, const float *b, const b_block *s, float *sums,
                        int64_t stride) {
  for (int r = 0; r < p->m; r++) memset(sums + r * stride, 0, sizeof *sums * (size_t)stride);
  a += s->k0 * p->k_inner_stride;
  if (p->b_col == 1) gemm_stream_rows(p, a, b, s, sums, stride);
  else gemm_stream_columns(p, a, b, s, sums, stride);
}

// A worker's own memory.
typedef struct {
  float *a, *b, *line, *tile, *group_sum;
} gemm_scratch;
// Its floats in all; with `memory` also where each part lies.
static int64_t gemm_lay_out(const tsr_gemm_plan *p, float *memory, gemm_scratch *d) {
  const int64_t width = tile_padded(p->nc, TSR_NR);
  const int packs = !p->packed_b && !gemm_streams_b(p);
  const int64_t line = packs ? p->chunk * width : 0;
  const int64_t tile = line + (packs ? TSR_NR * p->chunk + width : width * p->m);
  const int64_t group_sum = tile + TSR_MR * TSR_NR;
  const int64_t a = group_sum + (p->k_group < p->k ? p->mc * width : 0);
  const int64_t rows = p->packed_a ? 0 : p->in_place ? TSR_MR : tile_padded(p->mc, TSR_MR);
  if (memory) *d = (gemm_scratch){memory + a, memory, memory + line, memory + tile, memory + group_sum};
  return a + rows * p->chunk;
}

// Where a chunk's operands of a block are: A in panels, or in rows; B in panels.
typedef struct {
  const float *a, *rows, *b;
} gemm_operands;

// The operands of one chunk, packed unless they are.
static gemm_operands gemm_chunk_operands(const tsr_gemm_plan *p, const gemm_operands *whole,
                                         const matrix_part *block, const k_chunk *s, const gemm_scratch *d) {
  gemm_operands o = {d->a, 0, d->b};
  if (p->packed_b) o.b = p->packed_b + s->k0 * tile_padded(p->n, TSR_NR) + (int64_t)block->column * s->kc;
  else gemm_pack_b(p, whole->b, &(b_block){s->k0, s->kc, block->column, block->columns}, d->b, d->line);
  if (p->packed_a) {
    o.a = whole->a + s->k0 * tile_padded(p->m, TSR_MR) + (int64_t)block->row * s->kc;
  } else if (p->in_place) {
    o.rows = whole->rows + block->row * p->a_row + s->k0;
    const int rest = block->rows % TSR_MR, row = block->row + block->rows - rest;
    if (rest) gemm_pack_a_panel(p, whole->rows, row, s->k0, s->kc, d->a);
  } else {
    for (int i = 0; i < block->rows; i += TSR_MR)
      gemm_pack_a_panel(p, whole->rows, block->row + i, s->k0, s->kc, d->a + (int64_t)i * s->kc);
  }
  return o;
}

// A block's sums over one chunk. Some panels of B at a time, which the level 2 cache holds beside A.
static void gemm_chunk(const tsr_gemm_plan *p, const finishing *f, const matrix_part *target,
                       const gemm_operands *o, int kc, float *tile) {
  const int width = TSR_GEMM_B_FLOATS / kc / TSR_NR * TSR_NR;
  for (int first = 0; first < target->columns; first += width) {
    const int end = target->columns - first < width ? target->columns : first + width;
    // Every tile of these fetches as many rows of the next tiles' A.
    const int tiles = (end - first + TSR_NR - 1) / TSR_NR, share = (TSR_MR + tiles - 1) / tiles;
    for (int i = 0; i < target->rows; i += TSR_MR) {
      tile_operands operands = {.kc = kc, .a = o->a + (int64_t)i * kc};
      if (o->rows && target->rows - i >= TSR_MR)
        operands.a = o->rows + i * p->a_row, operands.a_row = p->a_row;
      else if (o->rows) operands.a = o->a;
      int fetched = operands.a_row && target->rows - i >= 2 * TSR_MR ? 0 : TSR_MR;
      for (int j = first; j < end; j += TSR_NR) {
        const matrix_part part = tile_part(target, i, j);
        operands.b = o->b + (int64_t)j * kc;
        operands.ahead = operands.a + (TSR_MR + fetched) * p->a_row;
        operands.ahead_rows = TSR_MR - fetched < share ? TSR_MR - fetched : share;
        fetched += operands.ahead_rows;
        gemm_tile(p, f, &operands, &part, tile);
      }
    }
  }
}

// Block `block` of `count` of an extent: begin ..< end. Blocks are whole tiles, and as even as those allow,
// so that threads with equally many of them have equally much to do.
typedef struct {
  int begin, end;
} gemm_range;
static inline gemm_range gemm_block_range(int extent, int tile, int block, int count) {
  const int64_t tiles = (extent + tile - 1) / tile, end = tiles * (block + 1) / count * tile;
  return (gemm_range){(int)(tiles * block / count) * tile, end < extent ? (int)end : extent};
}
// How many blocks of at most `most` an extent has.
static inline int gemm_block_count(int extent, int tile, int most) {
  const int tiles = (extent + tile - 1) / tile, whole = (most + tile - 1) / tile;
  return (tiles + whole - 1) / whole;
}

// A block of rows and columns of one product.
static void gemm_block(const tsr_gemm_plan *p, int product, gemm_range rows, gemm_range across,
                       const gemm_scratch *d) {
  const int i0 = rows.begin, j0 = across.begin;
  const int outer = product / p->inner, inner = product % p->inner;
  const finishing f = {p->bias_kind, p->activation, p->bias ? p->bias + inner * p->bias_inner : 0};
  const int64_t padded = tile_padded(p->m, TSR_MR);
  const gemm_operands whole = {.a = p->packed_a ? p->packed_a + inner * padded * p->k : 0,
                               .rows = p->a + outer * p->a_outer + inner * p->a_inner,
                               .b = p->b + outer * p->b_outer + inner * p->b_inner};
  const int columns = across.end - j0, last = p->upper && across.end < rows.end ? across.end : rows.end;
  if (i0 >= last) return;
  matrix_part block = {.c = p->c + outer * p->c_outer + inner * p->c_inner + i0 * p->c_row + j0 * p->c_column,
                       .step = p->c_column,
                       .stride = p->c_row,
                       .row = i0,
                       .column = j0,
                       .rows = last - i0,
                       .columns = columns,
                       .add = p->accumulate,
                       .last = 1};
  if (p->k == 0) return gemm_empty_block(&f, &block, d->tile);
  const int groups = p->k_group < p->k;
  matrix_part target = block;
  if (groups) target.c = d->group_sum, target.step = 1, target.stride = tile_padded(p->nc, TSR_NR);
  for (k_chunk s = gemm_first_chunk(p); s.k0 < p->k; s = gemm_next_chunk(p, &s)) {
    const int ends = s.k0 + s.kc == s.stop;
    target.add = !s.first || (!groups && p->accumulate);
    target.last = !groups && ends;
    if (gemm_streams_b(p)) {
      const b_block part = {s.k0, s.kc, j0, columns};
      const int64_t stride = tile_padded(p->nc, TSR_NR);
      gemm_stream(p, whole.rows, whole.b, &part, d->line, stride);
      store_epilogue(&f, &target, d->line, stride);
      continue;
    }
    const gemm_operands o = gemm_chunk_operands(p, &whole, &block, &s, d);
    gemm_chunk(p, &f, &target, &o, s.kc, d->tile);
    if (!groups || !ends) continue;
    block.add = s.stop > p->k_group || p->accumulate;
    block.last = s.stop == p->k;
    store_epilogue(&f, &block, d->group_sum, target.stride);
  }
}

static int64_t tsr_gemm_packed_count(const tsr_gemm_plan *p) { return tile_padded(p->m, TSR_MR) * p->k; }
static int64_t tsr_gemm_packed_b_count(const tsr_gemm_plan *p) { return tile_padded(p->n, TSR_NR) * p->k; }

static int64_t tsr_gemm_scratch_count(const tsr_gemm_plan *p) { return gemm_lay_out(p, 0, 0); }

static void tsr_gemm_pack_a(const tsr_gemm_plan *p, int inner, int begin, int end) {
  const float *a = p->a + inner * p->a_inner;
  float *packed = p->packed_a + inner * tsr_gemm_packed_count(p);
  gemm_pack_panels(p, a, packed, begin, end);
}

// Panels begin ..< end of the shared B: (chunk, panel, k, NR).
static void tsr_gemm_pack_b(const tsr_gemm_plan *p, int begin, int end) {
  const int64_t padded = tile_padded(p->n, TSR_NR);
  const int j0 = begin * TSR_NR, stop = p->n < end * TSR_NR ? p->n : end * TSR_NR;
  for (k_chunk s = gemm_first_chunk(p); s.k0 < p->k; s = gemm_next_chunk(p, &s))
    gemm_pack_b(p, p->b, &(b_block){s.k0, s.kc, j0, stop - j0},
                p->packed_b + s.k0 * padded + (int64_t)j0 * s.kc, 0);
}

static void tsr_gemm_work(const tsr_gemm_plan *p, tsr_worker worker, float *scratch) {
  gemm_scratch d;
  gemm_lay_out(p, scratch, &d);
  const int rows = gemm_block_count(p->m, TSR_MR, p->mc), columns = gemm_block_count(p->n, TSR_NR, p->nc);
  const int64_t tasks = (int64_t)p->outer * p->inner * rows * columns;
  for (int64_t task; (task = tsr_next_task(&worker, tasks)) >= 0;) {
    const int block = task % (rows * columns), row = block / columns, column = block % columns;
    // Of the upper half the last columns are the longest: they come first, so that no thread is left with
    // them.
    const int at = p->upper ? columns - 1 - column : column;
    gemm_block(p, task / (rows * columns), gemm_block_range(p->m, TSR_MR, row, rows),
               gemm_block_range(p->n, TSR_NR, at, columns), &d);
  }
}
