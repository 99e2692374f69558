// The CPU kernels: one table of functions per instruction set, chosen at run time. A function computes a
// range of its outputs, so the caller may split the work over threads in any way without changing a bit.
#ifndef TESSERA_CPU_KERNELS_H
#define TESSERA_CPU_KERNELS_H

#include "kernels.h"

// The instruction sets that this machine can run, best first: "avx512", "avx2", "baseline".
int tsr_isa_count(void);
const char *tsr_isa_name(int index);

#endif
