#include "items.h"
#define TSR_FAMILY "../../Kernels/cl/normalization.cl"
#include "per_isa.h"
