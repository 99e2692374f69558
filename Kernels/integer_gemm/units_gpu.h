// SPDX-License-Identifier: Apache-2.0
// The product of digits by matrix units: tsr_integer_matmul where a device has them.
//
// Algorithm  integer_gemm.cl's; the products of digits by matrix_units.h, 32 of k at a time.
// Tensors    As integer_gemm.cl has them. tiles: two stages of (digit, line, 32 bytes) in local memory, A's
//            lines, then B's; 48 KiB at most. In the end half of the sums at a time are there.
// Work       A work-group a tile of TSR_UNIT_TILE x TSR_UNIT_TILE and a part of k, a warp 64 x 32 of it
//            (tiles of 64: 32 x 32). A stage is used while the next one comes. Of several parts the sums are
//            stored in 64 bits, and tsr_integer_join makes the results.
// Tuning     TSR_UNIT_TILE (64, 128). TSR_UNITS and its kind: matrix_units.h.
//
//            32  32  32  32
//          +---+---+---+---+
//       64 | w | w | w | w |     each warp: 4 x 2 units of 16 x 16,
//          +---+---+---+---+     three sums each: d0 d0', d0 d1' + d1 d0', the rest
//       64 | w | w | w | w |
//          +---+---+---+---+
//
// Rules      12. Sums of 32 bits hold 32,768 of k: a part is no longer.
#pragma once

#include "integer_gemm/matrix_units.h"

#ifdef TSR_UNITS
#ifndef TSR_UNIT_TILE
#define TSR_UNIT_TILE 64
#endif
// Blocks of 16 rows of a warp, which has two of 16 columns; half of its rows; warps side by side.
#define TSR_UNIT_ROWS (TSR_UNIT_TILE / 32)
#define TSR_UNIT_PART (8 * TSR_UNIT_ROWS)
#define TSR_UNIT_ACROSS (TSR_UNIT_TILE / 32)
#define TSR_UNIT_ITEMS (2 * TSR_UNIT_ACROSS * TSR_UNIT_LANES)
// Pieces of 16 bytes of a digit of A, and as many of B, that a work-item brings.
#define TSR_UNIT_PIECES ((2 * TSR_UNIT_TILE + TSR_UNIT_ITEMS - 1) / TSR_UNIT_ITEMS)
#define TSR_UNIT_STAGE (2 * TSR_DIGITS * TSR_UNIT_TILE * 32)
#define TSR_UNIT_VALUES (8 * TSR_UNIT_PART * (TSR_UNIT_TILE + 8))
#define TSR_UNIT_BYTES (2 * TSR_UNIT_STAGE > TSR_UNIT_VALUES ? 2 * TSR_UNIT_STAGE : TSR_UNIT_VALUES)
// Loops over registers are unrolled; emulated units have barriers in them, and are slow anyway.
#ifdef TSR_UNITS_EMULATED
#define TSR_UNIT_UNROLL 1
#define TSR_MULTIPLY(sums, a, b) tsr_unit_multiply(sums, a, b, item, exchange)
#else
#define TSR_UNIT_UNROLL 16
#define TSR_MULTIPLY(sums, a, b) tsr_unit_multiply(sums, a, b)
#endif
#if TSR_UNITS == 4 && !defined TSR_UNITS_EMULATED
#define TSR_UNIT_SUBGROUP __attribute__((intel_reqd_sub_group_size(16)))
#else
#define TSR_UNIT_SUBGROUP
#endif

// Where a work-item's 16 bytes of a digit come from and go to; lines beyond the last are the last one again.
typedef struct {
  __global const char *from;
  __local char *to;
  long digit;
} tsr_unit_source;
TSR_FN tsr_unit_source tsr_unit_source_of(__global const int *digits, int words, int first, int lines, int at,
                                          __local char *to) {
  const int line = at >> 1, side = at & 1, own = first + line < lines ? first + line : lines - 1;
  const tsr_unit_source source = {
      (__global const char *)(digits + (long)own * TSR_DIGITS * words) + side * 16,
      to + tsr_tile_offset(line, side), 4L * words};
  return source;
}
// Brings 16 bytes of each digit from `step` on.
TSR_FN void tsr_unit_bring(const tsr_unit_source *s, long step, int stage) {
#pragma unroll TSR_UNIT_UNROLL
  for (int d = 0; d < TSR_DIGITS; d++) {
    __global const char *from = s->from + d * s->digit + step * 32;
    __local char *to = s->to + stage * TSR_UNIT_STAGE + d * (2 * TSR_UNIT_TILE * 32);
#if TSR_UNITS == 1 && defined TSR_UNITS_ASYNC && !defined TSR_UNITS_EMULATED
    __asm__ volatile("cp.async.cg.shared.global [%0], [%1], 16;"
                     :
                     : "r"((tsr_u32)(size_t)to), "l"(from)
                     : "memory");
#else
    *(__local int4 *)to = *(__global const int4 *)from;
#endif
  }
}
// Brings a work-item's part of a stage.
TSR_FN void tsr_unit_fetch(const tsr_unit_source *x, const tsr_unit_source *y, int step) {
#pragma unroll TSR_UNIT_UNROLL
  for (int piece = 0; piece < TSR_UNIT_PIECES; piece++) {
    tsr_unit_bring(x + piece, step, step & 1);
    tsr_unit_bring(y + piece, step, step & 1);
  }
}
// Waits for what was brought.
TSR_FN void tsr_unit_arrive(void) {
#if TSR_UNITS == 1 && defined TSR_UNITS_ASYNC && !defined TSR_UNITS_EMULATED
  __asm__ volatile("cp.async.wait_all;" ::: "memory");
#endif
  barrier(CLK_LOCAL_MEM_FENCE);
}

// A lane's sums, by the weight of their digits and by unit.
typedef struct {
  int of[3][TSR_UNIT_ROWS][2][TSR_UNIT_SUMS];
} tsr_unit_sums;
// A lane's exact sum.
TSR_FN long tsr_unit_total(const tsr_unit_sums *sums, int i, int j, int s) {
  return (long)sums->of[0][i][j][s] * 65536 + (long)sums->of[1][i][j][s] * 256 + sums->of[2][i][j][s];
}
// Where a sum is in local memory: rows that follow each other begin 8 banks apart.
TSR_FN int tsr_unit_place(int row, int column) { return row * (TSR_UNIT_TILE + 8) + column; }
// The lanes' sums of part 0 or 1 of each warp's rows go to local memory, as numbers of binary32.
TSR_FN void tsr_unit_put(const tsr_unit_sums *sums, int part, int row, int column, int lane,
                         __local float *values) {
#pragma unroll TSR_UNIT_UNROLL
  for (int i = 0; i < TSR_UNIT_ROWS / 2; i++)
#pragma unroll TSR_UNIT_UNROLL
    for (int j = 0; j < 2; j++)
#pragma unroll TSR_UNIT_UNROLL
      for (int s = 0; s < TSR_UNIT_SUMS; s++) {
        const long total = tsr_unit_total(sums, part * (TSR_UNIT_ROWS / 2) + i, j, s);
        values[tsr_unit_place(row + 16 * i + tsr_unit_row(lane, s),
                              column + 16 * j + tsr_unit_column(lane, s))] = convert_float_rte(total);
      }
}
// A work-item, its lane, where its work-group's tile is in C and its warp's in that.
typedef struct {
  int item, lane, row, column, down, across;
} tsr_unit_item;
// The lanes' sums of a part of k go to memory.
TSR_FN void tsr_unit_keep(const tsr_integer_gemm_params *p, const tsr_unit_sums *sums,
                          const tsr_unit_item *own, __global long *parts) {
  __global long *part = parts + (long)get_group_id(2) * p->gemm.m * p->gemm.n;
#pragma unroll TSR_UNIT_UNROLL
  for (int i = 0; i < TSR_UNIT_ROWS; i++)
#pragma unroll TSR_UNIT_UNROLL
    for (int j = 0; j < 2; j++)
#pragma unroll TSR_UNIT_UNROLL
      for (int s = 0; s < TSR_UNIT_SUMS; s++) {
        const int r = own->row + own->down + 16 * i + tsr_unit_row(own->lane, s);
        const int q = own->column + own->across + 16 * j + tsr_unit_column(own->lane, s);
        if (r < p->gemm.m && q < p->gemm.n) part[(long)r * p->gemm.n + q] = tsr_unit_total(sums, i, j, s);
      }
}
// The lanes' sums become results. Items are a multiple of the tile's columns: each has one of them.
TSR_FN void tsr_unit_finish(const tsr_integer_gemm_params *p, const tsr_unit_sums *sums,
                            const tsr_unit_item *own, __local float *values, __global const int *a,
                            __global const int *b, const tsr_output *output) {
  const int j = own->item % TSR_UNIT_TILE, q = own->column + j;
#pragma unroll TSR_UNIT_UNROLL
  for (int part = 0; part < 2; part++) {
    barrier(CLK_LOCAL_MEM_FENCE);
    tsr_unit_put(sums, part, own->down / 2, own->across, own->lane, values);
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int at = own->item; at < 2 * TSR_UNIT_PART * TSR_UNIT_TILE; at += TSR_UNIT_ITEMS) {
      const int i = at / TSR_UNIT_TILE;
      const int r = own->row + (i / TSR_UNIT_PART * 2 + part) * TSR_UNIT_PART + i % TSR_UNIT_PART;
      if (r < p->gemm.m && q < p->gemm.n)
        tsr_epilogue(output, r, q,
                     tsr_integer_scaled(values[tsr_unit_place(i, j)], a[p->a_scales + r], b[p->b_scales + q],
                                        TSR_DIGITS));
    }
  }
}

__kernel __attribute__((reqd_work_group_size(TSR_UNIT_ITEMS, 1, 1))) TSR_UNIT_SUBGROUP void
tsr_integer_matmul(const tsr_integer_gemm_params p, __global const int *a, __global const int *b,
                   __global const float *bias, __global float *c) {
  __local char tiles[TSR_UNIT_BYTES] __attribute__((aligned(128)));
  TSR_UNIT_EXCHANGE(exchange, TSR_UNIT_ITEMS)
  const int item = (int)get_local_id(0), lane = item % TSR_UNIT_LANES, warp = item / TSR_UNIT_LANES;
  const int row = (int)get_group_id(1) * TSR_UNIT_TILE, column = (int)get_group_id(0) * TSR_UNIT_TILE;
  const int down = warp / TSR_UNIT_ACROSS * (16 * TSR_UNIT_ROWS), across = warp % TSR_UNIT_ACROSS * 32;
  const int first = (int)get_group_id(2) * p.part_words;
  const int steps = (p.words - first < p.part_words ? p.words - first : p.part_words) / 8;
  tsr_unit_source x[TSR_UNIT_PIECES], y[TSR_UNIT_PIECES];
#pragma unroll TSR_UNIT_UNROLL
  for (int i = 0; i < TSR_UNIT_PIECES; i++) {
    // Where there are more work-items than pieces, some bring the same.
    const int at = (item + i * TSR_UNIT_ITEMS) % (2 * TSR_UNIT_TILE);
    x[i] = tsr_unit_source_of(a + p.a_first + first, p.words, row, p.gemm.m, at, tiles);
    y[i] =
        tsr_unit_source_of(b + p.b_first + first, p.words, column, p.gemm.n, at, tiles + TSR_UNIT_TILE * 32);
  }
  tsr_unit_sums sums;
#pragma unroll TSR_UNIT_UNROLL
  for (int w = 0; w < 3; w++)
#pragma unroll TSR_UNIT_UNROLL
    for (int i = 0; i < TSR_UNIT_ROWS; i++)
#pragma unroll TSR_UNIT_UNROLL
      for (int s = 0; s < TSR_UNIT_SUMS; s++) sums.of[w][i][0][s] = sums.of[w][i][1][s] = 0;
  if (steps > 0) tsr_unit_fetch(x, y, 0);
  for (int step = 0; step < steps; step++) {
    tsr_unit_arrive();
    if (step + 1 < steps) tsr_unit_fetch(x, y, step + 1);
    __local const char *stage = tiles + (step & 1) * TSR_UNIT_STAGE;
    int right[TSR_DIGITS][2][TSR_UNIT_WORDS];
#pragma unroll TSR_UNIT_UNROLL
    for (int d = 0; d < TSR_DIGITS; d++)
#pragma unroll TSR_UNIT_UNROLL
      for (int j = 0; j < 2; j++)
        tsr_unit_load_b(right[d][j], stage + ((2 * d + 1) * TSR_UNIT_TILE + across + 16 * j) * 32, lane);
#pragma unroll TSR_UNIT_UNROLL
    for (int i = 0; i < TSR_UNIT_ROWS; i++) {
      int left[TSR_DIGITS][TSR_UNIT_WORDS];
#pragma unroll TSR_UNIT_UNROLL
      for (int d = 0; d < TSR_DIGITS; d++)
        tsr_unit_load_a(left[d], stage + (2 * d * TSR_UNIT_TILE + down + 16 * i) * 32, lane);
#pragma unroll TSR_UNIT_UNROLL
      for (int d = 0; d < TSR_DIGITS; d++)
#pragma unroll TSR_UNIT_UNROLL
        for (int e = 0; e < TSR_DIGITS; e++)
          if (TSR_COUNTS(d, e)) {
#pragma unroll TSR_UNIT_UNROLL
            for (int j = 0; j < 2; j++) TSR_MULTIPLY(sums.of[d + e][i][j], left[d], right[e][j]);
          }
    }
  }
  const tsr_unit_item own = {item, lane, row, column, down, across};
  if (p.parts > 1) tsr_unit_keep(&p, &sums, &own, (__global long *)c);
  else {
    const tsr_output output = tsr_integer_output(&p, bias, c, column + item % TSR_UNIT_TILE);
    tsr_unit_finish(&p, &sums, &own, (__local float *)tiles, a, b, &output);
  }
}
#endif
