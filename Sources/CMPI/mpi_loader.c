// SPDX-License-Identifier: Apache-2.0
#include "tessera_mpi.h"

#include <dlfcn.h>
#include <stdio.h>

const tsr_mpi *tsr_mpi_load(const char *path, const char **reason) {
  static char text[512];
  *reason = text;
  // Open MPI opens parts of its own that look for its symbols: they must be global.
  void *library = dlopen(path, RTLD_NOW | RTLD_GLOBAL);
  if (!library) {
    snprintf(text, sizeof text, "%s", dlerror());
    return NULL;
  }
  const tsr_mpi *(*table)(void) = (const tsr_mpi *(*)(void))dlsym(library, "tsr_mpi_table");
  if (!table) {
    snprintf(text, sizeof text, "a library without tsr_mpi_table");
    return NULL;
  }
  const tsr_mpi *found = table();
  if (found->version != TSR_MPI_VERSION) {
    snprintf(text, sizeof text, "version %d of the library, wanted %d", found->version, TSR_MPI_VERSION);
    return NULL;
  }
  return found;
}
