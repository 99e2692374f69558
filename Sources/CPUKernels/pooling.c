#include "items.h"
#define TSR_FAMILY "../../Kernels/cl/pooling.cl"
#include "per_isa.h"
