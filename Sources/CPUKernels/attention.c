// SPDX-License-Identifier: Apache-2.0
// Attention on the CPU: softmax(scale q k' + bias) v of each text and head, without the matrix of scores. A task packs a head's
// keys and values once; then a panel of NR queries at a time is theirs, and its scores stay in the level 1 or 2 cache:
//
//            queries: NR
//   width q' +--------+
//     k      |        |            every score is one chain of fma over width (NUMERICS.md rule 4)
//   +---+    +--------+
//   |   |    | scores |  softmax of columns: no lane meets another in a register, whatever the length (rule 5)
//   |   | MR |        |
//   +---+    +--------+
//    keys        B
//            +--------+
//   v' A     |  y'    |  width     what softmax left is the packed operand of this product; turned on its way to y
//            +--------+
//
// Scores stand transposed for that reason: nothing of them is ever packed. All bits are those of the two products and the
// softmax between them.
#include "isa_select.h"

#include "tessera_math.h"

#include <string.h>

#define TSR_FAMILY "attention_body.h"
#include "per_isa.h"

// Values stand in panels of equal height, of at most a tile's rows.
static int64_t panels_of(int width, int rows) { return (width + rows - 1) / rows; }

int64_t tsr_attention_scratch_count(const tsr_attention_plan *p) {
  const int64_t rows = tsr_gemm_tile_rows(p->isa), columns = tsr_gemm_tile_columns(p->isa);
  const int64_t width = p->params.width, length = p->longest, padded = length + rows;
  return padded * width + panels_of(p->params.width, (int)rows) * rows * length + width * columns + padded * columns +
         TSR_LANES * columns + (width + rows) * columns + 2 * length + columns;
}

void tsr_attention_work(tsr_attention_plan *p, float *scratch) {
  const int heads = p->params.heads, tasks = p->texts * heads * p->parts;
  for (;;) {
    const int task = __atomic_fetch_add(&p->next, 1, __ATOMIC_RELAXED);
    if (task >= tasks) return;
    TSR_SELECT(p->isa, attend, p, task / p->parts / heads, task / p->parts % heads, task % p->parts, scratch);
  }
}
