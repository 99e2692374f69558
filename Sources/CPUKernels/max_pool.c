// Max pooling and its gradient on the CPU (cl/pooling.cl has them for OpenCL): a vector of output columns at a time where
// their windows lie inside the plane and the stride is 1 or 2, one by one elsewhere. A window is seen in ascending order; the
// first of equals wins, the last NaN.
//
//   stride 2, window column k:   . k . . .      two loads, their even elements side by side
//   columns j, j + 1, j + 2:     [o . o . o]
#include "items.h"

#define TSR_FAMILY "max_pool_body.h"
#include "per_isa.h"
