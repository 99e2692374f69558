// SPDX-License-Identifier: Apache-2.0
// Gather: y (rows, cols) = table (classes, cols) at ids (rows). One work-item, or one work-group, a row.
//
//   ids:  [2][0][2]      y: row 2 of the table, row 0, row 2
#include "common/sums.h"

// An id outside the table gives a row of NaN, never a read outside the table. classes: the table's entries.
TSR_ROWS3(tsr_gather, tsr_gather_params, p.rows, const float, table, const int, ids, float, y)
  const int id = ids[i];
  const int known = id >= 0 && id < p.classes;
  TSR_EACH_COLUMN(p.cols, y[i * p.cols + j] = known ? tsr_canonical(table[(tsr_i64)id * p.cols + j])
                                                    : tsr_float(TSR_NAN_BITS);)
TSR_END
