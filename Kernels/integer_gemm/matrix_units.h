// SPDX-License-Identifier: Apache-2.0
// Matrix units of int8, each as one operation: 16 rows times 16 columns, 32 of k, by the lanes of a warp.
//
// Algorithm  An integer sum has no order, so every unit gives the bits of rule 12. A unit here is what its
//            lanes hold: which of A's and B's bytes (fragments), which of the sums.
// Tensors    tile: lines of 32 digits in local memory, 16 bytes apart swapped in lines with bit 2 set, so
//            that eight lines that are read at once come from all banks. a, b: a lane's words of a
//            fragment; sums: a lane's of the 16 x 16.
// Work       TSR_UNIT_LANES work-items, a warp (NVIDIA), a wavefront (AMD) or a subgroup (Intel), side by
//            side in a work-group of one dimension.
// Tuning     TSR_UNITS: whose. 1: NVIDIA from sm_80 on, mma.sync m16n8k32 by PTX in the text; 2: AMD RDNA 3,
//            WMMA; 3: AMD CDNA 3, MFMA; 4: Intel XMX, subgroups of 16. 2 to 4 have not met their devices.
//            TSR_UNITS_ASYNC (NVIDIA): tiles come by cp.async, fragments by ldmatrix; else by plain loads.
//            TSR_UNITS_EMULATED: the lanes' exchange is written out, for every device: a rehearsal.
//
//    lane:    0 1 2 3 ...            one lane's part of NVIDIA's
//          a [16 x 32] x b [32 x 16]  ->  sums [16 x 16] += a b
//
// Rules      12.
#pragma once

#include "include/tessera_base.h"

#ifdef TSR_UNITS
#if TSR_UNITS == 1
#define TSR_UNIT_LANES 32
#define TSR_UNIT_WORDS 4
#elif TSR_UNITS == 2
#define TSR_UNIT_LANES 32
#define TSR_UNIT_WORDS 8
#elif TSR_UNITS == 3
#define TSR_UNIT_LANES 64
#define TSR_UNIT_WORDS 2
#else
#define TSR_UNIT_LANES 16
#define TSR_UNIT_WORDS 8
#endif
#define TSR_UNIT_SUMS (256 / TSR_UNIT_LANES)

// Where 16 bytes of a line begin: side 0 or 1.
TSR_FN int tsr_tile_offset(int line, int side) { return line * 32 + ((side ^ (line >> 2 & 1)) << 4); }
// A word of a line.
TSR_FN int tsr_tile_word(__local const char *tile, int line, int word) {
  return *(__local const int *)(tile + tsr_tile_offset(line, word >> 2) + (word & 3) * 4);
}

// The row and the column of a lane's sum.
TSR_FN int tsr_unit_row(int lane, int sum) {
#if TSR_UNITS == 1
  return lane / 4 + (sum >> 1 & 1) * 8;
#elif TSR_UNITS == 2
  return 2 * sum + lane / 16;
#elif TSR_UNITS == 3
  return 4 * (lane / 16) + sum;
#else
  return sum;
#endif
}
TSR_FN int tsr_unit_column(int lane, int sum) {
#if TSR_UNITS == 1
  return (sum >> 2) * 8 + lane % 4 * 2 + (sum & 1);
#else
  return lane % 16;
#endif
}

// A lane's words of 16 lines: of rows of A, of columns of B.
TSR_FN void tsr_unit_load_a(int *a, __local const char *tile, int lane) {
#if TSR_UNITS == 1 && defined TSR_UNITS_ASYNC && !defined TSR_UNITS_EMULATED
  const tsr_u32 at = (tsr_u32)(size_t)(tile + tsr_tile_offset(lane % 16, lane >> 4));
  __asm__ volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
                   : "=r"(a[0]), "=r"(a[1]), "=r"(a[2]), "=r"(a[3])
                   : "r"(at)
                   : "memory");
#elif TSR_UNITS == 1
  for (int i = 0; i < 4; i++) a[i] = tsr_tile_word(tile, lane / 4 + (i & 1) * 8, (i >> 1) * 4 + lane % 4);
#elif TSR_UNITS == 2
  for (int i = 0; i < 8; i++) a[i] = tsr_tile_word(tile, lane % 16, i);
#elif TSR_UNITS == 3
  for (int i = 0; i < 2; i++) a[i] = tsr_tile_word(tile, lane % 16, lane / 16 * 2 + i);
#else
  // Two bytes a row, of rows 2 i and 2 i + 1 in a word.
  for (int i = 0; i < 8; i++) {
    const int shift = (lane & 1) * 16;
    const tsr_u32 low = (tsr_u32)tsr_tile_word(tile, 2 * i, lane / 2) >> shift & 0xffffu;
    const tsr_u32 high = (tsr_u32)tsr_tile_word(tile, 2 * i + 1, lane / 2) >> shift & 0xffffu;
    a[i] = (int)(low | high << 16);
  }
#endif
}
TSR_FN void tsr_unit_load_b(int *b, __local const char *tile, int lane) {
#if TSR_UNITS == 1 && defined TSR_UNITS_ASYNC && !defined TSR_UNITS_EMULATED
  const tsr_u32 at = (tsr_u32)(size_t)(tile + tsr_tile_offset(lane % 8 + (lane >> 4) * 8, lane >> 3 & 1));
  __asm__ volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
                   : "=r"(b[0]), "=r"(b[1]), "=r"(b[2]), "=r"(b[3])
                   : "r"(at)
                   : "memory");
#elif TSR_UNITS == 1
  for (int i = 0; i < 4; i++) b[i] = tsr_tile_word(tile, lane / 4 + (i >> 1) * 8, (i & 1) * 4 + lane % 4);
#elif TSR_UNITS == 3
  for (int i = 0; i < 2; i++) b[i] = tsr_tile_word(tile, lane % 16, lane / 16 * 2 + i);
#else
  for (int i = 0; i < 8; i++) b[i] = tsr_tile_word(tile, lane % 16, i);
#endif
}

#ifdef TSR_UNITS_EMULATED
// What the lanes of a work-group exchange: each its words of A and of B.
#define TSR_UNIT_EXCHANGE(name, items) __local int name[items][2 * TSR_UNIT_WORDS];

// Which lane of a unit has a word of a row of A, of a column of B, and as which of its words.
TSR_FN int tsr_unit_word_of_a(__local const int (*lanes)[2 * TSR_UNIT_WORDS], int row, int word) {
#if TSR_UNITS == 1
  return lanes[row % 8 * 4 + word % 4][row / 8 + word / 4 * 2];
#elif TSR_UNITS == 2
  return lanes[row][word];
#elif TSR_UNITS == 3
  return lanes[row + word / 2 * 16][word % 2];
#else
  const tsr_u32 low = (tsr_u32)lanes[2 * word][row / 2] >> row % 2 * 16 & 0xffffu;
  const tsr_u32 high = (tsr_u32)lanes[2 * word + 1][row / 2] >> row % 2 * 16 & 0xffffu;
  return (int)(low | high << 16);
#endif
}
TSR_FN int tsr_unit_word_of_b(__local const int (*lanes)[2 * TSR_UNIT_WORDS], int column, int word) {
#if TSR_UNITS == 1
  return lanes[column % 8 * 4 + word % 4][TSR_UNIT_WORDS + word / 4 + column / 8 * 2];
#elif TSR_UNITS == 3
  return lanes[column + word / 2 * 16][TSR_UNIT_WORDS + word % 2];
#else
  return lanes[column][TSR_UNIT_WORDS + word];
#endif
}

// sums += a b, by all work-items of the work-group at once.
TSR_FN void tsr_unit_multiply(int *sums, const int *a, const int *b, int item,
                              __local int (*exchange)[2 * TSR_UNIT_WORDS]) {
  barrier(CLK_LOCAL_MEM_FENCE);
  for (int i = 0; i < TSR_UNIT_WORDS; i++) {
    exchange[item][i] = a[i];
    exchange[item][TSR_UNIT_WORDS + i] = b[i];
  }
  barrier(CLK_LOCAL_MEM_FENCE);
  const int lane = item % TSR_UNIT_LANES;
  __local const int(*lanes)[2 * TSR_UNIT_WORDS] = exchange + (item - lane);
  for (int i = 0; i < TSR_UNIT_SUMS; i++)
    for (int word = 0; word < 8; word++) {
      const char4 x = as_char4(tsr_unit_word_of_a(lanes, tsr_unit_row(lane, i), word));
      const char4 y = as_char4(tsr_unit_word_of_b(lanes, tsr_unit_column(lane, i), word));
      sums[i] += x.x * y.x + x.y * y.y + x.z * y.z + x.w * y.w;
    }
}
#else
#define TSR_UNIT_EXCHANGE(name, items)

#if TSR_UNITS == 1
// Columns 0 to 7 or 8 to 15.
TSR_FN void tsr_unit_mma(int *d, const int *a, int b0, int b1) {
  int r0, r1, r2, r3;
  __asm__ volatile(
      "mma.sync.aligned.m16n8k32.row.col.s32.s8.s8.s32 "
      "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%10, %11, %12, %13};"
      : "=r"(r0), "=r"(r1), "=r"(r2), "=r"(r3)
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1), "r"(d[0]), "r"(d[1]), "r"(d[2]),
        "r"(d[3]));
  d[0] = r0, d[1] = r1, d[2] = r2, d[3] = r3;
}
#endif

// sums += a b, by the lanes of a unit.
TSR_FN void tsr_unit_multiply(int *sums, const int *a, const int *b) {
#if TSR_UNITS == 1
  tsr_unit_mma(sums, a, b[0], b[1]);
  tsr_unit_mma(sums + 4, a, b[2], b[3]);
#elif TSR_UNITS == 2
  int8 c = vload8(0, sums);
  for (int side = 0; side < 2; side++)
    c = __builtin_amdgcn_wmma_i32_16x16x16_iu8_w32(1, vload4(side, a), 1, vload4(side, b), c, 0);
  vstore8(c, 0, sums);
#elif TSR_UNITS == 3
  const int4 c = __builtin_amdgcn_mfma_i32_16x16x32_i8(as_long(vload2(0, a)), as_long(vload2(0, b)),
                                                       vload4(0, sums), 0, 0, 0);
  vstore4(c, 0, sums);
#else
  for (int side = 0; side < 2; side++)
    vstore8(
        intel_sub_group_i8_i8_matrix_mad_k32(as_short8(vload4(side, a)), vload8(0, b), vload8(side, sums)),
        side, sums);
#endif
}
#endif
#endif
