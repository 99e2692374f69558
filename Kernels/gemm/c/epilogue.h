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
    switch (activation) {
      case TSR_ACT_RELU:
        for (int j = 0; j < columns; j++) c[j] = tsr_canonical(tsr_relu(c[j]));
        break;
      case TSR_ACT_RELU6:
        for (int j = 0; j < columns; j++) c[j] = tsr_canonical(tsr_relu6(c[j]));
        break;
      case TSR_ACT_GELU:
        for (int j = 0; j < columns; j++) c[j] = tsr_canonical(tsr_gelu(c[j]));
        break;
      case TSR_ACT_TANH:
        for (int j = 0; j < columns; j++) c[j] = tsr_canonical(tsr_tanh(c[j]));
        break;
      default:
        for (int j = 0; j < columns; j++) c[j] = tsr_canonical(c[j]);
    }
  }
}
