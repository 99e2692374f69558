#include "opencl_loader.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

static tsr_opencl table;
static int loaded;
static char reason[256];
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void load(void) {
  // TESSERA_OPENCL_LIBRARY names another loader (a shim in tests, a driver without an ICD loader).
  const char *named = getenv("TESSERA_OPENCL_LIBRARY");
  const char *names[] = {named ? named : "libOpenCL.so.1", named ? NULL : "libOpenCL.so"};
  void *library = NULL;
  for (int i = 0; i < 2 && !library; i++)
    if (names[i]) library = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
  if (!library) {
    snprintf(reason, sizeof reason, "%s", dlerror());
    return;
  }
#define TSR_CL_LOAD(name)                                                  \
  table.name = (__typeof__(&name))dlsym(library, #name);                   \
  if (!table.name) {                                                       \
    snprintf(reason, sizeof reason, "the OpenCL loader lacks %s", #name);  \
    return;                                                                \
  }
  TSR_CL_FUNCTIONS(TSR_CL_LOAD)
  loaded = 1;
}

const tsr_opencl *tsr_opencl_load(const char **why) {
  pthread_once(&once, load);
  if (why) *why = loaded ? NULL : reason;
  return loaded ? &table : NULL;
}
