// SPDX-License-Identifier: Apache-2.0
// Names, families and forms of the kernels of kernels.def, by their place in the list.
#include "kernels.h"

static const tsr_kernel_entry kernels[] = {
#define TSR_KERNEL(name, function, family, form, targets) \
  {#function, #family, TSR_FORM_##form, TSR_TARGETS_##targets},
#include "kernels.def"
#undef TSR_KERNEL
};

int tsr_kernel_count(void) { return (int)(sizeof kernels / sizeof kernels[0]); }
tsr_kernel_entry tsr_kernel_at(int index) { return kernels[index]; }
