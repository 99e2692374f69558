// SPDX-License-Identifier: Apache-2.0
// The micro-kernel for a number of rows that is known at run time.
//
// Algorithm  A few fixed heights are compiled, so that the accumulators stay in registers; `round_up_mr`
//            tells which of them serves.
// Tensors    Those of microkernel.h; rows beyond the last are zeros of the packed panel, and are not
//            stored.
// Work       One thread.
// Tuning     TSR_MR (isa/): the highest tile.
//
//   rows      1  2  3  4  5 ... 8  9 10 11 12 13 14
//   height    1  2  4  4  8 ... 8 10 10 12 12 14 14     (MR 14)
//
// Rules      10: the height changes no sum.
#pragma once

#include "gemm/c/microkernel.h"

// A few fixed heights, so that the accumulators stay in registers; `height` tells which one serves so
// many rows.
static inline int round_up_mr(int rows) {
  if (rows <= 2) return rows;
  if (rows <= 4) return 4;
#if TSR_MR > 8
  if (rows <= 8) return 8;
  if (rows <= 10) return 10;
  if (rows <= 12) return 12;
#endif
  return TSR_MR;
}

#define TSR_HEIGHT(n) \
  case n: return gemm_microkernel((tile_form){n, 2, 0, 0}, o, 0, t);
static void dispatch_mr(int height, int distance, const tile_operands *o, const epilogue *t) {
  if (distance) return gemm_microkernel((tile_form){TSR_MR, 2, 1, 0}, o, 0, t);
  switch (height) {
    TSR_HEIGHT(1)
    TSR_HEIGHT(2)
#if TSR_MR > 4
    TSR_HEIGHT(4)
#endif
#if TSR_MR > 8
    TSR_HEIGHT(8)
    TSR_HEIGHT(10)
#endif
#if TSR_MR > 12
    TSR_HEIGHT(12)
#endif
    default: return gemm_microkernel((tile_form){TSR_MR, 2, 0, 0}, o, 0, t);
  }
}
#undef TSR_HEIGHT

// Tiles of TSR_MR rows: of one vector of columns (B is packed as for two), or whose A is read in place.
static void dispatch_whole(int vectors, int in_place, const tile_operands *o, const epilogue *t) {
  if (!in_place && vectors == 1) return gemm_microkernel((tile_form){TSR_MR, 1, 0, 0}, o, 0, t);
  if (!in_place) return gemm_microkernel((tile_form){TSR_MR, 2, 0, 0}, o, 0, t);
  if (vectors == 1) return gemm_microkernel((tile_form){TSR_MR, 1, 0, 1}, o, 0, t);
  gemm_microkernel((tile_form){TSR_MR, 2, 0, 1}, o, 0, t);
}
