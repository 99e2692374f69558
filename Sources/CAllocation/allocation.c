// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "allocation.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static char purpose[160] = "tessera";
static pthread_mutex_t purpose_lock = PTHREAD_MUTEX_INITIALIZER;

void tsr_allocation_purpose(const char *what) {
  pthread_mutex_lock(&purpose_lock);
  size_t count = 0;
  // A character that would end the line, or the part of one at the end, is left out.
  for (; *what && count + 1 < sizeof purpose; what++)
    if ((unsigned char)*what >= 32 && *what != 127) purpose[count++] = *what;
  while (count && *what && ((unsigned char)purpose[count - 1] & 0xc0) == 0x80) count--;
  purpose[count] = 0;
  pthread_mutex_unlock(&purpose_lock);
}

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define TSR_SANITIZED
#endif
#endif

#if defined(__GLIBC__) && !defined(TSR_SANITIZED)

void *__libc_malloc(size_t);
void *__libc_calloc(size_t, size_t);
void *__libc_realloc(void *, size_t);
void *__libc_memalign(size_t, size_t);

// Mebibytes of address space in use; read without a buffer of the library's, which would be allocated.
static unsigned long in_use(void) {
  char text[64] = {0};
  int file = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
  if (file < 0) return 0;
  ssize_t count = read(file, text, sizeof text - 1);
  close(file);
  unsigned long pages = 0;
  for (ssize_t i = 0; i < count && text[i] >= '0' && text[i] <= '9'; i++)
    pages = pages * 10 + (unsigned long)(text[i] - '0');
  return pages * (unsigned long)sysconf(_SC_PAGESIZE) >> 20;
}

// One line, of the first thread that comes here; nothing is allocated on the way.
static _Noreturn void end(const char *found, const char *wanted) {
  static atomic_flag told = ATOMIC_FLAG_INIT;
  if (atomic_flag_test_and_set(&told))
    for (;;) pause();
  char line[640];
  int count = snprintf(line, sizeof line, "tessera: %s: found %s, wanted %s\n", purpose, found, wanted);
  if (count > (int)sizeof line - 1) {
    count = sizeof line - 1;
    line[count - 1] = '\n';
  }
  for (int at = 0; at < count;) {
    ssize_t done = write(2, line + at, (size_t)(count - at));
    if (done < 0 && errno == EINTR) continue;
    if (done <= 0) break;
    at += (int)done;
  }
  _exit(1);
}

static _Noreturn void no_memory(size_t bytes) {
  char found[200], limit[80] = "";
  struct rlimit most;
  if (getrlimit(RLIMIT_AS, &most) == 0 && most.rlim_cur != RLIM_INFINITY)
    snprintf(limit, sizeof limit, ", which may have %llu MiB (ulimit -v)",
             (unsigned long long)most.rlim_cur >> 20);
  snprintf(found, sizeof found, "no memory for %zu bytes more beside the process's %lu MiB%s", bytes,
           in_use(), limit);
  end(found, "more memory, or less to do at once (rows, pixels, --batch, --embedding-batch)");
}

void *malloc(size_t bytes) {
  void *memory = __libc_malloc(bytes);
  if (!memory) no_memory(bytes);
  return memory;
}

void *calloc(size_t count, size_t size) {
  void *memory = __libc_calloc(count, size);
  size_t bytes;
  if (!memory) no_memory(__builtin_mul_overflow(count, size, &bytes) ? (size_t)-1 : bytes);
  return memory;
}

void *realloc(void *old, size_t bytes) {
  void *memory = __libc_realloc(old, bytes);
  // Nothing is what a size of nothing gives.
  if (!memory && bytes) no_memory(bytes);
  return memory;
}

// Aligned memory of the program's own is asked for where a failure is handled: a tensor that does not fit
// is an error with a name. Libraries are another matter: PoCL goes on with nothing and ends in an
// assertion.
static int is_of_a_library(const void *caller) {
  Dl_info own, other;
  return dladdr((void *)tsr_allocation_purpose, &own) && dladdr(caller, &other) &&
         own.dli_fbase != other.dli_fbase;
}

int posix_memalign(void **memory, size_t alignment, size_t bytes) {
  if (alignment % sizeof(void *) != 0 || alignment == 0 || (alignment & (alignment - 1)) != 0) return EINVAL;
  void *found = __libc_memalign(alignment, bytes);
  if (!found) {
    if (is_of_a_library(__builtin_return_address(0))) no_memory(bytes);
    return ENOMEM;
  }
  *memory = found;
  return 0;
}

void *aligned_alloc(size_t alignment, size_t bytes) {
  void *memory = __libc_memalign(alignment, bytes);
  if (!memory && is_of_a_library(__builtin_return_address(0))) no_memory(bytes);
  return memory;
}

typedef int (*creator)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
static creator create;
static pthread_once_t found_create = PTHREAD_ONCE_INIT;

static void find_create(void) { create = (creator)dlsym(RTLD_NEXT, "pthread_create"); }

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*body)(void *),
                   void *argument) {
  pthread_once(&found_create, find_create);
  int status = create ? create(thread, attributes, body, argument) : EAGAIN;
  if (status == EAGAIN || status == ENOMEM) {
    char found[120];
    snprintf(found, sizeof found, "no thread to be had (%s) beside the process's %lu MiB", strerror(status),
             in_use());
    end(found, "more threads (ulimit -u) and memory (ulimit -v) for the process, or fewer --threads");
  }
  return status;
}

#endif
