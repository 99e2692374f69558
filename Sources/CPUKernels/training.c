#include "items.h"
#define TSR_FAMILY "../../Kernels/cl/training.cl"
#include "per_isa.h"
