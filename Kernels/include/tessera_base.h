// SPDX-License-Identifier: Apache-2.0
// The few names that let one header be OpenCL C in a kernel and C for the CPU, word for word; and the
// constants of the numerics contract.
//
//   TSR_GLOBAL               address space of tensor data (`__global` in OpenCL C, nothing in C)
//   TSR_FN                   how a shared function is declared
//   TSR_COLD                 how a function is declared that is rarely needed
//   TSR_SINGLE_ITEM_KERNEL   how a kernel is declared whose work-groups are one work-item
//   tsr_fma                  the one fused product (rule 1: written where it is meant, never contracted)
//   tsr_bits, tsr_float      a float's bit pattern, and the float of a bit pattern
#pragma once

// A rare function is called and not written in place: compilers for vectors compute both sides of a
// condition, Intel's a division of denormals for every division.
#ifdef __OPENCL_VERSION__
#pragma OPENCL FP_CONTRACT OFF
#define TSR_GLOBAL __global
#define TSR_FN static inline __attribute__((always_inline))
#define TSR_COLD static __attribute__((noinline))
#define TSR_CONST __constant
// Groups of one work-item, on CPU devices. Without the hint that its text is in vectors Intel's compiler
// adds one for sixteen work-items at once, which never runs: twice the time to build, 1.3 times that of
// depthwise gradients.
#define TSR_SINGLE_ITEM_KERNEL __kernel __attribute__((reqd_work_group_size(1, 1, 1), vec_type_hint(float16)))
typedef char tsr_i8;
typedef uchar tsr_u8;
typedef ushort tsr_u16;
typedef int tsr_i32;
typedef uint tsr_u32;
typedef long tsr_i64;
typedef ulong tsr_u64;
TSR_FN float tsr_fma(float a, float b, float c) { return fma(a, b, c); }
TSR_FN tsr_u32 tsr_bits(float x) { return as_uint(x); }
TSR_FN float tsr_float(tsr_u32 b) { return as_float(b); }
TSR_FN tsr_u32 tsr_mulhi(tsr_u32 a, tsr_u32 b) { return mul_hi(a, b); }
#else
#include <stdint.h>
#pragma STDC FP_CONTRACT OFF
#define TSR_GLOBAL
#define TSR_FN static inline __attribute__((always_inline, unused))
#define TSR_COLD static __attribute__((noinline, unused))
#define TSR_CONST static const
typedef int8_t tsr_i8;
typedef uint8_t tsr_u8;
typedef uint16_t tsr_u16;
typedef int32_t tsr_i32;
typedef uint32_t tsr_u32;
typedef int64_t tsr_i64;
typedef uint64_t tsr_u64;
TSR_FN float tsr_fma(float a, float b, float c) { return __builtin_elementwise_fma(a, b, c); }
TSR_FN tsr_u32 tsr_bits(float x) {
  union {
    float f;
    tsr_u32 u;
  } v = {.f = x};
  return v.u;
}
TSR_FN float tsr_float(tsr_u32 b) {
  union {
    tsr_u32 u;
    float f;
  } v = {.u = b};
  return v.f;
}
TSR_FN tsr_u32 tsr_mulhi(tsr_u32 a, tsr_u32 b) { return (tsr_u32)(((tsr_u64)a * b) >> 32); }
#endif

// sum + x in a loop over x, whose order counts: Intel's OpenCL compiler makes a loop of plain additions
// to one number into vectors of partial sums, and so changes the order; a loop of fma it leaves alone.
// The same bits.
#ifdef __OPENCL_VERSION__
TSR_FN float tsr_add(float sum, float x) { return tsr_fma(x, 1.0f, sum); }
#else
TSR_FN float tsr_add(float sum, float x) { return sum + x; }
#endif

// Frozen orders of NUMERICS.md. Changing one changes every fingerprint.
#define TSR_K_CHUNK 512
#define TSR_LANES 64
#define TSR_BLOCK_STEPS 16
#define TSR_BATCH_GROUP 8
#define TSR_WINDOW_CHAIN 16
#define TSR_WINO_CHANNELS 64
#define TSR_WINO_TILES 64
#define TSR_NUMERICS_VERSION 4
// Levels of blocks that combine in pairs: 2^24 blocks of 1,024 elements are more than a tensor can have.
#define TSR_LEVELS 24
// The same for pairs of points: a joint matrix of more than 2^12 x 1,024 cannot be.
#define TSR_POINT_LEVELS 12

// The one NaN (rule 9).
#define TSR_NAN_BITS 0x7fc00000u
TSR_FN int tsr_isnan(float x) { return (tsr_bits(x) & 0x7fffffffu) > 0x7f800000u; }
// Integers in the order of the floats, the one NaN last; x is canonical.
TSR_FN tsr_u32 tsr_order(float x) { return tsr_bits(x) ^ ((tsr_bits(x) >> 31) ? 0xffffffffu : 0x80000000u); }
// Selects that mean the same everywhere: no fmin/fmax, whose NaN and signed-zero cases differ.
TSR_FN float tsr_max(float a, float b) { return a > b ? a : b; }
TSR_FN float tsr_min(float a, float b) { return a < b ? a : b; }
