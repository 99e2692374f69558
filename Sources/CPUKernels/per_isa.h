// SPDX-License-Identifier: Apache-2.0
// Includes TSR_FAMILY once per instruction set: define TSR_FAMILY as the path of a body, then include this.
// The body names its functions TSR_ISA(name). Sets above the baseline are compiled under a target attribute,
// so the package needs no compiler flags and runs on any x86-64 or arm64 machine.
#define TSR_GLUE2(a, b) a##_##b
#define TSR_GLUE(a, b) TSR_GLUE2(a, b)
#define TSR_ISA(name) TSR_GLUE(name, TSR_SET)

#if defined(__x86_64__)
#pragma clang attribute push(                                                                              \
    __attribute__((target("avx512f,avx512vl,avx512bw,avx512dq,avx2,fma,bmi,bmi2"))), \
    apply_to = function)
#define TSR_SET avx512
#define TSR_VECTOR 16
#define TSR_MR 14
#include TSR_FAMILY
#undef TSR_SET
#undef TSR_VECTOR
#undef TSR_MR
#pragma clang attribute pop
#pragma clang attribute push(__attribute__((target("avx2,fma,bmi,bmi2"))), apply_to = function)
#define TSR_SET avx2
#define TSR_VECTOR 8
#define TSR_MR 6
#include TSR_FAMILY
#undef TSR_SET
#undef TSR_VECTOR
#undef TSR_MR
#pragma clang attribute pop
#endif
#define TSR_SET baseline
#define TSR_VECTOR 4
#if defined(__aarch64__)
#define TSR_MR 12
#else
#define TSR_MR 4
#endif
#include TSR_FAMILY
#undef TSR_SET
#undef TSR_VECTOR
#undef TSR_MR
#undef TSR_FAMILY
