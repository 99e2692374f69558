// SPDX-License-Identifier: Apache-2.0
// Calls a body's function of one instruction set (per_isa.h) by its number (isa.c).
#ifndef TESSERA_ISA_SELECT_H
#define TESSERA_ISA_SELECT_H

#include "cpu_kernels.h"

static inline int tsr_set_of(int isa) { return 3 - tsr_isa_count() + isa; }
#if defined(__x86_64__)
#define TSR_SELECT(isa, name, ...)            \
  (tsr_set_of(isa) == 0   ? name##_avx512(__VA_ARGS__) \
   : tsr_set_of(isa) == 1 ? name##_avx2(__VA_ARGS__)   \
                          : name##_baseline(__VA_ARGS__))
#else
#define TSR_SELECT(isa, name, ...) name##_baseline(__VA_ARGS__)
#endif

#endif
