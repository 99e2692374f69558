// SPDX-License-Identifier: Apache-2.0
// One text, three programs: the macros in which a kernel family's .cl file is written.
//
// Work       C (isa/): a function per instruction set that computes items begin ..< end.
//            OpenCL, CPU device: one work-item per item; lanes are a private array, no barriers.
//            OpenCL, GPU (TSR_GPU): items one work-item each; rows a work-group of 64, one work-item per
//            lane; channels a work-group of 256, four batch groups side by side.
//
//   TSR_ITEMS2(name, params, count, T0, a, T1, b)  body with `i` ...  TSR_END     independent elements
//   TSR_WORDS2(name, params, count, T0, a, T1, b)  ... with `i`, `word` ...  TSR_WORDS_END  and a random word
//   TSR_ROWS2 (name, params, count, T0, a, T1, b)  body with `i` ...  TSR_END     one reduction per item
//   TSR_CHANNELS2 ...                                   over the groups of a batch
//
// Tuning     None. The number after the name counts the tensors; what a row or a channel adds up, and
//            how, is in common/sums.h.
// Rules      5 and 6, by common/sums.h.
#pragma once

#include "include/tessera_base.h"
#include "include/tessera_params.h"

#ifdef __OPENCL_VERSION__
// No macro takes `...`: OpenCL C 1.2 (6.9 f) has none, and NVIDIA's compiler refuses them. A body has no
// comma outside parentheses; arguments of a kernel come in parentheses.
#ifdef TSR_GPU
// A work-item takes several elements, as far apart as there are work-items: starting groups for all of
// them would take longer.
#define TSR_ITEM_HEAD(name, count, arguments) \
  __kernel void name arguments {              \
    for (long i = (long)get_global_id(0); i < (long)(count); i += (long)get_global_size(0)) {
#else
#define TSR_ITEM_HEAD(name, count, arguments) \
  __kernel void name arguments {              \
    const long i = (long)get_global_id(0);    \
    if (i < (long)(count)) {
#endif
#ifdef TSR_GPU
#define TSR_ROW_HEAD(name, count, arguments)                                     \
  __kernel __attribute__((reqd_work_group_size(64, 1, 1))) void name arguments { \
    __local float tsr_local_sums[TSR_LANES];                                     \
    const int lane = (int)get_local_id(0);                                       \
    const long i = (long)get_group_id(0);                                        \
    {
#else
#define TSR_ROW_HEAD(name, count, arguments)   \
  TSR_SINGLE_ITEM_KERNEL void name arguments { \
    const long i = (long)get_global_id(0);     \
    if (i < (long)(count)) {
#endif
#ifdef TSR_GPU
// Groups of a batch that a work-group sums side by side, 64 work-items each: channels are few, and a
// group's lanes are 64.
#define TSR_SUBGROUPS 4
#define TSR_CHANNEL_HEAD(name, count, arguments)                                                \
  __kernel __attribute__((reqd_work_group_size(256, 1, 1))) void name arguments {               \
    __local float tsr_local_sums[TSR_SUBGROUPS * TSR_LANES];                                    \
    const int lane = (int)get_local_id(0) % TSR_LANES, team = (int)get_local_id(0) / TSR_LANES; \
    const long i = (long)get_group_id(0);                                                       \
    {
#else
#define TSR_CHANNEL_HEAD(name, count, arguments) TSR_ROW_HEAD(name, count, arguments)
#endif
#define TSR_B(T, x) __global T *x
#define TSR_ITEMS1(n, P, c, A, a) TSR_ITEM_HEAD(n, c, (const P p, TSR_B(A, a)))
#define TSR_ITEMS2(n, P, c, A, a, B, b) TSR_ITEM_HEAD(n, c, (const P p, TSR_B(A, a), TSR_B(B, b)))
#define TSR_ITEMS3(n, P, c, A, a, B, b, C, d) \
  TSR_ITEM_HEAD(n, c, (const P p, TSR_B(A, a), TSR_B(B, b), TSR_B(C, d)))
#define TSR_ITEMS4(n, P, c, A, a, B, b, C, d, D, e) \
  TSR_ITEM_HEAD(n, c, (const P p, TSR_B(A, a), TSR_B(B, b), TSR_B(C, d), TSR_B(D, e)))
#define TSR_ITEMS6(n, P, c, A, a, B, b, C, d, D, e, E, f, F, g) \
  TSR_ITEM_HEAD(n, c,                                           \
                (const P p, TSR_B(A, a), TSR_B(B, b), TSR_B(C, d), TSR_B(D, e), TSR_B(E, f), TSR_B(F, g)))
#define TSR_ROWS1(n, P, c, A, a) TSR_ROW_HEAD(n, c, (const P p, TSR_B(A, a)))
#define TSR_ROWS2(n, P, c, A, a, B, b) TSR_ROW_HEAD(n, c, (const P p, TSR_B(A, a), TSR_B(B, b)))
#define TSR_ROWS3(n, P, c, A, a, B, b, C, d) \
  TSR_ROW_HEAD(n, c, (const P p, TSR_B(A, a), TSR_B(B, b), TSR_B(C, d)))
#define TSR_ROWS4(n, P, c, A, a, B, b, C, d, D, e) \
  TSR_ROW_HEAD(n, c, (const P p, TSR_B(A, a), TSR_B(B, b), TSR_B(C, d), TSR_B(D, e)))
#define TSR_ROWS5(n, P, c, A, a, B, b, C, d, D, e, E, f) \
  TSR_ROW_HEAD(n, c, (const P p, TSR_B(A, a), TSR_B(B, b), TSR_B(C, d), TSR_B(D, e), TSR_B(E, f)))
#define TSR_ROWS6(n, P, c, A, a, B, b, C, d, D, e, E, f, F, g) \
  TSR_ROW_HEAD(n, c,                                           \
               (const P p, TSR_B(A, a), TSR_B(B, b), TSR_B(C, d), TSR_B(D, e), TSR_B(E, f), TSR_B(F, g)))
#define TSR_ROWS8(n, P, c, A, a, B, b, C, d, D, e, E, f, F, g, G, h, H, k)                               \
  TSR_ROW_HEAD(n, c,                                                                                     \
               (const P p, TSR_B(A, a), TSR_B(B, b), TSR_B(C, d), TSR_B(D, e), TSR_B(E, f), TSR_B(F, g), \
                TSR_B(G, h), TSR_B(H, k)))
#define TSR_CHANNELS2(n, P, c, A, a, B, b) TSR_CHANNEL_HEAD(n, c, (const P p, TSR_B(A, a), TSR_B(B, b)))
#define TSR_CHANNELS3(n, P, c, A, a, B, b, C, d) \
  TSR_CHANNEL_HEAD(n, c, (const P p, TSR_B(A, a), TSR_B(B, b), TSR_B(C, d)))
#define TSR_CHANNELS6(n, P, c, A, a, B, b, C, d, D, e, E, f, F, g) \
  TSR_CHANNEL_HEAD(                                                \
      n, c, (const P p, TSR_B(A, a), TSR_B(B, b), TSR_B(C, d), TSR_B(D, e), TSR_B(E, f), TSR_B(F, g)))
#define TSR_END \
  }             \
  }
#define TSR_WORDS1(n, P, c, A, a) \
  TSR_ITEMS1(n, P, c, A, a)       \
    const tsr_u32 word = tsr_random_word(p, i);
#define TSR_WORDS2(n, P, c, A, a, B, b) \
  TSR_ITEMS2(n, P, c, A, a, B, b)       \
    const tsr_u32 word = tsr_random_word(p, i);
#define TSR_WORDS_END TSR_END
#else
// A kernel's function for one instruction set (isa/kernels_of_isa.h).
#define TSR_FUNCTION(name) \
  static void name(const void *params, void *const *buffers, int64_t begin, int64_t end)
// Four vectors at a time: long chains of fma (GELU) then hide their latency.
#define TSR_LOOP_ITEMS \
  _Pragma("clang loop vectorize(assume_safety) interleave_count(4)") for (int64_t i = begin; i < end; i++) {
#define TSR_LOOP_ROWS for (int64_t i = begin; i < end; i++) {
#define TSR_P(P)                  \
  const P p = *(const P *)params; \
  (void)p;
#define TSR_B(T, x, at) T *const x = (T *)buffers[at];
#define TSR_ITEMS1(n, P, c, A, a) \
  TSR_FUNCTION(n) {               \
    TSR_P(P) TSR_B(A, a, 0) TSR_LOOP_ITEMS
#define TSR_ITEMS2(n, P, c, A, a, B, b) \
  TSR_FUNCTION(n) {                     \
    TSR_P(P) TSR_B(A, a, 0) TSR_B(B, b, 1) TSR_LOOP_ITEMS
#define TSR_ITEMS3(n, P, c, A, a, B, b, C, d) \
  TSR_FUNCTION(n) {                           \
    TSR_P(P) TSR_B(A, a, 0) TSR_B(B, b, 1) TSR_B(C, d, 2) TSR_LOOP_ITEMS
#define TSR_ITEMS4(n, P, c, A, a, B, b, C, d, D, e) \
  TSR_FUNCTION(n) {                                 \
    TSR_P(P) TSR_B(A, a, 0) TSR_B(B, b, 1) TSR_B(C, d, 2) TSR_B(D, e, 3) TSR_LOOP_ITEMS
#define TSR_ITEMS6(n, P, c, A, a, B, b, C, d, D, e, E, f, F, g) \
  TSR_FUNCTION(n) {                                             \
    TSR_P(P)                                                    \
    TSR_B(A, a, 0) TSR_B(B, b, 1) TSR_B(C, d, 2) TSR_B(D, e, 3) TSR_B(E, f, 4) TSR_B(F, g, 5) TSR_LOOP_ITEMS
#define TSR_ROWS2(n, P, c, A, a, B, b) \
  TSR_FUNCTION(n) {                    \
    TSR_P(P) TSR_B(A, a, 0) TSR_B(B, b, 1) TSR_LOOP_ROWS
#define TSR_ROWS3(n, P, c, A, a, B, b, C, d) \
  TSR_FUNCTION(n) {                          \
    TSR_P(P) TSR_B(A, a, 0) TSR_B(B, b, 1) TSR_B(C, d, 2) TSR_LOOP_ROWS
#define TSR_ROWS4(n, P, c, A, a, B, b, C, d, D, e) \
  TSR_FUNCTION(n) {                                \
    TSR_P(P) TSR_B(A, a, 0) TSR_B(B, b, 1) TSR_B(C, d, 2) TSR_B(D, e, 3) TSR_LOOP_ROWS
#define TSR_ROWS5(n, P, c, A, a, B, b, C, d, D, e, E, f) \
  TSR_FUNCTION(n) {                                      \
    TSR_P(P) TSR_B(A, a, 0) TSR_B(B, b, 1) TSR_B(C, d, 2) TSR_B(D, e, 3) TSR_B(E, f, 4) TSR_LOOP_ROWS
#define TSR_ROWS6(n, P, c, A, a, B, b, C, d, D, e, E, f, F, g) \
  TSR_FUNCTION(n) {                                            \
    TSR_P(P)                                                   \
    TSR_B(A, a, 0) TSR_B(B, b, 1) TSR_B(C, d, 2) TSR_B(D, e, 3) TSR_B(E, f, 4) TSR_B(F, g, 5) TSR_LOOP_ROWS
#define TSR_ROWS8(n, P, c, A, a, B, b, C, d, D, e, E, f, F, g, G, h, H, k) \
  TSR_FUNCTION(n) {                                                        \
    TSR_P(P)                                                               \
    TSR_B(A, a, 0)                                                         \
    TSR_B(B, b, 1)                                                         \
    TSR_B(C, d, 2) TSR_B(D, e, 3) TSR_B(E, f, 4) TSR_B(F, g, 5) TSR_B(G, h, 6) TSR_B(H, k, 7) TSR_LOOP_ROWS
#define TSR_CHANNELS2 TSR_ROWS2
#define TSR_CHANNELS3 TSR_ROWS3
#define TSR_CHANNELS6 TSR_ROWS6
#define TSR_END \
  }             \
  }
// A Philox block is four words: 64 blocks at a time are made first, each once, then their 256 elements.
#define TSR_LOOP_WORDS                                                                                \
  for (int64_t from = begin & ~(int64_t)255; from < end; from += 256) {                               \
    tsr_u32 words[256];                                                                               \
    _Pragma("clang loop vectorize(assume_safety)") for (int k = 0; k < 64; k++) {                     \
      const tsr_words w = tsr_random_block(p, (from >> 2) + k);                                       \
      words[4 * k] = w.w0, words[4 * k + 1] = w.w1, words[4 * k + 2] = w.w2, words[4 * k + 3] = w.w3; \
    }                                                                                                 \
    const int64_t first = from < begin ? begin : from, last = end - from < 256 ? end : from + 256;    \
    _Pragma("clang loop vectorize(assume_safety)") for (int64_t i = first; i < last; i++) {           \
      const tsr_u32 word = words[i - from];
#define TSR_WORDS1(n, P, c, A, a) \
  TSR_FUNCTION(n) {               \
    TSR_P(P) TSR_B(A, a, 0) TSR_LOOP_WORDS
#define TSR_WORDS2(n, P, c, A, a, B, b) \
  TSR_FUNCTION(n) {                     \
    TSR_P(P) TSR_B(A, a, 0) TSR_B(B, b, 1) TSR_LOOP_WORDS
#define TSR_WORDS_END \
  }                   \
  }                   \
  }
#endif

// v, or +0 where the condition holds: by bits and not by ?:, which compilers make a branch around all
// that v is made of.
#define TSR_UNLESS(condition, v) tsr_float(tsr_bits(v) & ((condition) ? 0u : 0xffffffffu))
