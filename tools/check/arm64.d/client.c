// SPDX-License-Identifier: Apache-2.0
// The tables of cpu_kernels.h with one more, the last: "arm64", whose functions call a server (server.c),
// which is started by the command line that TESSERA_ARM64 has. The machine's own tables are the package's
// objects; the functions that hand them out begin with native_ here (tools/check/arm64 renames them).
#define _GNU_SOURCE
#include "bridge.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

// Kernels of kernels.def and this machine's tables at most; what is copied of parameters whose size their
// caller alone knows.
enum { KERNELS = 128, TABLES = 3, PARAMETERS = 256, BUFFERS = 8 };

int native_tsr_cpu_table_count(void);
const tsr_cpu_table *native_tsr_cpu_table_at(int index);
void native_tsr_mirror(float *d, int64_t n, int64_t begin, int64_t end);

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int server = -1;
static int64_t calls[BRIDGE_KERNELS + KERNELS];
// This machine's tables and then the server's.
static tsr_cpu_table tables[TABLES + 1];
static int table_count;
// Whether the last product was the server's: tsr_mirror is in no table, and must know whose result it is
// given.
static _Atomic int product_was_arm64;

static void offer_tables(void);

static void fail(const char *what) {
  fprintf(stderr, "client: %s\n", what);
  abort();
}

__attribute__((constructor)) static void start(void) {
  char *const command = getenv("TESSERA_ARM64");
  if (!command) return offer_tables();
  int ends[2];
  // Neither descriptor is one that the server's are given.
  const int shared = dup2(bridge_memory(), 40);
  if (shared < 0 || socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0 || (server = dup2(ends[0], 41)) < 0)
    fail("no socket");
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
  offer_tables();
}

// How often each entry and kernel was called there, one a line, at the end of the file that
// TESSERA_ARM64_CALLS names.
__attribute__((destructor)) static void finish(void) {
  const char *const path = getenv("TESSERA_ARM64_CALLS");
  FILE *const file = server >= 0 && path ? fopen(path, "a") : 0;
  if (!file) return;
#define COUNT_NAME(result, name, type) #name,
#define WORK_NAME(name, type) #name,
#define OTHER_NAME(name) #name,
  static const char *const names[] = {BRIDGE_COUNTS(COUNT_NAME) BRIDGE_WORKS(WORK_NAME)
                                          BRIDGE_OTHERS(OTHER_NAME)};
  for (int n = 0; n < BRIDGE_KERNELS; n++) fprintf(file, "%s %lld\n", names[n], (long long)calls[n]);
  for (int k = 0; k < tsr_kernel_count(); k++)
    if (tsr_kernel_at(k).targets == TSR_TARGETS_BOTH)
      fprintf(file, "%s %lld\n", tsr_kernel_at(k).name, (long long)calls[BRIDGE_KERNELS + k]);
  fclose(file);
}

// Calls entry `number` of the server; `size` bytes of `plan` are there during the call. One call at a time.
static int64_t ask(int64_t number, const void *plan, size_t size, const int64_t *arguments, int count) {
  bridge_call call = {.number = number, .plan = (uint64_t)bridge_slot()};
  memcpy(call.arguments, arguments, (size_t)count * sizeof *arguments);
  int64_t result = 0;
  pthread_mutex_lock(&lock);
  calls[number]++;
  char *const slot = bridge_slot();
  memcpy(slot, plan, size);
  if (number == number_attention_scratch_count || number == number_attention_work) {
    // The one table of a plan that is no tensor.
    tsr_attention_plan *const p = (tsr_attention_plan *)slot;
    const size_t bytes = (size_t)(p->texts + 1) * sizeof *p->begins;
    if (bytes > BRIDGE_SLOT / 2) fail("too many texts");
    if (p->begins) p->begins = memcpy(slot + BRIDGE_SLOT / 2, p->begins, bytes);
  }
  if (write(server, &call, sizeof call) != sizeof call ||
      read(server, &result, sizeof result) != sizeof result) {
    fprintf(stderr, "client: in call %lld: ", (long long)number);
    fail("the server has ended");
  }
  pthread_mutex_unlock(&lock);
  return result;
}

// A function for each of the server's kernels: a pointer to one carries no number.
static void kernel(int index, const void *params, void *const *buffers, int64_t begin, int64_t end) {
  struct {
    char params[PARAMETERS];
    void *buffers[BUFFERS];
  } both;
  memcpy(both.params, params, sizeof both.params);
  memcpy(both.buffers, buffers, sizeof both.buffers);
  const int64_t arguments[] = {(int64_t)bridge_slot() + PARAMETERS, begin, end};
  ask(BRIDGE_KERNELS + index, &both, sizeof both, arguments, 3);
}
#define FUNCTION(n)                                                                   \
  static void kernel_##n(const void *p, void *const *b, int64_t begin, int64_t end) { \
    kernel(0##n - 01000, p, b, begin, end);                                           \
  }
#define EIGHT(X, n) X(n##0) X(n##1) X(n##2) X(n##3) X(n##4) X(n##5) X(n##6) X(n##7)
// clang-format off
#define ALL(X) \
  EIGHT(X, 100) EIGHT(X, 101) EIGHT(X, 102) EIGHT(X, 103) EIGHT(X, 104) EIGHT(X, 105) \
  EIGHT(X, 106) EIGHT(X, 107) EIGHT(X, 110) EIGHT(X, 111) EIGHT(X, 112) EIGHT(X, 113) \
  EIGHT(X, 114) EIGHT(X, 115) EIGHT(X, 116) EIGHT(X, 117)
// clang-format on
ALL(FUNCTION)
#define NAME(n) kernel_##n,
static tsr_cpu_kernel functions[KERNELS] = {ALL(NAME)};

// A table's functions, by their form (bridge.h).
#define COUNT(result, name, type)                                \
  static result arm64_##name(const type *plan) {                 \
    return (result)ask(number_##name, plan, sizeof *plan, 0, 0); \
  }
#define WORK(name, type)                                                               \
  static void arm64_##name(const type *plan, tsr_worker w, float *scratch) {           \
    const int64_t arguments[] = {(int64_t)w.next, w.index, w.count, (int64_t)scratch}; \
    if (number_##name == number_gemm_work) product_was_arm64 = 1;                      \
    ask(number_##name, plan, sizeof *plan, arguments, 4);                              \
  }
BRIDGE_COUNTS(COUNT)
BRIDGE_WORKS(WORK)

// The same, written out: OTHER(result, name, (its parameters), plan, what else the server is called with).
#define OTHER(result, name, parameters, plan, ...)                                                          \
  static result arm64_##name parameters {                                                                   \
    const int64_t arguments[] = {__VA_ARGS__};                                                              \
    return (result)ask(number_##name, plan, sizeof *(plan), arguments, sizeof arguments / sizeof(int64_t)); \
  }
OTHER(void, gemm_pack_a, (const tsr_gemm_plan *p, int inner, int begin, int end), p, inner, begin, end)
OTHER(void, gemm_pack_b, (const tsr_gemm_plan *p, int begin, int end), p, begin, end)
OTHER(int, conv_grouped_fits, (const tsr_conv_params *conv, int kind), conv, kind)
OTHER(int, conv_blocked_fits, (const tsr_conv_params *conv, int kind), conv, kind)
OTHER(void, conv_blocked_pack, (const tsr_conv_blocked_plan *p, int begin, int end), p, begin, end)
OTHER(int, grouped_weight_fits, (const tsr_conv_params *conv), conv)
OTHER(void, grouped_weight_reduce, (const tsr_grouped_weight_plan *p, float *dw, int64_t begin, int64_t end),
      p, (int64_t)dw, begin, end)
OTHER(int, blocked_weight_fits, (const tsr_conv_params *conv), conv)
OTHER(void, blocked_weight_reduce, (const tsr_blocked_weight_plan *p, float *dw, int begin, int end), p,
      (int64_t)dw, begin, end)
OTHER(void, winograd_pack, (const tsr_winograd_plan *p, int begin, int end), p, begin, end)
OTHER(void, grad_weight_winograd_reduce,
      (const tsr_winograd_weight_plan *p, float *dw, int64_t begin, int64_t end), p, (int64_t)dw, begin, end)

// Products of this machine's tables say whose they are, too.
#define NATIVE_WORK(index)                                                                        \
  static void native_work_##index(const tsr_gemm_plan *plan, tsr_worker worker, float *scratch) { \
    product_was_arm64 = 0;                                                                        \
    native_tsr_cpu_table_at(index)->gemm_work(plan, worker, scratch);                             \
  }
NATIVE_WORK(0)
NATIVE_WORK(1)
NATIVE_WORK(2)
typedef void (*gemm_work)(const tsr_gemm_plan *plan, tsr_worker worker, float *scratch);
static const gemm_work native_works[TABLES] = {native_work_0, native_work_1, native_work_2};

static void offer_tables(void) {
#if defined(__x86_64__)
  // Tables are asked for before the compiler's own constructor may have looked at the processor.
  __builtin_cpu_init();
#endif
  table_count = native_tsr_cpu_table_count();
  if (table_count > TABLES) fail("more tables than expected");
  for (int index = 0; index < table_count; index++) {
    tables[index] = *native_tsr_cpu_table_at(index);
    tables[index].gemm_work = native_works[index];
  }
  if (server < 0) return;
  for (int k = 0; k < tsr_kernel_count(); k++)
    if (tsr_kernel_at(k).targets != TSR_TARGETS_BOTH) functions[k] = 0;
  tsr_cpu_table *const last = &tables[table_count++];
  *last = (tsr_cpu_table){
      .name = "arm64",
      .tile_rows = (int)ask(number_tile_rows, "", 0, 0, 0),
      .tile_columns = (int)ask(number_tile_columns, "", 0, 0, 0),
      .kernels = functions,
      .gemm_pack_a = arm64_gemm_pack_a,
      .gemm_pack_b = arm64_gemm_pack_b,
      .conv_grouped_fits = arm64_conv_grouped_fits,
      .conv_blocked_fits = arm64_conv_blocked_fits,
      .conv_blocked_pack = arm64_conv_blocked_pack,
      .grouped_weight_fits = arm64_grouped_weight_fits,
      .grouped_weight_reduce = arm64_grouped_weight_reduce,
      .blocked_weight_fits = arm64_blocked_weight_fits,
      .blocked_weight_reduce = arm64_blocked_weight_reduce,
      .winograd_pack = arm64_winograd_pack,
      .grad_weight_winograd_reduce = arm64_grad_weight_winograd_reduce,
  };
#define SET_COUNT(result, name, type) last->name = arm64_##name;
#define SET_WORK(name, type) last->name = arm64_##name;
  BRIDGE_COUNTS(SET_COUNT)
  BRIDGE_WORKS(SET_WORK)
  // A function that cpu_kernels.h has and bridge.h has not is null.
  const void *const *const end = (const void *const *)(last + 1);
  for (const void *const *field = (const void *const *)&last->kernels; field < end; field++)
    if (!*field) fail("an entry of cpu_kernels.h is not in bridge.h");
}

int tsr_cpu_table_count(void) { return table_count; }
const tsr_cpu_table *tsr_cpu_table_at(int index) { return &tables[index]; }

void tsr_mirror(float *d, int64_t n, int64_t begin, int64_t end) {
  if (!product_was_arm64) return native_tsr_mirror(d, n, begin, end);
  const int64_t arguments[] = {(int64_t)d, n, begin, end};
  ask(number_mirror, "", 0, arguments, 4);
}
