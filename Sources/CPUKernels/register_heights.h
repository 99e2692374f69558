// SPDX-License-Identifier: Apache-2.0
// The register tile for so many rows, per instruction set.

// A few fixed heights, so that the accumulators stay in registers; `height` tells which one serves so many rows.
static inline int TSR_ISA(height)(int rows) {
  if (rows <= 2) return rows;
  if (rows <= 4) return 4;
#if TSR_MR > 8
  if (rows <= 8) return 8;
  if (rows <= 10) return 10;
  if (rows <= 12) return 12;
#endif
  return TSR_MR;
}

static void TSR_ISA(micro_rows)(int height, int distance, int kc, const float *a, const float *b,
                                const TSR_ISA(target) *t) {
  if (distance) return TSR_ISA(micro)(TSR_MR, 1, kc, a, 0, b, t);
  switch (height) {
    case 1: return TSR_ISA(micro)(1, 0, kc, a, 0, b, t);
    case 2: return TSR_ISA(micro)(2, 0, kc, a, 0, b, t);
#if TSR_MR > 4
    case 4: return TSR_ISA(micro)(4, 0, kc, a, 0, b, t);
#endif
#if TSR_MR > 8
    case 8: return TSR_ISA(micro)(8, 0, kc, a, 0, b, t);
    case 10: return TSR_ISA(micro)(10, 0, kc, a, 0, b, t);
#endif
#if TSR_MR > 12
    case 12: return TSR_ISA(micro)(12, 0, kc, a, 0, b, t);
#endif
    default: return TSR_ISA(micro)(TSR_MR, 0, kc, a, 0, b, t);
  }
}
