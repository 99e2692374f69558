// SPDX-License-Identifier: Apache-2.0
// Random numbers and dropout: element i has word i mod 4 of Philox block i / 4 (rule 8).
//
//   y: (count)   one work-item an element; in C 64 blocks at a time are made first, each once

#include "common/kernel_forms.h"
#include "common/philox.h"

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
