// SPDX-License-Identifier: Apache-2.0
// Max and average pooling on the CPU (cl/pooling.cl has them for OpenCL): a vector of output columns at a time. The rows
// that a window sees are laid out by phase first, each once, with -infinity (for means: 0) where the padding is, so that a tap of any stride
// is a contiguous load:
//
//   row, stride 2, padding 1:   [-] a b c d e f        window column 0: phase 0 from 0
//   phase 0:  - b d f                                  window column 1: phase 1 from 0
//   phase 1:  a c e -                                  window column 2: phase 0 from 1
//
// A window is seen in ascending order. Of equal maxima the first wins, of NaN the last.
#include "items.h"

#define TSR_FAMILY "pool_body.h"
#include "per_isa.h"
