// SPDX-License-Identifier: Apache-2.0
// Optimiser steps, in place.
//
// Algorithm  Adam (Kingma and Ba 2015, algorithm 1) in PyTorch's order of operations.
// Tensors    gradient, parameter, first and second moment: (count).
// Work       One item an element.
// Tuning     None.
//
//   gradient [i]  ->  first [i], second [i]  ->  parameter [i]
//
// Rules      1 to 3, 9. The powers of beta come from the host (rule 8).
#include "common/kernel_forms.h"
#include "common/math.h"

// Kingma and Ba 2015, algorithm 1, in PyTorch's order: denominator sqrt(v) / sqrt(correction2) + eps.
TSR_ITEMS4(tsr_adam, tsr_adam_params, p.count, const float, gradient, float, parameter, float, first, float,
           second)
  const float w = parameter[i];
  const float g = tsr_fma(p.weight_decay, w, gradient[i]);
  const float m = tsr_fma(1.0f - p.beta1, g - first[i], first[i]);
  const float v = tsr_fma((1.0f - p.beta2) * g, g, p.beta2 * second[i]);
  const float denominator = tsr_div(tsr_sqrt(v), tsr_sqrt(p.correction2)) + p.eps;
  first[i] = tsr_canonical(m);
  second[i] = tsr_canonical(v);
  parameter[i] = tsr_canonical(tsr_fma(-tsr_div(p.lr, p.correction1), tsr_div(m, denominator), w));
TSR_END
