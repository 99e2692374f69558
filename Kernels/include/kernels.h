// The embedded OpenCL C sources. Swift cannot import an array of unknown length, hence the accessors.
#ifndef TESSERA_KERNELS_H
#define TESSERA_KERNELS_H

#include "tessera_base.h"
#include "tessera_params.h"

typedef struct { const char *name, *text; } tsr_source;

int tsr_source_count(void);
// File name, such as "tessera_base.h" or "matmul.cl".
const char *tsr_source_name(int index);
// The file's text, NUL-terminated.
const char *tsr_source_text(int index);

#endif
