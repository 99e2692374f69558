// SPDX-License-Identifier: Apache-2.0
// OpenCL as a module, through function pointers: the binary must start where no OpenCL loader is
// installed, so libOpenCL.so.1 is opened at run time and nothing links against it. Where there is no
// loader, or none that knows a driver, NVIDIA's driver is asked itself.
#ifndef TESSERA_OPENCL_LOADER_H
#define TESSERA_OPENCL_LOADER_H

#define CL_TARGET_OPENCL_VERSION 300
#define CL_USE_DEPRECATED_OPENCL_1_2_APIS
#include <CL/cl.h>

// clang-format off
#define TSR_CL_FUNCTIONS(X)                                                                            \
  X(clGetPlatformIDs) X(clGetPlatformInfo) X(clGetDeviceIDs) X(clGetDeviceInfo) X(clCreateContext)     \
  X(clReleaseContext) X(clCreateCommandQueue) X(clReleaseCommandQueue) X(clCreateBuffer)               \
  X(clReleaseMemObject) X(clCreateProgramWithSource) X(clCreateProgramWithBinary) X(clBuildProgram)    \
  X(clGetProgramBuildInfo) X(clGetProgramInfo) X(clReleaseProgram) X(clCreateKernel)                   \
  X(clReleaseKernel) X(clSetKernelArg) X(clGetKernelWorkGroupInfo) X(clEnqueueNDRangeKernel)           \
  X(clEnqueueReadBuffer) X(clEnqueueWriteBuffer) X(clEnqueueCopyBuffer) X(clEnqueueMapBuffer)          \
  X(clEnqueueUnmapMemObject) X(clFlush) X(clFinish) X(clWaitForEvents) X(clReleaseEvent)               \
  X(clRetainEvent) X(clGetEventInfo) X(clGetEventProfilingInfo) X(clEnqueueMarkerWithWaitList)         \
  X(clEnqueueBarrierWithWaitList)
// clang-format on

typedef struct {
#define TSR_CL_FIELD(name) __typeof__(&name) name;
  TSR_CL_FUNCTIONS(TSR_CL_FIELD)
#undef TSR_CL_FIELD
} tsr_opencl;

// The loader's functions, or NULL where there is no OpenCL loader; `why` then says what dlopen said.
// Thread-safe; the library is opened once and never closed.
const tsr_opencl *tsr_opencl_load(const char **why);
// The name of the library that they come from; NULL where there is none.
const char *tsr_opencl_source(void);
// Whether NVIDIA's driver is installed, with or without an ICD file that tells an OpenCL loader of it.
int tsr_opencl_nvidia_is_installed(void);

#endif
