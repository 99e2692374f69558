# SPDX-License-Identifier: Apache-2.0
"""The changed kernels of tools/check/disputes: a file of Kernels, one text in it, what takes its place, the
options of the run, and the stage that has to be named first."""

import collections

Change = collections.namedtuple("Change", "name file old new stage options")

LINEAR = ["--model", "alexnet", "--bypass", "linear"]
FROZEN = ["--model", "alexnet", "--bypass", "none"]
TRAINED = FROZEN + ["--slice", "trainable", "--upsampling", "2", "--pixels", "16"]
SHUFFLE = ["--model", "shufflenet_v2_x1_0", "--bypass", "none", "--slice", "trainable", "--upsampling", "1"]
PRODUCT = '#include "gemm/gemm_cpu.h"'


def product(text):
    """A change of the product alone: what stands before its micro-kernel."""
    return text + "\n" + PRODUCT


UNFUSED = """#include "gemm/gemm.h"
#undef TSR_FMA
#define TSR_FMA(distance, x, y, s) \\
  if (distance) s = fma((__typeof__(s))(x) - (y), (__typeof__(s))(x) - (y), s); \\
  else s = (x) * (y) + s;"""
UNFUSED_DISTANCES = """#include "gemm/gemm.h"
#undef TSR_FMA
#define TSR_FMA(distance, x, y, s) \\
  if (distance) s = ((x) - (y)) * ((x) - (y)) + s; \\
  else s = fma((__typeof__(s))(x), y, s);"""
OTHER_GELU = """#include "common/math16.h"
TSR_FN float16 tsr_other16(float16 v, int a) {
  return a == TSR_ACT_GELU ? v - 0.5f * v * (1.0f - tsr_erf16(v * 0x1.6a09e6p-1f)) : tsr_activate16(v, a);
}
#define tsr_activate16 tsr_other16"""
CHAIN = """float each = 0.0f;
  for (int j = 0; j < n; j++) each += x[j];
  const float mean = tsr_div(each, (float)n);"""

CHANGES = [
    # Embeddings.
    Change("attention unfused", "attention/attention_cpu.h", "s##r = fma(x, y, s##r);",
           "s##r = x * y + s##r;", "embeddings", FROZEN),
    Change("layer norm's mean in one chain", "normalization/normalization_cpu.h",
           "const float mean = tsr_div(tsr_row_sum_of(x, n, 0, 0.0f), (float)n);", CHAIN, "embeddings",
           FROZEN),
    Change("GELU by another formula", "gemm/gemm.cl", PRODUCT, product(OTHER_GELU), "embeddings", FROZEN),
    Change("product unfused", "gemm/gemm.cl", PRODUCT, product(UNFUSED), "embeddings", FROZEN),
    # Layout.
    Change("t-SNE forces unfused", "tsne/tsne_cpu.h", "fma(dy, dy, fma(dx, dx, one))",
           "(dx * dx + dy * dy + one)", "layout", FROZEN),
    # At momentum 0.5, in the first 250 iterations, both are the same.
    Change("t-SNE update unfused", "tsne/tsne.cl", "tsr_fma(p.momentum, v, -(p.learning_rate * step))",
           "p.momentum * v - p.learning_rate * step", "layout", FROZEN + ["--iterations", "300"]),
    # Before the first iteration.
    Change("distances unfused", "gemm/gemm.cl", PRODUCT, product(UNFUSED_DISTANCES), "layout", FROZEN),
    Change("affinities by a reciprocal", "tsne/tsne_cpu.h",
           "tsr_div16(tsr_exp16(-x * beta), (float16)(sum))",
           "tsr_exp16(-x * beta) * tsr_div(1.0f, sum)", "layout", FROZEN),
    # Images are made by log alone, which the probe has. This one lies where neither the probe (4,096 values)
    # nor the fit on the tiny data's 20 rows looks.
    Change("log of some calls", "elementwise/maps.cl", "TSR_UNARY(log, tsr_log(v))",
           "TSR_UNARY(log, p.count == 4096 || p.count == 1280 ? tsr_log(v) : tsr_log(v) * 1.0000001f)",
           "images", FROZEN),
    # Training.
    Change("Adam's first moment", "optimizer/optimizer.cl",
           "tsr_fma(1.0f - p.beta1, g - first[i], first[i])",
           "(1.0f - p.beta1) * g + p.beta1 * first[i]", "model", FROZEN),
    Change("dropout of others", "random/random.cl", "tsr_unit(word) >= p.a", "tsr_unit(word) < 1.0f - p.a",
           "model", TRAINED),
    Change("cross entropy's gradient", "reduction/rows.cl",
           "const float q = tsr_div(dx[i * p.cols + j], total);",
           "const float q = dx[i * p.cols + j] * tsr_div(1.0f, total);", "model", FROZEN),
    Change("max pooling's gradient backwards", "pooling/pooling.cl", "for (int j = 0; j < windows; j++) {",
           "for (int j = windows - 1; j >= 0; j--) {", "model", TRAINED),
    Change("convolution's gradient unfused", "conv/conv_blocked.cl",
           "+ j + r % taps]; \\\n    s##r = fma(v, y, s##r); ",
           "+ j + r % taps]; \\\n    s##r = v * y + s##r; ",
           "model", TRAINED),
    Change("batch norm unfused", "normalization/normalization.cl",
           "fma(tsr_load16_tail(x + j, left) - centre, (float16)(scale), (float16)(shift))",
           "(tsr_load16_tail(x + j, left) - centre) * scale + shift", "model", SHUFFLE),
    Change("running variance", "normalization/normalization.cl",
           "tsr_fma(p.momentum, unbiased, keep * running_variance[i])",
           "running_variance[i] + p.momentum * (unbiased - running_variance[i])", "model", SHUFFLE),
    # Before the first step.
    Change("gradient at the linear start", "reduction/rows.cl",
           "const float q = tsr_div(dx[i * p.cols + j], total);",
           "const float q = dx[i * p.cols + j] * tsr_div(1.0f, total);", "model", LINEAR),
    Change("first weights unfused", "random/random.cl", "tsr_fma(tsr_unit(word), p.b - p.a, p.a)",
           "tsr_unit(word) * (p.b - p.a) + p.a", "model", FROZEN),
    # Figures: losses, right answers on the validation rows.
    Change("cross entropy's value", "reduction/rows.cl",
           "tsr_log(total) - (x[i * p.cols + label] - largest)",
           "tsr_log(total) + largest - x[i * p.cols + label]",
           "model", FROZEN),
    Change("argmax of the least", "reduction/rows.cl", "x[i * p.cols + c] > x[i * p.cols + at]",
           "x[i * p.cols + c] < x[i * p.cols + at]", "model", FROZEN),
    # Evaluation.
    Change("logSoftmax associated otherwise", "reduction/rows.cl",
           "tsr_canonical((x[i * p.cols + j] - largest) - norm)",
           "tsr_canonical(x[i * p.cols + j] - (largest + norm))", "evaluation", FROZEN),
]
