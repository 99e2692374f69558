// SPDX-License-Identifier: Apache-2.0
#include "opencl_loader.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#if __has_include(<CL/cl_icd.h>)
#include <CL/cl_icd.h>
#define TSR_HAS_ICD
#endif

static tsr_opencl table;
static int loaded;
static char reason[512];
static const char *source;
static pthread_once_t once = PTHREAD_ONCE_INIT;

// The OpenCL library of NVIDIA's driver: a driver, which a loader finds by an ICD file.
static const char *const nvidia = "libnvidia-opencl.so.1";

// The functions of a loader, or of a driver that exports them all; whether they are there.
static int take_exported(void *library) {
  tsr_opencl found;
#define TSR_CL_LOAD(name)                                                                  \
  found.name = (__typeof__(&name))dlsym(library, #name);                                   \
  if (!found.name) {                                                                       \
    if (!reason[0]) snprintf(reason, sizeof reason, "the OpenCL library lacks %s", #name); \
    return 0;                                                                              \
  }
  TSR_CL_FUNCTIONS(TSR_CL_LOAD)
#undef TSR_CL_LOAD
  table = found;
  return 1;
}

#ifdef TSR_HAS_ICD
typedef cl_int(CL_API_CALL *platforms_function)(cl_uint, cl_platform_id *, cl_uint *);
typedef void *(CL_API_CALL *address_function)(const char *);
static platforms_function driver_platforms;

static cl_int CL_API_CALL get_platforms(cl_uint entries, cl_platform_id *platforms, cl_uint *count) {
  return driver_platforms(entries, platforms, count);
}

// The functions of an installable driver, as a loader finds them (cl_khr_icd): the driver names its
// platforms, and whatever a platform makes begins with a pointer to the table of its functions. Whether it
// has a platform.
static int take_driver(void *library) {
  address_function address = (address_function)dlsym(library, "clGetExtensionFunctionAddress");
  driver_platforms = (platforms_function)dlsym(library, "clIcdGetPlatformIDsKHR");
  if (!driver_platforms && address) driver_platforms = (platforms_function)address("clIcdGetPlatformIDsKHR");
  cl_platform_id platform = NULL;
  cl_uint count = 0;
  if (!driver_platforms || driver_platforms(1, &platform, &count) != CL_SUCCESS) return 0;
  if (count < 1 || !platform) return 0;
  const cl_icd_dispatch *functions = *(const cl_icd_dispatch *const *)platform;
  if (!functions) return 0;
  tsr_opencl found;
#define TSR_CL_LOAD(name)       \
  found.name = functions->name; \
  if (!found.name) return 0;
  TSR_CL_FUNCTIONS(TSR_CL_LOAD)
#undef TSR_CL_LOAD
  found.clGetPlatformIDs = get_platforms;
  table = found;
  return 1;
}
#else
static int take_driver(void *library) {
  (void)library;
  return 0;
}
#endif

static int take(const char *name) {
  void *library = dlopen(name, RTLD_NOW | RTLD_LOCAL);
  if (!library) {
    // What is missing is told of the first that was looked for.
    const char *why = dlerror();
    if (!reason[0]) snprintf(reason, sizeof reason, "%s", why ? why : name);
    return 0;
  }
  if (!take_exported(library) && !take_driver(library)) {
    dlclose(library);
    return 0;
  }
  source = name;
  return 1;
}

static int has_platform(void) {
  cl_uint count = 0;
  cl_int status = table.clGetPlatformIDs(0, NULL, &count);
  // -1001: no driver's file. Another failure may be a driver's, which the survey tells of.
  return status == CL_SUCCESS ? count > 0 : status != -1001;
}

static void load(void) {
  // TESSERA_OPENCL_LIBRARY names another loader (a shim in tests), or a driver without one.
  const char *named = getenv("TESSERA_OPENCL_LIBRARY");
  if (named) {
    loaded = take(named);
    return;
  }
  static const char *const names[] = {
#ifdef __APPLE__
      "/System/Library/Frameworks/OpenCL.framework/OpenCL", "OpenCL.framework/OpenCL",
#endif
      "libOpenCL.so.1", "libOpenCL.so"};
  for (size_t i = 0; i < sizeof names / sizeof names[0] && !loaded; i++) loaded = take(names[i]);
  if (loaded && has_platform()) return;
  // No loader, or one that no file tells of a driver: NVIDIA's can be asked itself.
  const tsr_opencl own = table;
  const char *own_source = source;
  if (take(nvidia) && has_platform()) {
    loaded = 1;
  } else {
    table = own;
    source = own_source;
  }
}

const tsr_opencl *tsr_opencl_load(const char **why) {
  pthread_once(&once, load);
  if (why) *why = loaded ? NULL : reason;
  return loaded ? &table : NULL;
}

const char *tsr_opencl_source(void) {
  pthread_once(&once, load);
  return loaded ? source : NULL;
}

int tsr_opencl_nvidia_is_installed(void) {
  static const char *const places[] = {"/proc/driver/nvidia/version", "/dev/nvidiactl"};
  for (size_t i = 0; i < sizeof places / sizeof places[0]; i++)
    if (access(places[i], F_OK) == 0) return 1;
  void *library = dlopen(nvidia, RTLD_LAZY | RTLD_LOCAL);
  if (library) dlclose(library);
  return library != NULL;
}
