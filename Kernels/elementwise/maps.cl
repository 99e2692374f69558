// SPDX-License-Identifier: Apache-2.0
// Elementwise functions, their gradients, and binary operations.
//
// Algorithm  Every element is a function of the elements at the same index. The functions are those of
//            common/math.h; GELU is by erf, geluTanh by tanh (Hendrycks and Gimpel 2016).
// Tensors    x, y, dy, dx, a, b, c: (count). Binary operations by channel: a, c (outer, channels, inner),
//            b (channels).
// Work       Maps: one item an element; a GPU's work-item takes several, as far apart as there are
//            work-items, so that reads are coalesced. By channel: one item a plane (inner elements). In C
//            the compiler makes vectors of the elements.
// Tuning     None.
//
//   x: [0][1][2] ... [count-1]
//       |  |  |  one function each
//   y: [0][1][2] ... [count-1]
//
// Rules      1 to 3 (arithmetic), 9 (one NaN).

#include "common/kernel_forms.h"
#include "common/math.h"
#include "common/math16.h"

#define TSR_UNARY(op, expression)                                               \
  TSR_ITEMS2(tsr_unary_##op, tsr_map_params, p.count, const float, x, float, y) \
    const float v = x[i];                                                       \
    y[i] = tsr_canonical(expression);                                           \
  TSR_END

TSR_UNARY(identity, v)
TSR_UNARY(exp, tsr_exp(v))
TSR_UNARY(log, tsr_log(v))
TSR_UNARY(tanh, tsr_tanh(v))
TSR_UNARY(erf, tsr_erf(v))
TSR_UNARY(rsqrt, tsr_rsqrt(v))
TSR_UNARY(sqrt, tsr_sqrt(v))
TSR_UNARY(reciprocal, tsr_div(1.0f, v))
TSR_UNARY(sigmoid, tsr_sigmoid(v))
TSR_UNARY(gelu, tsr_gelu(v))
TSR_UNARY(relu, tsr_relu(v))
TSR_UNARY(relu6, tsr_relu6(v))
TSR_UNARY(sinTurn, tsr_sin_turn(v))
TSR_UNARY(cosTurn, tsr_cos_turn(v))
TSR_UNARY(square, v *v)
TSR_UNARY(abs, tsr_float(tsr_bits(v) & 0x7fffffffu))
TSR_UNARY(negate, -v)
TSR_UNARY(affine, tsr_fma(p.alpha, v, p.beta))
TSR_UNARY(geluTanh, tsr_gelu_tanh(v))
TSR_UNARY(softplus, tsr_softplus(v))
TSR_UNARY(silu, tsr_silu(v))

// dx = op'(x) dy.
#define TSR_UNARY_GRAD(op, expression)                                                                 \
  TSR_ITEMS3(tsr_unary_grad_##op, tsr_map_params, p.count, const float, x, const float, dy, float, dx) \
    const float v = x[i], g = dy[i];                                                                   \
    (void)v;                                                                                           \
    dx[i] = tsr_canonical(expression);                                                                 \
  TSR_END

TSR_UNARY_GRAD(relu, v > 0.0f ? g : 0.0f)
TSR_UNARY_GRAD(relu6, v > 0.0f && v < 6.0f ? g : 0.0f)
TSR_UNARY_GRAD(gelu, g *tsr_gelu_grad(v))
TSR_UNARY_GRAD(tanh, g *tsr_fma(-tsr_tanh(v), tsr_tanh(v), 1.0f))
TSR_UNARY_GRAD(sigmoid, g *(tsr_sigmoid(v) * (1.0f - tsr_sigmoid(v))))
TSR_UNARY_GRAD(geluTanh, g *tsr_gelu_tanh_grad(v))
TSR_UNARY_GRAD(exp, g *tsr_exp(v))
TSR_UNARY_GRAD(log, tsr_div(g, v))
TSR_UNARY_GRAD(sqrt, tsr_div(0.5f * g, tsr_sqrt(v)))
TSR_UNARY_GRAD(rsqrt, tsr_div(-0.5f * g, v) * tsr_rsqrt(v))
TSR_UNARY_GRAD(reciprocal, -tsr_div(tsr_div(g, v), v))
TSR_UNARY_GRAD(square, 2.0f * v * g)
TSR_UNARY_GRAD(abs, v > 0.0f ? g : (v < 0.0f ? -g : 0.0f * v))
TSR_UNARY_GRAD(negate, -g)
TSR_UNARY_GRAD(erf, g * (0x1.20dd76p+0f * tsr_exp(-v * v)))
TSR_UNARY_GRAD(softplus, g *tsr_sigmoid(v))
TSR_UNARY_GRAD(silu, g *tsr_silu_grad(v))

// c = op(a, b); and the same with b (channels) over planes of a (outer, channels, inner), a row per plane.
#define TSR_BINARY(op, expression)                                                                           \
  TSR_ITEMS3(tsr_binary_##op, tsr_map_params, p.count, const float, x, const float, z, float, y)             \
    const float a = x[i], b = z[i];                                                                          \
    y[i] = tsr_canonical(expression);                                                                        \
  TSR_END                                                                                                    \
  TSR_ROWS3(tsr_binary_channels_##op, tsr_channels_params, p.outer *p.channels, const float, x, const float, \
            z, float, y)                                                                                     \
    const float b = z[i % p.channels];                                                                       \
    TSR_EACH_COLUMN(p.inner, const float a = x[i * p.inner + j];                                             \
                    y[i * p.inner + j] = tsr_canonical(expression);)                                         \
  TSR_END

TSR_BINARY(add, a + b)
TSR_BINARY(subtract, a - b)
TSR_BINARY(multiply, a *b)
TSR_BINARY(divide, tsr_div(a, b))
TSR_BINARY(maximum, tsr_max(a, b))
TSR_BINARY(minimum, tsr_min(a, b))
TSR_BINARY(less, a < b ? 1.0f : 0.0f)
TSR_BINARY(lessOrEqual, a <= b ? 1.0f : 0.0f)
TSR_BINARY(equal, a == b ? 1.0f : 0.0f)

// The software division and square root, for the check of every device against its native ones.
TSR_ITEMS3(tsr_software_divide, tsr_map_params, p.count, const float, x, const float, z, float, y)
  y[i] = tsr_soft_div(x[i], z[i]);
TSR_END
TSR_ITEMS2(tsr_software_sqrt, tsr_map_params, p.count, const float, x, float, y)
  y[i] = tsr_soft_sqrt(x[i]);
TSR_END

// Two roundings, never one: a device that contracts this product fails the conformance probe.
TSR_ITEMS3(tsr_uncontracted, tsr_map_params, p.count, const float, x, const float, z, float, y)
  y[i] = tsr_canonical(x[i] * z[i] + x[i]);
TSR_END
