// SPDX-License-Identifier: Apache-2.0
// The embedded OpenCL C sources. Swift cannot import an array of unknown length, hence the accessors.
#ifndef TESSERA_KERNELS_H
#define TESSERA_KERNELS_H

#include "tessera_base.h"
#include "tessera_params.h"
// After the two above.
#include "winograd_scratch.h"

// The kernels, one case each; in Swift `Kernel`, with the cases `.layerNorm` and the like.
#if defined(__clang__)
enum __attribute__((enum_extensibility(closed), swift_name("Kernel"))) tsr_kernel : int {
#else
enum tsr_kernel {
#endif
#define TSR_KERNEL(name, function, family, form, targets) tsr_kernel_##name,
#include "kernels.def"
#undef TSR_KERNEL
};

// How items are dealt out, and whether C has the kernel too: kernels.def.
enum { TSR_FORM_ITEM, TSR_FORM_ROW, TSR_FORM_CHANNELS, TSR_FORM_TILES };
enum { TSR_TARGETS_BOTH, TSR_TARGETS_OPENCL };
typedef struct {
  const char *name, *family;
  int form, targets;
} tsr_kernel_entry;
int tsr_kernel_count(void);
tsr_kernel_entry tsr_kernel_at(int index);

typedef struct {
  const char *name, *text;
} tsr_source;

int tsr_source_count(void);
// File name, such as "tessera_base.h" or "gemm/gemm.cl".
const char *tsr_source_name(int index);
// The file's text, NUL-terminated.
const char *tsr_source_text(int index);

#endif
