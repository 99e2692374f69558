// SPDX-License-Identifier: Apache-2.0
#include "items.h"
#define TSR_FAMILY "../../Kernels/cl/neighbours.cl"
#include "per_isa.h"
