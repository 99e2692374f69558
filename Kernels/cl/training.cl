// SPDX-License-Identifier: Apache-2.0
// Random numbers, dropout, gathers and optimiser steps: one work-item an element (a row, for gathers).

#include "tessera_philox.h"
#include "tessera_sums.h"

TSR_WORDS1(tsr_random_words, tsr_random_params, p.count, unsigned, y)
  y[i] = word;
TSR_WORDS_END

TSR_WORDS1(tsr_random_uniform, tsr_random_params, p.count, float, y)
  const float v = tsr_fma(tsr_unit(word), p.b - p.a, p.a);
  y[i] = v < p.b ? v : p.a;
TSR_WORDS_END

TSR_ITEMS1(tsr_random_normal_fill, tsr_random_params, p.count, float, y)
  y[i] = tsr_fma(tsr_random_normal(p, i), p.b, p.a);
TSR_END

TSR_WORDS2(tsr_dropout, tsr_random_params, p.count, const float, x, float, y)
  y[i] = tsr_canonical(tsr_unit(word) >= p.a ? x[i] * p.b : 0.0f);
TSR_WORDS_END

// An id outside the table gives a row of NaN, never a read outside the table. classes: the table's entries.
TSR_ROWS3(tsr_gather, tsr_gather_params, p.rows, const float, table, const int, ids, float, y)
  const int id = ids[i];
  const int known = id >= 0 && id < p.classes;
  TSR_EACH_COLUMN(p.cols, y[i * p.cols + j] =
                              known ? tsr_canonical(table[(tsr_i64)id * p.cols + j]) : tsr_float(TSR_NAN_BITS);)
TSR_END

// Kingma and Ba 2015, algorithm 1, in PyTorch's order: denominator sqrt(v) / sqrt(correction2) + eps.
TSR_ITEMS4(tsr_adam, tsr_adam_params, p.count, const float, gradient, float, parameter, float, first, float, second)
  const float w = parameter[i];
  const float g = tsr_fma(p.weight_decay, w, gradient[i]);
  const float m = tsr_fma(1.0f - p.beta1, g - first[i], first[i]);
  const float v = tsr_fma((1.0f - p.beta2) * g, g, p.beta2 * second[i]);
  const float denominator = tsr_div(tsr_sqrt(v), tsr_sqrt(p.correction2)) + p.eps;
  first[i] = tsr_canonical(m);
  second[i] = tsr_canonical(v);
  parameter[i] = tsr_canonical(tsr_fma(-tsr_div(p.lr, p.correction1), tsr_div(m, denominator), w));
TSR_END
