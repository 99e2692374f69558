// SPDX-License-Identifier: Apache-2.0
// What a kernel family needs to be C.
#include "cpu_kernels.h"

#include "tessera_math.h"

#include "tessera_philox.h"

#include "tessera_items.h"

#include "tessera_sums.h"

#include "lane_sums.h"

#pragma clang diagnostic ignored "-Wmissing-prototypes"
#pragma clang diagnostic ignored "-Wpass-failed"
