// SPDX-License-Identifier: Apache-2.0
// Optimiser steps, in place.
//
// Algorithm  Adam (Kingma and Ba 2015, algorithm 1), SGD with momentum (Sutskever et al. 2013), RMSprop
// (Tieleman
//            and Hinton 2012) in PyTorch's order of operations; Lion (Chen et al. 2023, algorithm 2);
//            averages of weights.
// Tensors    gradient, parameter, moments and averages: (count).
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

// v = momentum v + g; the step is v, or by Nesterov g + momentum v.
TSR_ITEMS3(tsr_sgd, tsr_step_params, p.count, const float, gradient, float, parameter, float, velocity)
  const float w = parameter[i];
  const float g = tsr_fma(w, p.weight_decay, gradient[i]);
  const float v = tsr_fma(p.momentum, velocity[i], g);
  velocity[i] = tsr_canonical(v);
  parameter[i] = tsr_canonical(tsr_fma(-p.lr, p.nesterov ? tsr_fma(p.momentum, v, g) : v, w));
TSR_END

// s = decay s + (1 - decay) g^2; v = momentum v + g / (sqrt(s) + eps), which is the step.
TSR_ITEMS4(tsr_rmsprop, tsr_step_params, p.count, const float, gradient, float, parameter, float, squares,
           float, velocity)
  const float w = parameter[i];
  const float g = tsr_fma(w, p.weight_decay, gradient[i]);
  const float s = tsr_fma((1.0f - p.decay) * g, g, p.decay * squares[i]);
  const float v = tsr_fma(p.momentum, velocity[i], tsr_div(g, tsr_sqrt(s) + p.eps));
  squares[i] = tsr_canonical(s);
  velocity[i] = tsr_canonical(v);
  parameter[i] = tsr_canonical(tsr_fma(-p.lr, v, w));
TSR_END

// The step is the sign of the momentum's blend with g, and the decay of the weights (decoupled).
TSR_ITEMS3(tsr_lion, tsr_step_params, p.count, const float, gradient, float, parameter, float, first)
  const float w = parameter[i], g = gradient[i], m = first[i];
  const float blend = tsr_fma(p.momentum, m - g, g);
  const float sign = blend > 0.0f ? 1.0f : (blend < 0.0f ? -1.0f : 0.0f * blend);
  first[i] = tsr_canonical(tsr_fma(p.decay, m - g, g));
  parameter[i] = tsr_canonical(tsr_fma(-p.lr, tsr_fma(p.weight_decay, w, sign), w));
TSR_END

// y + alpha (x - y): a moving average.
TSR_ITEMS2(tsr_blend, tsr_map_params, p.count, const float, x, float, y)
  y[i] = tsr_canonical(tsr_fma(p.alpha, x[i] - y[i], y[i]));
TSR_END
