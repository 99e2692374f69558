// SPDX-License-Identifier: Apache-2.0
// Max pooling's gradient on the CPU (cl/pooling.cl has it for OpenCL): in scatter form, plane by plane, with the gather form's
// order for every element.
#include "items.h"

#define TSR_FAMILY "max_pool_grad_body.h"
#include "per_isa.h"
