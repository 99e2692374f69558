// SPDX-License-Identifier: Apache-2.0
// p_j|i + p_i|j and its row sums on the CPU (cl/layout.cl has it for OpenCL): blocks of 16 rows by 64 columns. What stands in
// the other direction is turned on the way, so that a cache line of it is fetched once and not for each of its 16 columns,
// which are a row's length apart and often fall into the same few sets.
//
//   x:   rows i0 ... i0 + 15  [ . . # # # # . . ]        #: 64 columns from j0     turned: the 16 columns of
//                                                                                  rows j0 ... j0 + 63
#include <string.h>

#include "items.h"

#define TSR_FAMILY "symmetrize_body.h"
#include "per_isa.h"
