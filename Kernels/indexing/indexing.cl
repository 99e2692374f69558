// SPDX-License-Identifier: Apache-2.0
// Gather: rows of a table by their numbers; and the gradient for the table.
//
// Algorithm  y[r] = table[ids[r]]. An id outside the table gives a row of NaN. Gradient: ids are listed by
//            the row of the table that they name, in one pass; then each row of the table adds up what its
//            list names. No atomics.
// Tensors    table: (classes, cols); ids, next: (rows); y, dy: (rows, cols); heads: (classes).
// Work       One item a row of y or of the table; the lists are one item's. GPU: a work-group of 64, lanes
//            over columns; CPU device: a work-item.
// Tuning     None.
//
//   ids:  [2][0][2]      y: row 2 of the table, row 0, row 2      heads: [1][-][0]      next: [2][-][-]
//
// Rules      6 (a table's gradient: chains in groups of samples), 9.
#include "common/sums.h"

// An id outside the table gives a row of NaN, never a read outside the table. classes: the table's entries.
TSR_ROWS3(tsr_gather, tsr_gather_params, p.rows, const float, table, const int, ids, float, y)
  const int id = ids[i];
  const int known = id >= 0 && id < p.classes;
  TSR_EACH_COLUMN(p.cols, y[i * p.cols + j] = known ? tsr_canonical(table[(tsr_i64)id * p.cols + j])
                                                    : tsr_float(TSR_NAN_BITS);)
TSR_END

// Lists of the ids of each row of the table, ascending: the first is heads[row], what follows id k is
// next[k], -1 ends it. Ids outside the table are in no list. One item for all.
TSR_ROWS3(tsr_gather_lists, tsr_gather_params, 1, const int, ids, int, heads, int, next)
  TSR_EACH_COLUMN(p.classes, heads[j] = -1;)
  TSR_ROW_FENCE
  TSR_LANE0 for (int k = p.rows - 1; k >= 0; k--) {
    const int id = ids[k];
    if (id >= 0 && id < p.classes) {
      next[k] = heads[id];
      heads[id] = k;
    } else {
      next[k] = -1;
    }
  }
TSR_END

// Row i of the table's gradient: the rows of dy that its list names, a chain from +0 in each group of ids;
// the groups' sums are added in ascending order, the first to +0. A group without any has nothing to add.
TSR_ROWS4(tsr_gather_grad, tsr_gather_params, p.classes, const float, dy, const int, heads, const int, next,
          float, table)
  TSR_EACH_COLUMN(
      p.cols, float total = 0.0f; for (int k = heads[i]; k >= 0;) {
        const int group = k / p.group;
        float sum = 0.0f;
        for (; k >= 0 && k / p.group == group; k = next[k]) sum = tsr_add(sum, dy[(tsr_i64)k * p.cols + j]);
        total = tsr_add(total, sum);
      } table[i * p.cols + j] = tsr_canonical(total);)
TSR_END
