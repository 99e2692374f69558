// SPDX-License-Identifier: Apache-2.0
// Times CLBlast's SGEMM, C = A B, on the first OpenCL device: sgemm SHAPE...  with shapes MxNxK, and t
// behind where B is stored transposed. Prints "SHAPE seconds" with the median of what fits into about a
// second, after a warm-up.
#define CL_TARGET_OPENCL_VERSION 120
#include <CL/cl.h>
#include <clblast_c.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int by_size(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return x < y ? -1 : x > y;
}

static cl_mem buffer(cl_context context, size_t count) {
  float *values = malloc(count * sizeof *values);
  for (size_t i = 0; values && i < count; i++) values[i] = (float)(i % 17) / 16.0f - 0.5f;
  cl_mem b =
      clCreateBuffer(context, CL_MEM_READ_WRITE | CL_MEM_COPY_HOST_PTR, count * sizeof *values, values, 0);
  free(values);
  return b;
}

int main(int count, char **shapes) {
  cl_platform_id platform;
  cl_device_id device;
  if (clGetPlatformIDs(1, &platform, 0) || clGetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, 1, &device, 0))
    return 1;
  cl_context context = clCreateContext(0, 1, &device, 0, 0, 0);
  cl_command_queue queue = clCreateCommandQueue(context, device, 0, 0);
  char name[256] = "";
  clGetDeviceInfo(device, CL_DEVICE_NAME, sizeof name, name, 0);
  fprintf(stderr, "CLBlast on %s\n", name);
  for (int i = 1; i < count; i++) {
    size_t m, n, k;
    if (sscanf(shapes[i], "%zux%zux%zu", &m, &n, &k) != 3) return 2;
    const int transposed = shapes[i][strlen(shapes[i]) - 1] == 't';
    cl_mem a = buffer(context, m * k), b = buffer(context, k * n), c = buffer(context, m * n);
    if (!a || !b || !c) return 1;
    double times[200], begin = 0;
    int runs = -1;  // The first one builds the kernels.
    while (runs < 3 || (runs < 200 && now() - begin < 1)) {
      const double start = now();
      const int status = CLBlastSgemm(CLBlastLayoutRowMajor, CLBlastTransposeNo,
                                      transposed ? CLBlastTransposeYes : CLBlastTransposeNo, m, n, k, 1, a, 0,
                                      k, b, 0, transposed ? k : n, 0, c, 0, n, &queue, 0);
      if (status || clFinish(queue)) return fprintf(stderr, "%s: CLBlast says %d\n", shapes[i], status), 1;
      if (runs >= 0) times[runs] = now() - start;
      else begin = now();
      runs++;
    }
    qsort(times, (size_t)runs, sizeof *times, by_size);
    printf("%s %.9f\n", shapes[i], times[runs / 2]);
    fflush(stdout);
    clReleaseMemObject(a), clReleaseMemObject(b), clReleaseMemObject(c);
  }
}
