// SPDX-License-Identifier: Apache-2.0
// y = softmax(scale q k' + bias by distance) v of each text and head, texts packed one after another,
// without the matrix of scores: a block of queries keeps its own rows of them in local memory, at most
// TSR_MAX_TOKENS keys. The bits are those of the two products and the softmax between them (NUMERICS.md).
// Tilings: attention/attention_cpu.h (CPU devices), attention/attention_gpu.h (GPUs); the CPU's is
// attention/c/attention.h.
#include "attention/attention_cpu.h"
#include "attention/attention_gpu.h"
