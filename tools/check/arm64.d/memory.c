// SPDX-License-Identifier: Apache-2.0
// Aligned memory, which all tensors and scratch are, from a region that another process maps too. Takes the
// place of posix_memalign, aligned_alloc and free in the program that it is linked into; other memory stays
// the C library's.
#define _GNU_SOURCE
#include "bridge.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

extern void __libc_free(void *pointer);

// Before each block, in the cache line ahead of it; free ones are chained by their size, a power of two, and
// alignment.
typedef struct header {
  struct header *next;
  int power, pages;
} header;
enum { LINE = 64, PAGES = 2 << 20 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static header *unused[64][2];
static uint64_t end;
static int memory = -1;

static void prepare(void) {
  if (memory >= 0) return;
  void *const wanted = (void *)BRIDGE_BASE;
  memory = memfd_create("tessera", 0);
  if (memory < 0 || ftruncate(memory, BRIDGE_BYTES) != 0 ||
      mmap(wanted, BRIDGE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED_NOREPLACE | MAP_NORESERVE,
           memory, 0) != wanted) {
    perror("shared memory");
    abort();
  }
  end = BRIDGE_BASE + BRIDGE_SLOT;
}

int bridge_memory(void) {
  pthread_mutex_lock(&lock);
  prepare();
  pthread_mutex_unlock(&lock);
  return memory;
}

int posix_memalign(void **out, size_t alignment, size_t size) {
  int power = 8;
  while ((size_t)1 << power < size) power++;
  const int pages = alignment > LINE;
  if (alignment > PAGES) return ENOMEM;
  pthread_mutex_lock(&lock);
  prepare();
  header *block = unused[power][pages];
  if (block) {
    unused[power][pages] = block->next;
  } else {
    const uint64_t step = pages ? PAGES : LINE, at = (end + LINE + step - 1) / step * step;
    if (power > 40 || at + ((uint64_t)1 << power) > BRIDGE_BASE + BRIDGE_BYTES) {
      pthread_mutex_unlock(&lock);
      return ENOMEM;
    }
    end = at + ((uint64_t)1 << power);
    block = (header *)(at - LINE);
    block->power = power;
    block->pages = pages;
  }
  pthread_mutex_unlock(&lock);
  *out = (char *)block + LINE;
  return 0;
}

void *aligned_alloc(size_t alignment, size_t size) {
  void *pointer = 0;
  errno = posix_memalign(&pointer, alignment, size);
  return pointer;
}

void free(void *pointer) {
  if ((uint64_t)pointer - BRIDGE_BASE >= BRIDGE_BYTES) return __libc_free(pointer);
  header *const block = (header *)((char *)pointer - LINE);
  pthread_mutex_lock(&lock);
  block->next = unused[block->power][block->pages];
  unused[block->power][block->pages] = block;
  pthread_mutex_unlock(&lock);
}
