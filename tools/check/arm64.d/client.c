// SPDX-License-Identifier: Apache-2.0
// cpu_kernels.h with one more instruction set, last: that of a server (server.c), whose command line
// TESSERA_ARM64 has. The machine's own sets are the package's objects, whose names begin with native_ here
// (tools/check/arm64 renames them).
#define _GNU_SOURCE
#include "bridge.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

// Kernels of kernels.def at most, and what is copied of parameters whose size their caller alone knows.
enum { KERNELS = 128, PARAMETERS = 256, BUFFERS = 8 };

int native_tsr_isa_count(void);
const char *native_tsr_isa_name(int index);
tsr_cpu_kernel native_tsr_cpu_kernel_function(enum tsr_kernel kernel, int isa);

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int server = -1;
static int64_t calls[BRIDGE_KERNELS + KERNELS];
// Whether the last product was the server's: only with that does tsr_mirror know whose it is.
static int product_was_arm64;

static void fail(const char *what) {
  fprintf(stderr, "client: %s\n", what);
  abort();
}

__attribute__((constructor)) static void start(void) {
  char *const command = getenv("TESSERA_ARM64");
  if (!command) return;
  int ends[2];
  // Neither descriptor is one that the server's are given.
  const int shared = dup2(bridge_memory(), 40);
  if (shared < 0 || socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0 || (server = dup2(ends[0], 41)) < 0) fail("no socket");
  const int theirs = dup2(ends[1], 42);
  close(ends[0]);
  close(ends[1]);
  if (fork() == 0) {
    dup2(shared, BRIDGE_MEMORY);
    dup2(theirs, BRIDGE_SOCKET);
    close(shared);
    close(server);
    close(theirs);
    unsetenv("TESSERA_ARM64");
    execl("/bin/sh", "sh", "-c", command, (char *)0);
    _exit(127);
  }
  close(theirs);
  int64_t greeting = 0;
  if (read(server, &greeting, sizeof greeting) != sizeof greeting) fail("no server");
  if (greeting != tsr_kernel_count() || greeting > KERNELS) fail("the server has other kernels");
}

// How often each entry and kernel was called there, one a line, at the end of the file that TESSERA_ARM64_CALLS names.
__attribute__((destructor)) static void finish(void) {
  const char *const path = getenv("TESSERA_ARM64_CALLS");
  FILE *const file = server >= 0 && path ? fopen(path, "a") : 0;
  if (!file) return;
#define COUNT_NAME(result, name, type) #name,
#define WORK_NAME(name, type) #name,
#define OTHER_NAME(name) #name,
  static const char *const names[] = {BRIDGE_COUNTS(COUNT_NAME) BRIDGE_WORKS(WORK_NAME) BRIDGE_OTHERS(OTHER_NAME)};
  for (int n = 0; n < BRIDGE_KERNELS; n++) fprintf(file, "%s %lld\n", names[n], (long long)calls[n]);
  for (int k = 0; k < tsr_kernel_count(); k++)
    if (tsr_kernel_at(k).targets == TSR_TARGETS_BOTH)
      fprintf(file, "%s %lld\n", tsr_kernel_at(k).name, (long long)calls[BRIDGE_KERNELS + k]);
  fclose(file);
}

// Calls entry `number` of the server; `size` bytes of `plan` are there during the call, and as it left them afterwards
// here too if `back`. One call at a time.
static int64_t ask(int64_t number, const void *plan, size_t size, int back, const int64_t *arguments, int count) {
  bridge_call call = {.number = number, .plan = (uint64_t)bridge_slot()};
  memcpy(call.arguments, arguments, (size_t)count * sizeof *arguments);
  int64_t result = 0;
  pthread_mutex_lock(&lock);
  calls[number]++;
  char *const slot = bridge_slot();
  memcpy(slot, plan, size);
  if (number == number_tsr_attention_scratch_count || number == number_tsr_attention_work) {
    // The one table of a plan that is no tensor.
    tsr_attention_plan *const p = (tsr_attention_plan *)slot;
    const size_t bytes = (size_t)(p->texts + 1) * sizeof *p->begins;
    if (bytes > BRIDGE_SLOT / 2) fail("too many texts");
    if (p->begins) p->begins = memcpy(slot + BRIDGE_SLOT / 2, p->begins, bytes);
  }
  if (write(server, &call, sizeof call) != sizeof call || read(server, &result, sizeof result) != sizeof result) {
    fprintf(stderr, "client: in call %lld: ", (long long)number);
    fail("the server has ended");
  }
  if (back) memcpy((void *)plan, slot, size);
  pthread_mutex_unlock(&lock);
  return result;
}

static int is_arm64(int isa) { return server >= 0 && isa == native_tsr_isa_count(); }
int tsr_isa_count(void) { return native_tsr_isa_count() + (server >= 0); }
const char *tsr_isa_name(int index) { return is_arm64(index) ? "arm64" : native_tsr_isa_name(index); }

// A function for each of the server's kernels: a pointer to one carries no number.
static void kernel(int index, const void *params, void *const *buffers, int64_t begin, int64_t end) {
  struct { char params[PARAMETERS]; void *buffers[BUFFERS]; } both;
  memcpy(both.params, params, sizeof both.params);
  memcpy(both.buffers, buffers, sizeof both.buffers);
  const int64_t arguments[] = {(int64_t)bridge_slot() + PARAMETERS, begin, end};
  ask(BRIDGE_KERNELS + index, &both, sizeof both, 0, arguments, 3);
}
#define FUNCTION(n) \
  static void kernel_##n(const void *p, void *const *b, int64_t begin, int64_t end) { kernel(0##n - 01000, p, b, begin, end); }
#define EIGHT(X, n) X(n##0) X(n##1) X(n##2) X(n##3) X(n##4) X(n##5) X(n##6) X(n##7)
#define ALL(X)                                                                                                  \
  EIGHT(X, 100) EIGHT(X, 101) EIGHT(X, 102) EIGHT(X, 103) EIGHT(X, 104) EIGHT(X, 105) EIGHT(X, 106) EIGHT(X, 107) \
  EIGHT(X, 110) EIGHT(X, 111) EIGHT(X, 112) EIGHT(X, 113) EIGHT(X, 114) EIGHT(X, 115) EIGHT(X, 116) EIGHT(X, 117)
ALL(FUNCTION)
#define NAME(n) kernel_##n,
static const tsr_cpu_kernel functions[KERNELS] = {ALL(NAME)};

tsr_cpu_kernel tsr_cpu_kernel_function(enum tsr_kernel kernel, int isa) {
  if (!is_arm64(isa)) return native_tsr_cpu_kernel_function(kernel, isa);
  return tsr_kernel_at(kernel).targets == TSR_TARGETS_BOTH ? functions[kernel] : 0;
}

#define COUNT(result, name, type)                                                        \
  result native_##name(const type *plan);                                                \
  result name(const type *plan) {                                                        \
    return is_arm64(plan->isa) ? (result)ask(number_##name, plan, sizeof *plan, 0, 0, 0) : native_##name(plan); \
  }
#define WORK(name, type)                                                                 \
  void native_##name(type *plan, float *scratch);                                        \
  void name(type *plan, float *scratch) {                                                \
    product_was_arm64 = is_arm64(plan->isa);                                             \
    if (!product_was_arm64) return native_##name(plan, scratch);                         \
    const int64_t arguments[] = {(int64_t)scratch};                                      \
    ask(number_##name, plan, sizeof *plan, 1, arguments, 1);                             \
  }
BRIDGE_COUNTS(COUNT)
BRIDGE_WORKS(WORK)

// The same, written out: OTHER(result, name, (its parameters), (its arguments), isa, plan, what else it is called with).
#define OTHER(result, name, parameters, passed, isa, plan, ...)                          \
  result native_##name parameters;                                                       \
  result name parameters {                                                               \
    const int64_t arguments[] = {__VA_ARGS__};                                           \
    if (!is_arm64(isa)) return native_##name passed;                                     \
    return (result)ask(number_##name, plan, sizeof *(plan), 0, arguments, sizeof arguments / sizeof *arguments); \
  }
OTHER(int, tsr_gemm_tile_rows, (int isa), (isa), isa, &isa, isa)
OTHER(int, tsr_gemm_tile_columns, (int isa), (isa), isa, &isa, isa)
OTHER(void, tsr_gemm_pack_a, (const tsr_gemm_plan *p, int inner, int begin, int end), (p, inner, begin, end), p->isa, p,
      inner, begin, end)
OTHER(int, tsr_conv_blocked_takes, (const tsr_conv_params *conv, int kind, int isa), (conv, kind, isa), isa, conv, kind)
OTHER(void, tsr_conv_blocked_pack, (const tsr_conv_blocked_plan *p, int begin, int end), (p, begin, end), p->isa, p, begin, end)
OTHER(void, tsr_grouped_weight_reduce, (const tsr_grouped_weight_plan *p, float *dw, int64_t begin, int64_t end),
      (p, dw, begin, end), p->isa, p, (int64_t)dw, begin, end)
OTHER(int, tsr_blocked_weight_takes, (const tsr_conv_params *conv, int isa), (conv, isa), isa, conv, isa)
OTHER(void, tsr_blocked_weight_reduce, (const tsr_blocked_weight_plan *p, float *dw, int begin, int end), (p, dw, begin, end),
      p->isa, p, (int64_t)dw, begin, end)
OTHER(void, tsr_mirror, (float *d, int64_t n, int64_t begin, int64_t end), (d, n, begin, end),
      product_was_arm64 ? native_tsr_isa_count() : 0, d, (int64_t)d, n, begin, end)

// Of these the instruction set is no part.
int native_tsr_direct_takes(const tsr_conv_params *conv, int kind);
int native_tsr_direct_weight_takes(const tsr_conv_params *conv);
int tsr_conv_grouped_takes(const tsr_conv_params *conv, int kind) { return native_tsr_direct_takes(conv, kind); }
int tsr_grouped_weight_takes(const tsr_conv_params *conv) { return native_tsr_direct_weight_takes(conv); }
