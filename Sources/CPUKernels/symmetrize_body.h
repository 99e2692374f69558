// SPDX-License-Identifier: Apache-2.0
// The blocks of symmetrize.c, per instruction set.
#include "vector.h"

#include "interleave.h"

// turned[r][c] = x[(j0 + c) n + i0 + r].
static void TSR_ISA(turn_block)(const float *x, int64_t n, int64_t i0, int rows, int64_t j0, int width,
                                float turned[16][TSR_LANES]) {
  const float *const from = x + j0 * n + i0;
  if (rows < 16 || width < TSR_LANES) {
    for (int c = 0; c < width; c++)
      for (int r = 0; r < rows; r++) turned[r][c] = from[c * n + r];
    return;
  }
  for (int c = 0; c < TSR_LANES; c += 8)
    for (int r = 0; r < 16; r += 8) {
      TSR_ISA(eight) t[8];
      for (int q = 0; q < 8; q++) t[q] = *(const TSR_ISA(loose_eight) *)(from + (c + q) * n + r);
      TSR_ISA(turn)(t);
      for (int q = 0; q < 8; q++) memcpy(&turned[r + q][c], &t[q], sizeof t[q]);
    }
}

void TSR_ISA(tsr_symmetrize)(const void *params, void *const *buffers, int64_t begin, int64_t end) {
  const int64_t n = ((const tsr_points_params *)params)->points;
  const float *const x = (const float *)buffers[0];
  float *const y = (float *)buffers[1];
  float *const totals = (float *)buffers[2];
  for (int64_t i0 = begin; i0 < end; i0 += 16) {
    const int rows = end - i0 < 16 ? (int)(end - i0) : 16;
    _Alignas(64) float sums[16][TSR_LANES] = {{0.0f}}, parts[16][TSR_POINT_LEVELS][TSR_LANES];
    float turned[16][TSR_LANES];
    tsr_u32 blocks = 0;
    for (int64_t j0 = 0; j0 < n; j0 += TSR_LANES) {
      if (j0 > 0 && j0 % (TSR_BLOCK_STEPS * TSR_LANES) == 0) {
        for (int r = 0; r < rows; r++) tsr_fold(sums[r], parts[r], blocks);
        blocks++;
      }
      const int width = n - j0 < TSR_LANES ? (int)(n - j0) : TSR_LANES;
      TSR_ISA(turn_block)(x, n, i0, rows, j0, width, turned);
      for (int r = 0; r < rows; r++) {
        const float *const one = x + (i0 + r) * n + j0;
        float *const out = y + (i0 + r) * n + j0;
        for (int c = 0; c < width; c++) {
          const float v = one[c] + turned[r][c];
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
