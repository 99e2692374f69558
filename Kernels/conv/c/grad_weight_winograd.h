// SPDX-License-Identifier: Apache-2.0
// Weight gradients of convolutions by fewer multiplications on the CPU. (OpenCL: conv/winograd.cl.)
//
// Algorithm  Of conv/winograd_work.h; the groups of samples have taps of their own, and these are added
//            afterwards.
// Tensors    Those of conv/winograd_tiles.h. `partial`: (group, outputs, channels, taps).
// Work       A thread takes (group, block of outputs, block of inputs) tasks from the plan's counter.
// Tuning     high, wide (Backend/WinogradTasks.swift): S, V and D stay near the level 2 cache.
//
//   group 0, 1, ...:  taps (outputs, channels, r r)   ->   dw = ((0 + taps 0) + taps 1) + ...
//
// Rules      6, 9, 11.
#pragma once

#include "conv/c/winograd.h"

static int64_t tsr_grad_weight_winograd_scratch_count(const tsr_winograd_params *p) {
  tsr_winograd_weight_scratch s;
  tsr_winograd_weight_lay_out(p, TSR_VECTOR, &s);
  return s.count;
}

static void tsr_grad_weight_winograd_work(const tsr_winograd_weight_plan *plan, tsr_worker worker,
                                          float *scratch) {
  const tsr_winograd_params *p = &plan->params;
  tsr_winograd_weight_scratch s;
  tsr_winograd_weight_lay_out(p, TSR_VECTOR, &s);
  for (int64_t next; (next = tsr_next_task(&worker, tsr_wino_weight_tasks(p, plan->groups))) >= 0;) {
    const tsr_wino_weight_task t = tsr_wino_weight_task_at(p, next);
    const tsr_wino_weight_operands o = {plan->x, plan->dy, plan->partial};
    tsr_wino_weight_work(p, &s, &t, &o, plan->first_group, scratch);
  }
}

// Groups' results in ascending order, the first to +0: elements begin ..< end.
static void tsr_grad_weight_winograd_reduce(const tsr_winograd_weight_plan *plan, float *dw, int64_t begin,
                                            int64_t end) {
  const tsr_winograd_params *p = &plan->params;
  const tsr_i64 weights = (tsr_i64)p->outputs * p->channels * p->taps * p->taps;
  for (int64_t i = begin; i < end; i++) {
    float sum = plan->first_group > 0 ? dw[i] : 0.0f;
    for (int group = 0; group < plan->groups; group++) sum = sum + plan->partial[group * weights + i];
    dw[i] = tsr_canonical(sum);
  }
}
