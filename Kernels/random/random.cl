// SPDX-License-Identifier: Apache-2.0
// Random words, uniform and normal numbers, and dropout.
//
// Algorithm  Philox4x32-10 (Salmon et al. 2011, common/philox.h); normal numbers by Box and Muller 1958;
//            dropout of Srivastava et al. 2014, what is kept times 1 / (1 - rate).
// Tensors    x, y: (count).
// Work       One item an element. In C, 64 blocks of four words are made first, each once.
// Tuning     None.
//
//   element:   0 1 2 3 | 4 5 6 7 | ...
//   block:     0       | 1       | ...      element i has word i mod 4 of block i / 4
//
// Rules      7 (numbers by seed, stream and element), 9.

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
