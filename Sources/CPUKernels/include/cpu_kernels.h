// SPDX-License-Identifier: Apache-2.0
// The CPU kernels: one function per instruction set, chosen at run time. A function computes a range of its
// outputs, so the caller may split the work over threads in any way without changing a bit.
#ifndef TESSERA_CPU_KERNELS_H
#define TESSERA_CPU_KERNELS_H

#include "kernels.h"

// The instruction sets that this machine can run, best first: "avx512", "avx2", "baseline".
int tsr_isa_count(void);
const char *tsr_isa_name(int index);

// Items begin..<end of a kernel; `params` points to its parameters, `buffers` to its tensors in order.
typedef void (*tsr_cpu_kernel)(const void *params, void *const *buffers, int64_t begin, int64_t end);

// A kernel's function; null for what OpenCL alone has (kernels.def).
tsr_cpu_kernel tsr_cpu_kernel_function(enum tsr_kernel kernel, int isa);

enum { TSR_B_STRIDED = 0, TSR_B_CONV = 1, TSR_B_CONV_GRAD_DATA = 2, TSR_B_CONV_GRAD_WEIGHT = 3 };

// `outer * inner` products C = act(A B + bias), or squared distances. Columns are split in blocks of nc; a
// worker takes (product, block) tasks from `next` until none is left.
typedef struct {
  int isa, m, n, k, chunk, group_k;    // k in groups of group_k, chunks of `chunk` inside (rules 4 and 6)
  int distance, upper;                 // upper: only rows up to the block's last column (symmetric result)
  int outer, inner, nc;
  // A[i][k] at a + i a_row + (k / a_len) a_high + k % a_len * a_low
  const float *a;
  int64_t a_row, a_low, a_high, a_len, a_outer, a_inner;
  int b_kind;
  const float *b;
  int64_t b_row, b_col, b_outer, b_inner;
  tsr_conv_params conv;
  float *c;
  int64_t c_row, c_outer, c_inner;
  const float *bias;
  int64_t bias_inner;
  int bias_kind, activation, accumulate;
  float *packed_a;                     // `inner` packed copies of A, or null: each task packs its own
  int next;
} tsr_gemm_plan;

// Floats of one packed A, and of one worker's scratch.
int64_t tsr_gemm_packed_count(const tsr_gemm_plan *plan);
int64_t tsr_gemm_scratch_count(const tsr_gemm_plan *plan);
// Rows and columns of the register tile.
int tsr_gemm_tile_rows(int isa);
int tsr_gemm_tile_columns(int isa);
// Packs panels begin..<end (of tile rows) of A number `inner` into packed_a.
void tsr_gemm_pack_a(const tsr_gemm_plan *plan, int inner, int begin, int end);
void tsr_gemm_work(tsr_gemm_plan *plan, float *scratch);

// Convolutions (TSR_B_CONV) and their gradients for the data (TSR_B_CONV_GRAD_DATA) with few channels a group, where packing
// would cost more than the sums: direct.c. x: the image, or the output's gradient; y: what is made. A worker takes (sample,
// group) tasks from `next`.
typedef struct {
  int isa, kind;
  tsr_conv_params conv;
  const float *x, *w, *bias;
  float *y;
  int next;
} tsr_direct_plan;

// Whether direct.c takes such a convolution; floats of one worker's scratch (64 bytes aligned).
int tsr_direct_takes(const tsr_conv_params *conv, int kind);
int64_t tsr_direct_scratch_count(const tsr_direct_plan *plan);
void tsr_direct_work(tsr_direct_plan *plan, float *scratch);

// Convolutions (TSR_B_CONV) and their gradients for the data with many channels a group, read in place: dense.c. `packed` holds
// the groups' panels. Each of `workers` takes tasks from `next`.
typedef struct {
  int isa, kind, workers;
  tsr_conv_params conv;
  const float *x, *w, *bias;
  float *y, *packed;
  int next;
} tsr_dense_plan;

// Whether dense.c takes such a convolution; floats of one group's packed weights and of one worker's scratch; tasks.
int tsr_dense_takes(const tsr_conv_params *conv, int kind, int isa);
int64_t tsr_dense_packed_count(const tsr_dense_plan *plan);
int64_t tsr_dense_scratch_count(const tsr_dense_plan *plan);
int tsr_dense_tasks(const tsr_dense_plan *plan);
// Packs panels begin..<end (of tile columns) of all groups' weights.
void tsr_dense_pack(const tsr_dense_plan *plan, int begin, int end);
void tsr_dense_work(tsr_dense_plan *plan, float *scratch);

// Weight gradients of convolutions with few channels a group: direct_weight.c. `partial` holds (batch groups, dw's elements).
// A worker takes tasks from `next`; afterwards tsr_direct_weight_sum adds elements begin..<end of the batch groups into dw.
typedef struct {
  int isa;
  tsr_conv_params conv;
  const float *x, *dy;
  float *partial;
  int next;
} tsr_direct_weight_plan;

int tsr_direct_weight_takes(const tsr_conv_params *conv);
int64_t tsr_direct_weight_scratch_count(const tsr_direct_weight_plan *plan);
void tsr_direct_weight_work(tsr_direct_weight_plan *plan, float *scratch);
void tsr_direct_weight_sum(const tsr_direct_weight_plan *plan, float *dw, int64_t begin, int64_t end);
// Weight gradients of convolutions with many output channels a group: dense_weight.c, which splits the input channels into
// `blocks`. `partial`: sums of the batch groups. A worker takes tasks from `next`; afterwards tsr_dense_weight_sum makes dw of
// input channels begin..<end (of all groups).
typedef struct {
  int isa, blocks;
  tsr_conv_params conv;
  const float *x, *dy;
  float *partial;
  int next;
} tsr_dense_weight_plan;

int tsr_dense_weight_takes(const tsr_conv_params *conv, int isa);
int64_t tsr_dense_weight_partial_count(const tsr_dense_weight_plan *plan);
int64_t tsr_dense_weight_scratch_count(const tsr_dense_weight_plan *plan);
int tsr_dense_weight_tasks(const tsr_dense_weight_plan *plan);
void tsr_dense_weight_work(tsr_dense_weight_plan *plan, float *scratch);
void tsr_dense_weight_sum(const tsr_dense_weight_plan *plan, float *dw, int begin, int end);

// Attention of texts packed one after another, attention.c. `parts`: of a text's queries, tasks of their own. A worker takes
// (text, head, part) tasks from `next`.
typedef struct {
  int isa, texts, parts, longest;
  tsr_packed_attention_params params;
  const int *begins;                   // texts + 1: the first token of each, and the end
  const float *x, *bias;
  float *y;
  int next;
} tsr_attention_plan;

// Floats of one worker's scratch.
int64_t tsr_attention_scratch_count(const tsr_attention_plan *plan);
void tsr_attention_work(tsr_attention_plan *plan, float *scratch);

// d[i][j] = d[j][i] for j < i, rows begin..<end of an n x n matrix.
void tsr_mirror(float *d, int64_t n, int64_t begin, int64_t end);

#endif
