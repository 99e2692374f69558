// SPDX-License-Identifier: Apache-2.0
// Gather: rows of a table by their numbers.
//
// Algorithm  y[r] = table[ids[r]]. An id outside the table gives a row of NaN.
// Tensors    table: (classes, cols); ids: (rows); y: (rows, cols).
// Work       One item a row of y. GPU: a work-group of 64, lanes over columns; CPU device: a work-item.
// Tuning     None.
//
//   ids:  [2][0][2]      y: row 2 of the table, row 0, row 2
//
// Rules      9.
#include "common/sums.h"

// An id outside the table gives a row of NaN, never a read outside the table. classes: the table's entries.
TSR_ROWS3(tsr_gather, tsr_gather_params, p.rows, const float, table, const int, ids, float, y)
  const int id = ids[i];
  const int known = id >= 0 && id < p.classes;
  TSR_EACH_COLUMN(p.cols, y[i * p.cols + j] = known ? tsr_canonical(table[(tsr_i64)id * p.cols + j])
                                                    : tsr_float(TSR_NAN_BITS);)
TSR_END
