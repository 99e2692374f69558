// SPDX-License-Identifier: Apache-2.0
// What follows a contraction's sum in memory.
#pragma once

#include "common/math.h"

// c = tile or c + tile; after the last sum bias, activation and the one NaN. `bias` is the whole vector,
// (row, column) the pixel of the first element in it.
static void store_epilogue(int bias_kind, int activation, const float *bias, float *restrict c, int64_t c_row,
                           const float *restrict tile, int64_t tile_row, int rows, int columns, int row,
                           int column, int add, int last) {
  for (int r = 0; r < rows; r++, c += c_row, tile += tile_row) {
    if (add)
      for (int j = 0; j < columns; j++) c[j] = c[j] + tile[j];
    else
      for (int j = 0; j < columns; j++) c[j] = tile[j];
    if (!last) continue;
    if (bias_kind == TSR_BIAS_ROW) {
      const float v = bias[row + r];
      for (int j = 0; j < columns; j++) c[j] = c[j] + v;
    } else if (bias_kind == TSR_BIAS_COLUMN) {
      const float *v = bias + column;
      for (int j = 0; j < columns; j++) c[j] = c[j] + v[j];
    }
    // A loop for each, which the compiler makes a vector.
#define TSR_CASE(kind)                                                                \
  case kind:                                                                          \
    for (int j = 0; j < columns; j++) c[j] = tsr_canonical(tsr_activate(c[j], kind)); \
    break;
    switch (activation) {
      TSR_CASE(TSR_ACT_RELU)
      TSR_CASE(TSR_ACT_RELU6)
      TSR_CASE(TSR_ACT_GELU)
      TSR_CASE(TSR_ACT_TANH)
      TSR_CASE(TSR_ACT_GELU_TANH)
      default:
        for (int j = 0; j < columns; j++) c[j] = tsr_canonical(c[j]);
    }
#undef TSR_CASE
  }
}
