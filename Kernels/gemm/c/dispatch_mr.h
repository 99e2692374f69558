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

static void dispatch_mr(int height, int distance, const tile_operands *o, const epilogue *t) {
  if (distance) return gemm_microkernel(TSR_MR, 1, o, 0, t);
  switch (height) {
    case 1: return gemm_microkernel(1, 0, o, 0, t);
    case 2: return gemm_microkernel(2, 0, o, 0, t);
#if TSR_MR > 4
    case 4: return gemm_microkernel(4, 0, o, 0, t);
#endif
#if TSR_MR > 8
    case 8: return gemm_microkernel(8, 0, o, 0, t);
    case 10: return gemm_microkernel(10, 0, o, 0, t);
#endif
#if TSR_MR > 12
    case 12: return gemm_microkernel(12, 0, o, 0, t);
#endif
    default: return gemm_microkernel(TSR_MR, 0, o, 0, t);
  }
}
