// SPDX-License-Identifier: Apache-2.0
// y = softmax(scale q k' + bias by distance) v of each text and head, texts packed one after another, without the matrix of
// scores: a block of queries keeps its own rows of them in local memory, at most TSR_LONGEST keys. The bits are those of the
// two products and the softmax between them (NUMERICS.md). Tilings: attention_rows.h (CPU devices), attention_groups.h (GPUs);
// the CPU's is attention.c in Sources/CPUKernels.
#include "attention_rows.h"
#include "attention_groups.h"

