// SPDX-License-Identifier: Apache-2.0
// The micro-kernel for numbers of rows and vectors that are known at run time.
//
// Algorithm  Every height is compiled, for one vector of columns and for two, so that the accumulators
//            stay in registers and no work goes into rows or columns that are not there.
// Tensors    Those of microkernel.h; B: (kc, vectors).
// Work       One thread.
// Tuning     TSR_MR (isa/): the highest tile.
//
//   columns    1 ... VECTOR       VECTOR + 1 ... NR
//   vectors    1                  2                      heights 1 ... MR
//
// Rules      10: the height changes no sum.
#pragma once

#include "gemm/c/microkernel.h"

#define TSR_EACH_HEIGHT_4(X) X(1) X(2) X(3) X(4)
#define TSR_EACH_HEIGHT_6(X) TSR_EACH_HEIGHT_4(X) X(5) X(6)
#define TSR_EACH_HEIGHT_12(X) TSR_EACH_HEIGHT_6(X) X(7) X(8) X(9) X(10) X(11) X(12)
#define TSR_EACH_HEIGHT_14(X) TSR_EACH_HEIGHT_12(X) X(13) X(14)
#define TSR_HEIGHTS_OF(mr, X) TSR_EACH_HEIGHT_##mr(X)
#define TSR_HEIGHTS(mr, X) TSR_HEIGHTS_OF(mr, X)

// Tiles of packed A, `height` rows of `vectors` vectors.
static void dispatch_mr(int height, int vectors, const tile_operands *o, const epilogue *t) {
#define TSR_ONE(n) \
  case n: return gemm_microkernel((tile_form){n, 1, 0, 0}, o, 0, t);
#define TSR_TWO(n) \
  case n: return gemm_microkernel((tile_form){n, 2, 0, 0}, o, 0, t);
  if (vectors == 1) switch (height) {
      TSR_HEIGHTS(TSR_MR, TSR_ONE)
    }
  else switch (height) {
      TSR_HEIGHTS(TSR_MR, TSR_TWO)
    }
#undef TSR_ONE
#undef TSR_TWO
}

// TSR_MR rows of A that are read where they lie.
static void dispatch_in_place(int vectors, const tile_operands *o, const epilogue *t) {
  if (vectors == 1) return gemm_microkernel((tile_form){TSR_MR, 1, 0, 1}, o, 0, t);
  gemm_microkernel((tile_form){TSR_MR, 2, 0, 1}, o, 0, t);
}

// Squares of differences, by whole tiles.
static void dispatch_distance(const tile_operands *o, const epilogue *t) {
  gemm_microkernel((tile_form){TSR_MR, 2, 1, 0}, o, 0, t);
}
