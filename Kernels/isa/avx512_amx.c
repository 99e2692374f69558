// SPDX-License-Identifier: Apache-2.0
// Exact sums of digits by AMX, the matrix unit of Intel's server processors.
//
// Algorithm  tdpbssd multiplies 16 x 64 bytes by 64 x 16 bytes into 16 x 16 sums of 32 bits. Products of
//            equal weight have one sum, as in avx512_vnni.c.
// Tensors    Strips of bytes (integer_gemm/c/pack.h): a digit of a block is one tile; t (32, 16), sums of 64
//            bits that grow.
// Work       One thread, between tsr_integer_amx_begin and tsr_integer_amx_end.
// Tuning     Tiles 0 ... 5: three sums of two strips of A, so that no product waits for the one before it;
//            6 and 7: operands.
//
//   B digit [7]            tiles 0 1 2: rows 0 ... 15 of d0 d0', d0 d1' + d1 d0', d0 d2' + d1 d1' + d2 d0'
//   A digit [6] -> [0..5]  tiles 3 4 5: rows 16 ... 31
//
// Rules      12.
#if defined(__x86_64__)
#include "include/cpu_kernels.h"
#include <immintrin.h>
#if defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif

// A process asks once; the system then saves the tiles of its threads.
static int is_granted(void) {
#if defined(__linux__)
  enum { REQUEST = 0x1023, TILE_DATA = 18 };
  return syscall(SYS_arch_prctl, REQUEST, TILE_DATA) == 0;
#else
  return 0;
#endif
}
int tsr_integer_has_amx(void) {
  static int known;  // 1: no, 2: yes; whoever comes at the same time finds the same
  int state = __atomic_load_n(&known, __ATOMIC_RELAXED);
  if (!state) {
    state = __builtin_cpu_supports("amx-tile") && __builtin_cpu_supports("amx-int8") && is_granted() ? 2 : 1;
    __atomic_store_n(&known, state, __ATOMIC_RELAXED);
  }
  return state == 2;
}

#pragma clang attribute push(                                                             \
    __attribute__((target("avx512f,avx512vl,avx512bw,avx512dq,amx-tile,amx-int8,avx2"))), \
    apply_to = function)
// BLOCKS of 64 k: three products of 128 x 128 fit 32 bits 43,690 times.
enum { BLOCKS = 512, PLANE = 1024 };

void tsr_integer_amx_begin(void) {
  struct {
    uint8_t palette, start, reserved[14];
    uint16_t bytes[16];
    uint8_t rows[16];
  } tiles = {.palette = 1};
  for (int i = 0; i < 8; i++) tiles.bytes[i] = 64, tiles.rows[i] = 16;
  _tile_loadconfig(&tiles);
}
void tsr_integer_amx_end(void) { _tile_release(); }

// t += s0 2^16 + s1 2^8 + s2 of a strip.
static void add_sums(const int32_t *s, int64_t *t) {
  for (int i = 0; i < 256; i += 8) {
    __m512i w[3];
    for (int j = 0; j < 3; j++)
      w[j] = _mm512_cvtepi32_epi64(_mm256_load_si256((const __m256i *)(s + 256 * j + i)));
    const __m512i high = _mm512_add_epi64(_mm512_slli_epi64(w[0], 16), _mm512_slli_epi64(w[1], 8));
    _mm512_store_si512(t + i, _mm512_add_epi64(_mm512_load_si512(t + i), _mm512_add_epi64(high, w[2])));
  }
}

// A digit of B by a digit of both strips of A, into their sums of one weight.
#define PRODUCTS(digit, upper, lower)       \
  _tile_loadd(6, a0 + (digit) * PLANE, 64); \
  _tile_dpbssd(upper, 6, 7);                \
  _tile_loadd(6, a1 + (digit) * PLANE, 64); \
  _tile_dpbssd(lower, 6, 7);

static void tile_of_three(const char *a0, const char *a1, const char *b, int blocks) {
  for (int i = 0; i < blocks; i++, a0 += 3 * PLANE, a1 += 3 * PLANE, b += 3 * PLANE) {
    _tile_loadd(7, b, 64);
    PRODUCTS(2, 2, 5)
    PRODUCTS(1, 1, 4)
    PRODUCTS(0, 0, 3)
    _tile_loadd(7, b + PLANE, 64);
    PRODUCTS(1, 2, 5)
    PRODUCTS(0, 1, 4)
    _tile_loadd(7, b + 2 * PLANE, 64);
    PRODUCTS(0, 2, 5)
  }
}
static void tile_of_two(const char *a0, const char *a1, const char *b, int blocks) {
  for (int i = 0; i < blocks; i++, a0 += 2 * PLANE, a1 += 2 * PLANE, b += 2 * PLANE) {
    _tile_loadd(7, b, 64);
    PRODUCTS(1, 1, 4)
    PRODUCTS(0, 0, 3)
    _tile_loadd(7, b + PLANE, 64);
    PRODUCTS(1, 2, 5)
    PRODUCTS(0, 1, 4)
  }
}

void tsr_integer_tile_amx(const tsr_integer_tile *tile) {
  int32_t s[6 * 256] __attribute__((aligned(64)));
  for (int block = 0; block < tile->blocks; block += BLOCKS) {
    const int left = tile->blocks - block, blocks = left < BLOCKS ? left : BLOCKS;
    const int64_t at = (int64_t)block * tile->digits * PLANE;
    const char *const a0 = (const char *)tile->a[0] + at, *const a1 = (const char *)tile->a[1] + at,
                      *const b = (const char *)tile->b + at;
    _tile_zero(0), _tile_zero(1), _tile_zero(2), _tile_zero(3), _tile_zero(4), _tile_zero(5);
    if (tile->digits == 3) tile_of_three(a0, a1, b, blocks);
    else tile_of_two(a0, a1, b, blocks);
    _tile_stored(0, s, 64), _tile_stored(1, s + 256, 64), _tile_stored(2, s + 512, 64);
    _tile_stored(3, s + 768, 64), _tile_stored(4, s + 1024, 64), _tile_stored(5, s + 1280, 64);
    add_sums(s, tile->t);
    add_sums(s + 768, tile->t + 256);
  }
}
#pragma clang attribute pop
#endif
