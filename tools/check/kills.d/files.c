// SPDX-License-Identifier: Apache-2.0
// Interposes the calls that change files (LD_PRELOAD) and kills the process at a chosen one, for
// tools/check/kills.
//   clang -shared -fPIC -O1 -o libkills.so files.c -ldl
//
//   TESSERA_KILL_FOLDER=DIR       calls on paths that hold this text are counted
//   TESSERA_KILL=N:MODE           SIGKILL at the N-th (from 1): `before` it (of a write, after half of
//                               its bytes) or `after`
//   TESSERA_KILL_REPORT=FILE      at exit: how many there were
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static atomic_long calls;

static void *next(const char *name) {
  void *function = dlsym(RTLD_NEXT, name);
  if (!function) _Exit(99);
  return function;
}

static void die(void) {
  raise(SIGKILL);
  for (;;) pause();
}

static int inside(const char *path) {
  const char *folder = getenv("TESSERA_KILL_FOLDER");
  return folder && path && strstr(path, folder);
}

// Counts a call on a path: 0 for one to be let through, 1 to be killed before, 2 after.
static int moment(const char *path) {
  if (!inside(path)) return 0;
  long number = atomic_fetch_add(&calls, 1) + 1, at = 0;
  char mode[8] = "";
  const char *kill = getenv("TESSERA_KILL");
  if (!kill || sscanf(kill, "%ld:%7s", &at, mode) != 2 || number != at) return 0;
  return strcmp(mode, "before") == 0 ? 1 : 2;
}

static int moment_of(int descriptor) {
  char link[64], path[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length < 0) return 0;
  path[length] = 0;
  return moment(path);
}

#define CALL(type, name, parameters, which, ...)                  \
  type name parameters {                                          \
    int at = which;                                               \
    if (at == 1) die();                                           \
    type result = ((type(*) parameters)next(#name))(__VA_ARGS__); \
    if (at == 2) die();                                           \
    return result;                                                \
  }

CALL(int, rename, (const char *from, const char *to), moment(to), from, to)
CALL(int, unlink, (const char *path), moment(path), path)
CALL(int, rmdir, (const char *path), moment(path), path)
CALL(int, remove, (const char *path), moment(path), path)
CALL(int, mkdir, (const char *path, mode_t mode), moment(path), path, mode)
CALL(int, link, (const char *from, const char *to), moment(to), from, to)
CALL(int, unlinkat, (int folder, const char *path, int flags), moment_of(folder), folder, path, flags)
CALL(int, fsync, (int descriptor), moment_of(descriptor), descriptor)
CALL(int, ftruncate, (int descriptor, off_t length), moment_of(descriptor), descriptor, length)

#define OPEN(name)                                                                  \
  int name(const char *path, int flags, ...) {                                      \
    va_list list;                                                                   \
    va_start(list, flags);                                                          \
    mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(list, mode_t) : 0;         \
    va_end(list);                                                                   \
    int at = flags & (O_CREAT | O_TRUNC) ? moment(path) : 0;                        \
    if (at == 1) die();                                                             \
    int result = ((int (*)(const char *, int, ...))next(#name))(path, flags, mode); \
    if (at == 2) die();                                                             \
    return result;                                                                  \
  }
OPEN(open)
OPEN(open64)

ssize_t write(int descriptor, const void *bytes, size_t count) {
  ssize_t (*real)(int, const void *, size_t) = next("write");
  int at = moment_of(descriptor);
  if (at == 1) {
    (void)!real(descriptor, bytes, count / 2);
    die();
  }
  ssize_t result = real(descriptor, bytes, count);
  if (at == 2) die();
  return result;
}

__attribute__((destructor)) static void report(void) {
  const char *path = getenv("TESSERA_KILL_REPORT");
  FILE *file = path ? fopen(path, "w") : NULL;
  if (!file) return;
  fprintf(file, "%ld\n", (long)calls);
  fclose(file);
}
