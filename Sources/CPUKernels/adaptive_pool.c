// SPDX-License-Identifier: Apache-2.0
// The gradient of adaptive average pooling on the CPU (cl/pooling.cl has it for OpenCL): a row of the input at a time; windows
// in ascending order add their share to the columns that they hold, which is the order of the gather form for every element.
#include "items.h"

#define TSR_FAMILY "adaptive_pool_body.h"
#include "per_isa.h"
