// SPDX-License-Identifier: Apache-2.0
// p_j|i + p_i|j and its row sums on the CPU. (OpenCL: tsne/tsne.cl.)
//
// Algorithm  Blocks of 16 rows by 64 columns. The columns of the other direction are transposed on the
//            way, so that a cache line of them is fetched once and not once for each of its 16 columns:
//            these are a row's length apart and often fall into the same few sets of the cache.
// Tensors    x, y: (points, points); sums: (points).
// Work       A thread has a range of rows.
// Tuning     None.
//
//   x:   rows i0 ... i0 + 15        [ . . # # # # . . ]      #: 64 columns from j0
//        rows j0 ... j0 + 63        their 16 columns from i0, transposed to 16 rows of 64
//
// Rules      5 (64 lanes, blocks of 1,024 elements), 9.
#pragma once

#include "common/c/lane_sums.h"
#include "common/c/transpose.h"

// The transpose of `width` rows, n floats apart, of `rows` floats.
static void transpose_block(const float *from, int64_t n, int rows, int width,
                            float transposed[16][TSR_LANES]) {
  if (rows < 16 || width < TSR_LANES) {
    for (int c = 0; c < width; c++)
      for (int r = 0; r < rows; r++) transposed[r][c] = from[c * n + r];
    return;
  }
  for (int c = 0; c < TSR_LANES; c += 8)
    for (int r = 0; r < 16; r += 8) {
      vector8 t[8];
      for (int q = 0; q < 8; q++) t[q] = *(const unaligned_vector8 *)(from + (c + q) * n + r);
      transpose8x8(t);
      for (int q = 0; q < 8; q++) memcpy(&transposed[r + q][c], &t[q], sizeof t[q]);
    }
}

static void tsr_symmetrize(const void *params, void *const *buffers, int64_t begin, int64_t end) {
  const int64_t n = ((const tsr_points_params *)params)->points;
  const float *const x = (const float *)buffers[0];
  float *const y = (float *)buffers[1];
  float *const totals = (float *)buffers[2];
  for (int64_t i0 = begin; i0 < end; i0 += 16) {
    const int rows = end - i0 < 16 ? (int)(end - i0) : 16;
    _Alignas(64) float sums[16][TSR_LANES] = {{0.0f}}, parts[16][TSR_POINT_LEVELS][TSR_LANES];
    float transposed[16][TSR_LANES];
    tsr_u32 blocks = 0;
    for (int64_t j0 = 0; j0 < n; j0 += TSR_LANES) {
      if (j0 > 0 && j0 % (TSR_BLOCK_STEPS * TSR_LANES) == 0) {
        for (int r = 0; r < rows; r++) tsr_fold(sums[r], parts[r], blocks);
        blocks++;
      }
      const int width = n - j0 < TSR_LANES ? (int)(n - j0) : TSR_LANES;
      transpose_block(x + j0 * n + i0, n, rows, width, transposed);
      for (int r = 0; r < rows; r++) {
        const float *const one = x + (i0 + r) * n + j0;
        float *const out = y + (i0 + r) * n + j0;
        for (int c = 0; c < width; c++) {
          const float v = one[c] + transposed[r][c];
          out[c] = tsr_canonical(v);
          sums[r][c] += v;
        }
      }
    }
    for (int r = 0; r < rows; r++) {
      tsr_join(sums[r], parts[r], blocks);
      totals[i0 + r] = tsr_canonical(tsr_halves(sums[r]));
    }
  }
}
