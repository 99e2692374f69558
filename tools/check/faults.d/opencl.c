// SPDX-License-Identifier: Apache-2.0
// An OpenCL library that forwards to the real one and fails a chosen call, for tools/check/faults.
// Tessera opens it by TESSERA_OPENCL_LIBRARY. What it does not define is found in the library it is
// linked against:
//   clang -shared -fPIC -O1 -o libfaults.so opencl.c -l:libOpenCL.so.1
//
//   TESSERA_FAULT=NAME:N:CODE          the N-th call of NAME (from 1) ends with CODE, unforwarded
//   TESSERA_FAULT=NAME:N:CODE:on       and so do all later calls of NAME
//   TESSERA_FAULT=any:N:CODE:on        from the N-th call of all on the device is lost: every call
//                                      but releases fails
//   TESSERA_FAULT=command:N:CODE       the N-th command is taken and never done: its event alone ends with
//                                      CODE, and a call that waits for it fails; all else in the queue goes
//                                      on
//   TESSERA_FAULT_REPORT=FILE          at exit: how often each was called, and what was created and
//                                      never released
//   TESSERA_FAULT_MEMORY=BYTES         devices have no more memory than that for buffers
//   TESSERA_FAULT_GPU=1                devices say that they are GPUs
#define CL_TARGET_OPENCL_VERSION 300
#define CL_USE_DEPRECATED_OPENCL_1_2_APIS
#include <CL/cl.h>
#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// clang-format off
#define CALLS(X)                                                                                        \
  X(clGetPlatformIDs) X(clGetPlatformInfo) X(clGetDeviceIDs) X(clGetDeviceInfo) X(clCreateContext)      \
  X(clCreateCommandQueue) X(clCreateBuffer) X(clCreateProgramWithSource) X(clCreateProgramWithBinary)   \
  X(clBuildProgram) X(clGetProgramBuildInfo) X(clGetProgramInfo) X(clCreateKernel) X(clSetKernelArg)    \
  X(clEnqueueNDRangeKernel) X(clEnqueueReadBuffer) X(clEnqueueWriteBuffer) X(clEnqueueCopyBuffer)       \
  X(clFlush) X(clFinish) X(clWaitForEvents) X(clRetainEvent) X(clGetEventInfo)                          \
  X(clGetEventProfilingInfo)
#define RELEASES(X)                                                                                     \
  X(clReleaseContext) X(clReleaseCommandQueue) X(clReleaseMemObject) X(clReleaseProgram)                \
  X(clReleaseKernel) X(clReleaseEvent)
// clang-format on

#define NUMBER(name) call_##name,
enum { CALLS(NUMBER) RELEASES(NUMBER) call_count };
#define NAME(name) #name,
static const char *const names[] = {CALLS(NAME) RELEASES(NAME)};
enum { contexts, queues, buffers, programs, kernels, events, kinds };
static const char *const kind_names[] = {"context", "queue", "buffer", "program", "kernel", "event"};

static atomic_long calls[call_count], live[kinds], total, commands, held;
#define REAL(name) static __typeof__(&name) real_##name;
// clang-format off
CALLS(REAL)
RELEASES(REAL)
// clang-format on
static int fault_call = -1, fault_any, fault_on, fault_command;
static long fault_at;
static cl_int fault_code;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void start(void) {
  void *library = dlopen("libOpenCL.so.1", RTLD_NOW | RTLD_LOCAL);
#define FIND(name)                                                         \
  real_##name = library ? (__typeof__(&name))dlsym(library, #name) : NULL; \
  if (!real_##name) {                                                      \
    fprintf(stderr, "faults: no %s\n", #name);                             \
    _Exit(99);                                                             \
  }
  // clang-format off
  CALLS(FIND)
  RELEASES(FIND)
  // clang-format on
  const char *fault = getenv("TESSERA_FAULT");
  if (!fault) return;
  char name[64] = "", mode[8] = "";
  int code = 0;
  if (sscanf(fault, "%63[a-zA-Z]:%ld:%d:%7s", name, &fault_at, &code, mode) < 3) _Exit(98);
  fault_code = code;
  fault_on = strcmp(mode, "on") == 0;
  fault_any = strcmp(name, "any") == 0;
  fault_command = strcmp(name, "command") == 0;
  for (int i = 0; i < call_count; i++)
    if (strcmp(names[i], name) == 0) fault_call = i;
  if (fault_call < 0 && !fault_any && !fault_command) _Exit(97);
}

// The code to fail a call with; CL_SUCCESS where it is to be forwarded.
static cl_int fault(int call) {
  pthread_once(&once, start);
  long own = atomic_fetch_add(&calls[call], 1) + 1, all = atomic_fetch_add(&total, 1) + 1;
  if (!fault_any && call != fault_call) return CL_SUCCESS;
  long at = fault_any ? all : own;
  return at == fault_at || (fault_on && at > fault_at) ? fault_code : CL_SUCCESS;
}

__attribute__((destructor)) static void report(void) {
  const char *path = getenv("TESSERA_FAULT_REPORT");
  FILE *file = path ? fopen(path, "w") : NULL;
  if (!file) return;
  for (int i = 0; i < call_count; i++)
    if (calls[i]) fprintf(file, "calls %s %ld\n", names[i], (long)calls[i]);
  fprintf(file, "calls any %ld\ncalls command %ld\n", (long)total, (long)commands);
  for (int i = 0; i < kinds; i++) fprintf(file, "live %s %ld\n", kind_names[i], (long)live[i]);
  fclose(file);
}

// Counts a command; whether it is the one that comes to a bad end.
static int spoils(void) { return atomic_fetch_add(&commands, 1) + 1 == fault_at && fault_command; }

// Takes a command without doing it: an event of its own ends with the code, and a blocking call says so.
static cl_int spoil(cl_command_queue queue, cl_bool blocks, cl_event *event) {
  cl_context context;
  cl_int status = clGetCommandQueueInfo(queue, CL_QUEUE_CONTEXT, sizeof context, &context, NULL);
  if (!status && event) *event = clCreateUserEvent(context, &status);
  if (!status && event) status = clSetUserEventStatus(*event, fault_code);
  if (status) _Exit(96);
  return blocks ? fault_code : CL_SUCCESS;
}

static void add_event(cl_int status, cl_event *event) {
  if (status == CL_SUCCESS && event && *event) live[events]++;
}

#define FORWARD(name, parameters, ...)             \
  cl_int name parameters {                         \
    cl_int code = fault(call_##name);              \
    return code ? code : real_##name(__VA_ARGS__); \
  }
#define CREATE(type, kind, name, parameters, ...)       \
  type name parameters {                                \
    cl_int code = fault(call_##name);                   \
    type made = code ? NULL : real_##name(__VA_ARGS__); \
    if (code && status) *status = code;                 \
    if (made) live[kind]++;                             \
    return made;                                        \
  }
#define RELEASE(kind, name, type)         \
  cl_int name(type object) {              \
    pthread_once(&once, start);           \
    calls[call_##name]++;                 \
    cl_int code = real_##name(object);    \
    if (code == CL_SUCCESS) live[kind]--; \
    return code;                          \
  }
#define ENQUEUE(name, blocks, parameters, ...)                 \
  cl_int name parameters {                                     \
    cl_int code = fault(call_##name);                          \
    if (!code && spoils()) code = spoil(queue, blocks, event); \
    else if (!code) code = real_##name(__VA_ARGS__);           \
    add_event(code, event);                                    \
    return code;                                               \
  }

FORWARD(clGetPlatformIDs, (cl_uint n, cl_platform_id *ids, cl_uint *count), n, ids, count)
FORWARD(clGetPlatformInfo, (cl_platform_id id, cl_platform_info key, size_t n, void *value, size_t *size), id,
        key, n, value, size)
FORWARD(clGetDeviceIDs,
        (cl_platform_id id, cl_device_type type, cl_uint n, cl_device_id *ids, cl_uint *count), id, type, n,
        ids, count)
FORWARD(clBuildProgram,
        (cl_program program, cl_uint n, const cl_device_id *ids, const char *options,
         void(CL_CALLBACK *done)(cl_program, void *), void *data),
        program, n, ids, options, done, data)
FORWARD(clGetProgramBuildInfo,
        (cl_program program, cl_device_id id, cl_program_build_info key, size_t n, void *value, size_t *size),
        program, id, key, n, value, size)
FORWARD(clGetProgramInfo, (cl_program program, cl_program_info key, size_t n, void *value, size_t *size),
        program, key, n, value, size)
FORWARD(clSetKernelArg, (cl_kernel kernel, cl_uint at, size_t n, const void *value), kernel, at, n, value)
FORWARD(clFlush, (cl_command_queue queue), queue)
FORWARD(clFinish, (cl_command_queue queue), queue)
FORWARD(clWaitForEvents, (cl_uint n, const cl_event *list), n, list)
FORWARD(clGetEventInfo, (cl_event event, cl_event_info key, size_t n, void *value, size_t *size), event, key,
        n, value, size)
FORWARD(clGetEventProfilingInfo, (cl_event event, cl_profiling_info key, size_t n, void *value, size_t *size),
        event, key, n, value, size)

cl_int clRetainEvent(cl_event event) {
  cl_int code = fault(call_clRetainEvent);
  if (!code) code = real_clRetainEvent(event);
  if (!code) live[events]++;
  return code;
}

cl_int clGetDeviceInfo(cl_device_id id, cl_device_info key, size_t n, void *value, size_t *size) {
  cl_int code = fault(call_clGetDeviceInfo);
  if (!code) code = real_clGetDeviceInfo(id, key, n, value, size);
  if (!code && key == CL_DEVICE_TYPE && value && getenv("TESSERA_FAULT_GPU"))
    *(cl_device_type *)value = CL_DEVICE_TYPE_GPU;
  return code;
}

CREATE(cl_context, contexts, clCreateContext,
       (const cl_context_properties *properties, cl_uint n, const cl_device_id *ids,
        void(CL_CALLBACK *note)(const char *, const void *, size_t, void *), void *data, cl_int *status),
       properties, n, ids, note, data, status)
CREATE(cl_command_queue, queues, clCreateCommandQueue,
       (cl_context context, cl_device_id id, cl_command_queue_properties properties, cl_int *status), context,
       id, properties, status)
cl_mem clCreateBuffer(cl_context context, cl_mem_flags flags, size_t n, void *host, cl_int *status) {
  cl_int code = fault(call_clCreateBuffer);
  const char *memory = getenv("TESSERA_FAULT_MEMORY");
  if (!code && memory && held + (long)n > atol(memory)) code = CL_MEM_OBJECT_ALLOCATION_FAILURE;
  cl_mem made = code ? NULL : real_clCreateBuffer(context, flags, n, host, status);
  if (code && status) *status = code;
  if (made) live[buffers]++, held += (long)n;
  return made;
}
CREATE(cl_program, programs, clCreateProgramWithSource,
       (cl_context context, cl_uint n, const char **texts, const size_t *sizes, cl_int *status), context, n,
       texts, sizes, status)
CREATE(cl_program, programs, clCreateProgramWithBinary,
       (cl_context context, cl_uint n, const cl_device_id *ids, const size_t *sizes,
        const unsigned char **binaries, cl_int *each, cl_int *status),
       context, n, ids, sizes, binaries, each, status)
CREATE(cl_kernel, kernels, clCreateKernel, (cl_program program, const char *name, cl_int *status), program,
       name, status)

ENQUEUE(clEnqueueNDRangeKernel, CL_FALSE,
        (cl_command_queue queue, cl_kernel kernel, cl_uint dims, const size_t *offset, const size_t *global,
         const size_t *local, cl_uint n, const cl_event *list, cl_event *event),
        queue, kernel, dims, offset, global, local, n, list, event)
ENQUEUE(clEnqueueReadBuffer, blocks,
        (cl_command_queue queue, cl_mem buffer, cl_bool blocks, size_t at, size_t size, void *bytes,
         cl_uint n, const cl_event *list, cl_event *event),
        queue, buffer, blocks, at, size, bytes, n, list, event)
ENQUEUE(clEnqueueWriteBuffer, blocks,
        (cl_command_queue queue, cl_mem buffer, cl_bool blocks, size_t at, size_t size, const void *bytes,
         cl_uint n, const cl_event *list, cl_event *event),
        queue, buffer, blocks, at, size, bytes, n, list, event)
ENQUEUE(clEnqueueCopyBuffer, CL_FALSE,
        (cl_command_queue queue, cl_mem from, cl_mem to, size_t from_at, size_t to_at, size_t size, cl_uint n,
         const cl_event *list, cl_event *event),
        queue, from, to, from_at, to_at, size, n, list, event)

RELEASE(contexts, clReleaseContext, cl_context)
RELEASE(queues, clReleaseCommandQueue, cl_command_queue)
// Tessera retains no buffer: its release is its end.
cl_int clReleaseMemObject(cl_mem object) {
  pthread_once(&once, start);
  calls[call_clReleaseMemObject]++;
  size_t n = 0;
  if (clGetMemObjectInfo(object, CL_MEM_SIZE, sizeof n, &n, NULL) == CL_SUCCESS) held -= (long)n;
  cl_int code = real_clReleaseMemObject(object);
  if (code == CL_SUCCESS) live[buffers]--;
  return code;
}
RELEASE(programs, clReleaseProgram, cl_program)
RELEASE(kernels, clReleaseKernel, cl_kernel)
RELEASE(events, clReleaseEvent, cl_event)
