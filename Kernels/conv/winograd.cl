// SPDX-License-Identifier: Apache-2.0
// Convolutions by fewer multiplications (Winograd, Cook and Toom) in OpenCL: forward, for the data, for the
// weights.
#include "conv/winograd_cpu.h"
#include "conv/winograd_gpu.h"
