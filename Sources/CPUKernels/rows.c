#include "items.h"
#define TSR_FAMILY "../../Kernels/cl/rows.cl"
#include "per_isa.h"
