// SPDX-License-Identifier: Apache-2.0
// Convolutions by fewer multiplications on the CPU, forward and for the data. (OpenCL: conv/winograd.cl.)
//
// Algorithm  Of conv/winograd_work.h; here is what that needs of C.
// Tensors    Those of conv/winograd_tiles.h. `packed`: U.
// Work       A thread takes tasks, blocks of tiles or parts of their panels, from the plan's counter.
// Tuning     TSR_MR x TSR_NR (isa/); `block` and `parts` (Backend/WinogradTasks.swift).
//
//   tiles  [ block 0 | block 1 | block 2 | ... ]   next: the first task that no worker has taken
//
// Rules      4, 9, 11.
#pragma once

#include "common/c/transpose.h"
#include "gemm/c/epilogue.h"

#define TSR_WINO_VEC vector
#define TSR_WINO_LANES TSR_VECTOR
#define TSR_WINO_PANEL TSR_NR
#define TSR_WINO_VECTORS 2
#define TSR_WINO_HEIGHT TSR_MR
#define tsr_wino_load(p) ((vector)(*(const unaligned_vector *)(p)))
#define tsr_wino_store(v, p) (*(unaligned_vector *)(p) = (v))
typedef float vector4 __attribute__((ext_vector_type(4)));
TSR_FN vector tsr_wino_load_part(const float *from, int count) {
  vector v = 0.0f;
  memcpy(&v, from, (size_t)(count < TSR_VECTOR ? count : TSR_VECTOR) * sizeof *from);
  return v;
}
// By halves: a copy of a length that is known only now is a call.
TSR_FN void tsr_wino_store_part(vector v, float *to, int count) {
  int at = 0;
  if (count >= TSR_VECTOR) {
    memcpy(to, &v, sizeof v);
    return;
  }
#if TSR_VECTOR > 8
  vector8 eight = v.lo;
  if (count & 8) memcpy(to, &eight, sizeof eight), eight = v.hi, at = 8;
#elif TSR_VECTOR == 8
  const vector8 eight = v;
#endif
#if TSR_VECTOR > 4
  vector4 four = eight.lo;
  if (count & 4) memcpy(to + at, &four, sizeof four), four = eight.hi, at += 4;
#else
  const vector4 four = v;
#endif
  if (count & 1) to[at] = four.x;
  if ((count & 3) == 2) to[at] = four.x, to[at + 1] = four.y;
  if ((count & 3) == 3) to[at + 1] = four.y, to[at + 2] = four.z;
}
TSR_FN void tsr_wino_transpose(vector *t) { transpose_square(t); }

#define TSR_UNROLL4(X) X(0) X(1) X(2) X(3)
#if TSR_MR == 14
#define TSR_UNROLL_TILE(X) TSR_UNROLL4(X) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13)
#elif TSR_MR == 12
#define TSR_UNROLL_TILE(X) TSR_UNROLL4(X) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11)
#elif TSR_MR == 6
#define TSR_UNROLL_TILE(X) TSR_UNROLL4(X) X(4) X(5)
#else
#define TSR_UNROLL_TILE(X) TSR_UNROLL4(X)
#endif

// What of an activation is comparisons alone, with the one NaN; every other one follows in memory.
TSR_FN vector tsr_wino_finish(vector v, int activation) {
  if (activation == TSR_ACT_RELU) v = relus(v);
  if (activation == TSR_ACT_RELU6) v = relu6s(v);
  return is_simple_activation(activation) ? canonicals(v) : v;
}
TSR_FN void tsr_wino_finish_row(int activation, float *row, int count) {
  if (is_simple_activation(activation)) return;
  const int whole = count / TSR_VECTOR * TSR_VECTOR, left = count - whole;
  activate_rows(activation, row, count, 1, whole);
  vector rest = 0.0f;
  memcpy(&rest, row + whole, (size_t)left * sizeof *row);
  activate_rows(activation, (float *)&rest, TSR_VECTOR, 1, TSR_VECTOR);
  memcpy(row + whole, &rest, (size_t)left * sizeof *row);
}
#if TSR_MR == 14
#define TSR_WINO_HEIGHTS(X) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13)
#elif TSR_MR == 12
#define TSR_WINO_HEIGHTS(X) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11)
#elif TSR_MR == 6
#define TSR_WINO_HEIGHTS(X) X(1) X(2) X(3) X(4) X(5)
#else
#define TSR_WINO_HEIGHTS(X) X(1) X(2) X(3)
#endif

TSR_FN float tsr_wino_lane(const vector *v, int i, int lane) { return v[i][lane]; }

#include "conv/winograd_work.h"

static int64_t tsr_winograd_scratch_count(const tsr_winograd_params *p) {
  tsr_winograd_scratch s;
  tsr_winograd_lay_out(p, TSR_VECTOR, TSR_NR, &s);
  return s.count;
}

// U of panels begin / channels ..< end / channels; a task is a channel of a panel.
static void tsr_winograd_pack(const tsr_winograd_plan *plan, int begin, int end) {
  float taps[(25 + 2 * TSR_VECTOR) * TSR_VECTOR];
  const tsr_wino_packing packing = {plan->w, plan->packed, taps};
  tsr_wino_pack(&plan->params, &packing, begin, end);
}

static void tsr_winograd_work(const tsr_winograd_plan *plan, tsr_worker worker, float *scratch) {
  const tsr_winograd_params *p = &plan->params;
  tsr_winograd_scratch s;
  tsr_winograd_lay_out(p, TSR_VECTOR, TSR_NR, &s);
  const tsr_wino_operands o = {plan->x, plan->packed, plan->bias, plan->y};
  for (int64_t task; (task = tsr_next_task(&worker, tsr_wino_tasks(p))) >= 0;) {
    tsr_wino_work(p, &s, &o, task, scratch);
  }
}
