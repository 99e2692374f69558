// SPDX-License-Identifier: Apache-2.0
// The CPU kernels: one table of functions for each instruction set, chosen at run time. A function
// computes a range of its outputs, so the caller may split the work over threads in any way without
// changing a bit.
//
//   isa/avx512.c, avx2.c, baseline.c   a translation unit each; its flags, then isa/kernels_of_isa.h
//   isa/kernels_of_isa.h               every family's text and C twin, and the table that is exported
//   isa/dispatch.c                     which tables this machine can run
#ifndef TESSERA_CPU_KERNELS_H
#define TESSERA_CPU_KERNELS_H

#include "kernels.h"

// Of the plans' pointers some may be null; what is called never is.
#pragma clang diagnostic ignored "-Wnullability-completeness"

#pragma clang assume_nonnull begin
// Items begin..<end of a kernel; `params` points to its parameters, `buffers` to its tensors in order.
typedef void (*tsr_cpu_kernel)(const void *params, void *_Nullable const *_Nonnull buffers, int64_t begin,
                               int64_t end);
#pragma clang assume_nonnull end

// Who takes tasks: `index` of `count` workers, which first take the tasks of their own share, in order,
// and then what is left of the others'. So a worker finds in its caches what it made there the last
// time. `next`: what each share has given away, TSR_SHARE_STEP apart, zeros before.
typedef struct {
  int64_t *next;
  int64_t index, count;
} tsr_worker;
enum { TSR_SHARE_STEP = 8 };

// The next of `tasks` tasks, or -1.
static inline int64_t tsr_next_task(const tsr_worker *w, int64_t tasks) {
  for (int64_t i = 0; i < w->count; i++) {
    const int64_t share = (w->index + i) % w->count;
    const int64_t begin = tasks * share / w->count, length = tasks * (share + 1) / w->count - begin;
    int64_t *const next = w->next + share * TSR_SHARE_STEP;
    if (__atomic_load_n(next, __ATOMIC_RELAXED) >= length) continue;
    const int64_t at = __atomic_fetch_add(next, 1, __ATOMIC_RELAXED);
    if (at < length) return begin + at;
  }
  return -1;
}

enum { TSR_B_STRIDED = 0, TSR_B_CONV = 1, TSR_B_CONV_GRAD_DATA = 2, TSR_B_CONV_GRAD_WEIGHT = 3 };

// `outer * inner` products C = act(A B + bias), or squared distances. C is split in even blocks of at most
// mc rows and nc columns; a worker takes (product, block) tasks.
typedef struct {
  int m, n, k, chunk, k_group;  // k in groups of k_group, chunks of `chunk` inside (rules 4 and 6)
  int distance, upper;          // upper: only rows up to the block's last column (symmetric result)
  int outer, inner, mc, nc;
  // A[i][k] at a + i a_row + (k / k_inner) k_outer_stride + k % k_inner * k_inner_stride
  const float *a;
  int64_t a_row, k_inner_stride, k_outer_stride, k_inner, a_outer, a_inner;
  int b_kind;
  const float *b;
  int64_t b_row, b_col, b_outer, b_inner;
  tsr_conv_params conv;
  float *c;
  int64_t c_row, c_column, c_outer, c_inner;  // c_column: 1, unless C is written transposed
  const float *bias;
  int64_t bias_inner;
  int bias_kind, activation, accumulate;
  // A of `inner` products, and B of the only one, packed for all tasks; or null: a task packs its own,
  // or with `in_place` (k side by side in A) reads the rows of A where they lie.
  float *packed_a, *packed_b;
  int in_place;
} tsr_gemm_plan;

// Convolutions (TSR_B_CONV) and their gradients for the data (TSR_B_CONV_GRAD_DATA) with few channels a
// group, where packing would cost more than the sums: conv/c/conv_grouped.h. x: the image, or the
// output's gradient; y: what is made. A task is a (sample, group).
typedef struct {
  int kind;
  tsr_conv_params conv;
  const float *x, *w, *bias;
  float *y;
} tsr_conv_grouped_plan;

// Convolutions (TSR_B_CONV) and their gradients for the data with many channels a group, read in place:
// conv/c/conv_blocked.h. `packed` holds the groups' panels. `workers` share the tasks.
typedef struct {
  int kind, workers;
  tsr_conv_params conv;
  const float *x, *w, *bias;
  float *y, *packed;
} tsr_conv_blocked_plan;

// Weight gradients of convolutions with few channels a group: conv/c/grad_weight_grouped.h. `partial`
// holds (batch groups, dw's elements). After all tasks
// tsr_grouped_weight_reduce adds elements begin..<end of the batch groups into dw.
typedef struct {
  tsr_conv_params conv;
  const float *x, *dy;
  float *partial;
} tsr_grouped_weight_plan;

// Weight gradients of convolutions with many output channels a group: conv/c/grad_weight_blocked.h, which
// splits the input channels into `blocks`. `partial`: sums of the batch groups. A worker takes tasks from
// `next`; afterwards tsr_blocked_weight_reduce makes dw of input channels begin..<end (of all groups).
typedef struct {
  int blocks;
  tsr_conv_params conv;
  const float *x, *dy;
  float *partial;
} tsr_blocked_weight_plan;

// Convolutions by fewer multiplications and their gradients for the data, conv/c/winograd.h. `packed`: U.
typedef struct {
  tsr_winograd_params params;
  const float *x, *w, *bias;
  float *y, *packed;
} tsr_winograd_plan;

// Their weight gradients, conv/c/grad_weight_winograd.h, of `groups` batch groups from first_group on.
// `partial` holds (groups, dw's elements). After all tasks
// tsr_grad_weight_winograd_reduce adds elements begin..<end of these groups to dw (to +0 those of group 0).
typedef struct {
  tsr_winograd_params params;
  const float *x, *dy;
  float *partial;
  int first_group, groups;
} tsr_winograd_weight_plan;

// Attention of texts packed one after another, attention/c/attention.h. `parts`: of a text's queries,
// tasks of their own. A task is a (text, head, part).
typedef struct {
  int texts, parts, longest;
  tsr_packed_attention_params params;
  const int *begins;  // texts + 1: the first token of each, and the end
  const float *x, *bias;
  float *y;
} tsr_attention_plan;

// A product as an exact integer sum (rule 12): integer_gemm/c/integer_gemm.h. `digits` of each operand: 2 or
// 3; `unit`: which instructions make the sums, of those that tsr_cpu_integer_units counts. `packed_b` and
// `packed_a` hold the operands as digits, so many bytes as the table says, on a border of 64. Without
// `packed_a` the product's workers pack A.
enum { TSR_INTEGER_WORDS = 0, TSR_INTEGER_VNNI = 1, TSR_INTEGER_AMX = 2 };
typedef struct {
  int m, n, k, digits, unit;
  const float *a, *b, *bias;
  int64_t a_row_stride, a_col_stride, b_row_stride, b_col_stride, c_row_stride;
  float *c;
  int bias_kind, activation, accumulate, unbalanced;
  void *packed_a, *packed_b;
} tsr_integer_gemm_plan;

// Planes whose greatest magnitudes are wanted: (samples, channels), of `area` floats each.
typedef struct {
  const float *x;
  int64_t sample_stride;
  int samples, channels, area;
  int *magnitudes;
} tsr_integer_planes;

// Weights of one group of channels as digits, a product's B: n of `gemm` are made of `channels`, k are the
// taps of all phases and their channels. `columns`: floats (n, k) for the way there.
typedef struct {
  tsr_integer_gemm_plan gemm;
  const float *w;
  int64_t output_stride, channel_stride;
  int channels, taps, kernel_w, phase_count;
  const tsr_integer_phase *phases;
  float *columns;
} tsr_integer_weights_plan;

// A convolution as exact sums (rule 13), forward or for the data, of one group of channels and `samples`
// images at once: integer_gemm/c/integer_conv.h. `gemm` has n, k, digits, unit, packed_b, what is made (`c`,
// channels `out_area` apart) and the epilogue. `image`: the source as digits, `scales` its samples'.
typedef struct {
  tsr_integer_gemm_plan gemm;
  tsr_integer_planes source;
  tsr_integer_phase phase;
  int height, width, top, left, rows, columns;
  int out_width, out_area;
  int64_t c_stride;
  signed char *image;
  int *scales;
} tsr_integer_conv_plan;

// The gradient for the weights of one group of channels over `samples` of a group of samples:
// integer_gemm/c/integer_grad_weight.h. Images x are split into phases of rows x columns by the strides; k:
// terms of a sample, to whole blocks. `sums`: 64 bits a weight, in tiles of 32 x 16.
typedef struct {
  tsr_conv_params conv;
  tsr_integer_planes x, dy;
  int digits, unit, rows, columns, k;
  const int *x_scales, *dy_scales;
  signed char *image;
  char *strips;
  int64_t *sums;
  float *dw;
} tsr_integer_grad_weight_plan;

// A product whose k is in groups of few, each an exact sum of its own (rule 13):
// integer_gemm/c/integer_few.h. `left` and `right`: digits as float64; scales (groups, m) and (groups, n), to
// whole tiles.
typedef struct {
  int m, n, k, group, digits, accumulate;
  const float *a, *b;
  int64_t a_row_stride, a_col_stride, b_row_stride, b_col_stride, c_row_stride;
  float *c;
  double *left, *right;
  int *a_scales, *b_scales;
} tsr_integer_few_plan;

// 32 x 16 sums of the products of two strips of A and one of B, `blocks` of 64 k deep; with `adds` they are
// added to what `t` holds. A unit may leave out what is beyond `terms` of k and beyond `rows` of the 32.
// `ahead`: what is wanted soon; from there on a unit may ask the caches for 16 bytes a term and strip of A.
typedef struct {
  const void *a[2], *b;
  int blocks, digits;
  int64_t *t;
  int terms, rows, adds;
  const char *ahead;
} tsr_integer_tile;

// What one instruction set has. Counts are floats; a worker's scratch is 64 bytes aligned. `begin` and
// `end` are ranges that callers split over threads; a `work` function takes tasks from the plan until
// none is left.
#pragma clang assume_nonnull begin
typedef struct {
  const char *name;             // "avx512", "avx2" or "baseline"
  int tile_rows, tile_columns;  // MR x NR: the register tile of the GEMM
  const tsr_cpu_kernel _Nullable
      *_Nonnull kernels;  // by enum tsr_kernel; null for what OpenCL alone has (kernels.def)

  // gemm/c/gemm.h: floats of one packed A and of one worker's scratch; packing of panels of tile rows of
  // A number `inner`.
  int64_t (*gemm_packed_count)(const tsr_gemm_plan *plan);
  int64_t (*gemm_packed_b_count)(const tsr_gemm_plan *plan);
  int64_t (*gemm_scratch_count)(const tsr_gemm_plan *plan);
  int (*gemm_streams_b)(const tsr_gemm_plan *plan);  // whether nothing of the plan is packed
  void (*gemm_pack_a)(const tsr_gemm_plan *plan, int inner, int begin, int end);
  void (*gemm_pack_b)(const tsr_gemm_plan *plan, int begin, int end);
  void (*gemm_work)(const tsr_gemm_plan *plan, tsr_worker worker, float *scratch);

  // conv/c/conv_grouped.h: whether the buffers of such a convolution are small enough; its work by
  // (sample, group).
  int (*conv_grouped_fits)(const tsr_conv_params *conv, int kind);
  int64_t (*conv_grouped_scratch_count)(const tsr_conv_grouped_plan *plan);
  void (*conv_grouped_work)(const tsr_conv_grouped_plan *plan, tsr_worker worker, float *scratch);

  // conv/c/conv_blocked.h: floats of one group's packed weights; packing of panels of tile columns of all
  // groups' weights.
  int (*conv_blocked_fits)(const tsr_conv_params *conv, int kind);
  int64_t (*conv_blocked_packed_count)(const tsr_conv_blocked_plan *plan);
  int64_t (*conv_blocked_scratch_count)(const tsr_conv_blocked_plan *plan);
  int (*conv_blocked_tasks)(const tsr_conv_blocked_plan *plan);
  void (*conv_blocked_pack)(const tsr_conv_blocked_plan *plan, int begin, int end);
  void (*conv_blocked_work)(const tsr_conv_blocked_plan *plan, tsr_worker worker, float *scratch);

  // conv/c/grad_weight_grouped.h; `reduce` adds elements begin..<end of the batch groups into dw.
  int (*grouped_weight_fits)(const tsr_conv_params *conv);
  int64_t (*grouped_weight_scratch_count)(const tsr_grouped_weight_plan *plan);
  void (*grouped_weight_work)(const tsr_grouped_weight_plan *plan, tsr_worker worker, float *scratch);
  void (*grouped_weight_reduce)(const tsr_grouped_weight_plan *plan, float *dw, int64_t begin, int64_t end);

  // conv/c/grad_weight_blocked.h; `reduce` makes dw of input channels begin..<end of all groups.
  int (*blocked_weight_fits)(const tsr_conv_params *conv);
  int64_t (*blocked_weight_partial_count)(const tsr_blocked_weight_plan *plan);
  int64_t (*blocked_weight_scratch_count)(const tsr_blocked_weight_plan *plan);
  int (*blocked_weight_tasks)(const tsr_blocked_weight_plan *plan);
  void (*blocked_weight_work)(const tsr_blocked_weight_plan *plan, tsr_worker worker, float *scratch);
  void (*blocked_weight_reduce)(const tsr_blocked_weight_plan *plan, float *dw, int begin, int end);

  // conv/c/winograd.h: floats of a worker's scratch; U of (panel, channel) pairs begin..<end.
  int64_t (*winograd_scratch_count)(const tsr_winograd_params *params);
  void (*winograd_pack)(const tsr_winograd_plan *plan, int begin, int end);
  void (*winograd_work)(const tsr_winograd_plan *plan, tsr_worker worker, float *scratch);

  // conv/c/grad_weight_winograd.h
  int64_t (*grad_weight_winograd_scratch_count)(const tsr_winograd_params *params);
  void (*grad_weight_winograd_work)(const tsr_winograd_weight_plan *plan, tsr_worker worker, float *scratch);
  void (*grad_weight_winograd_reduce)(const tsr_winograd_weight_plan *plan, float *dw, int64_t begin,
                                      int64_t end);

  // attention/c/attention.h
  int64_t (*attention_scratch_count)(const tsr_attention_plan *plan);
  void (*attention_work)(const tsr_attention_plan *plan, tsr_worker worker, float *scratch);

  // integer_gemm/c/integer_gemm.h: bytes of packed operands; exponents of B's rows of k, and what they say of
  // all rows; strips of 16 columns of B and of 16 rows of A, those of whole panels of two; a worker's
  // scratch, and the product.
  int64_t (*integer_gemm_b_bytes)(const tsr_integer_gemm_plan *plan);
  int64_t (*integer_gemm_a_bytes)(const tsr_integer_gemm_plan *plan);
  void (*integer_gemm_exponents)(const tsr_integer_gemm_plan *plan, int begin, int end);
  void (*integer_gemm_balance)(const tsr_integer_gemm_plan *plan);
  void (*integer_gemm_pack_b)(const tsr_integer_gemm_plan *plan, int begin, int end);
  void (*integer_gemm_pack_a)(const tsr_integer_gemm_plan *plan, int begin, int end);
  int64_t (*integer_gemm_scratch_count)(const tsr_integer_gemm_plan *plan);
  void (*integer_gemm_work)(const tsr_integer_gemm_plan *plan, tsr_worker worker, float *scratch);

  // integer_gemm/c/integer_conv.h: magnitudes of planes begin ..< end, channels' scales by them; of weights
  // the balance by channels, and their columns; of images the bytes of all samples' digits, the samples'
  // scales, digits of (sample, row) pairs, a worker's scratch, the sums.
  void (*integer_magnitudes)(const tsr_integer_planes *planes, int begin, int end);
  void (*integer_channel_scales)(const tsr_integer_planes *planes, int digits, int *scales);
  void (*integer_weights_exponents)(const tsr_integer_weights_plan *plan, int begin, int end);
  void (*integer_weights_balance)(const tsr_integer_weights_plan *plan);
  void (*integer_weights_columns)(const tsr_integer_weights_plan *plan, int begin, int end);
  int64_t (*integer_conv_image_bytes)(const tsr_integer_conv_plan *plan);
  void (*integer_conv_scales)(const tsr_integer_conv_plan *plan);
  void (*integer_conv_digits)(const tsr_integer_conv_plan *plan, int begin, int end);
  int64_t (*integer_conv_scratch_count)(const tsr_integer_conv_plan *plan);
  void (*integer_conv_work)(const tsr_integer_conv_plan *plan, tsr_worker worker, float *scratch);

  // integer_gemm/c/integer_grad_weight.h: bytes of x's and dy's digits and of the sums; digits of (sample,
  // channel) pairs of x and of strips of 16 channels of dy; the sums of these samples; results of panels of
  // 32 weights, added to dw.
  int64_t (*integer_grad_weight_image_bytes)(const tsr_integer_grad_weight_plan *plan);
  int64_t (*integer_grad_weight_strip_bytes)(const tsr_integer_grad_weight_plan *plan);
  int64_t (*integer_grad_weight_sum_bytes)(const tsr_integer_grad_weight_plan *plan);
  void (*integer_grad_weight_digits)(const tsr_integer_grad_weight_plan *plan, int begin, int end);
  void (*integer_grad_weight_pack)(const tsr_integer_grad_weight_plan *plan, int begin, int end);
  int64_t (*integer_grad_weight_scratch_count)(const tsr_integer_grad_weight_plan *plan);
  void (*integer_grad_weight_work)(const tsr_integer_grad_weight_plan *plan, tsr_worker worker,
                                   float *scratch);
  void (*integer_grad_weight_finish)(const tsr_integer_grad_weight_plan *plan, int begin, int end);

  // integer_gemm/c/integer_few.h: columns that a line of `left` and of `right` has; digits of rows of A and
  // of columns of B; the product.
  int (*integer_few_stride)(int lines);
  void (*integer_few_left)(const tsr_integer_few_plan *plan, int begin, int end);
  void (*integer_few_right)(const tsr_integer_few_plan *plan, int begin, int end);
  void (*integer_few_work)(const tsr_integer_few_plan *plan, tsr_worker worker, float *scratch);
} tsr_cpu_table;

// isa/avx512_vnni.c and isa/avx512_amx.c: the products of one or two tiles that share A, and of a tile;
// whether machine and system have AMX; what a thread does before its first tile and after its last one.
void tsr_integer_tiles_vnni(const tsr_integer_tile *tiles, int count);
void tsr_integer_tile_amx(const tsr_integer_tile *tile);
int tsr_integer_has_amx(void);
void tsr_integer_amx_begin(void);
void tsr_integer_amx_end(void);

// What a thread does between two looks at memory that another is to write.
static inline void tsr_pause(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

// The tables that this machine can run, the best first.
int tsr_cpu_table_count(void);
const tsr_cpu_table *tsr_cpu_table_at(int index);
// How many of the units TSR_INTEGER_WORDS, TSR_INTEGER_VNNI, TSR_INTEGER_AMX a table has on this machine: the
// first ones, the last of them the fastest.
int tsr_cpu_integer_units(const tsr_cpu_table *table);
// A kernel's function of a table; null for what OpenCL alone has.
tsr_cpu_kernel _Nullable tsr_cpu_kernel_function(const tsr_cpu_table *table, enum tsr_kernel kernel);

// d[i][j] = d[j][i] for j < i, rows begin..<end of an n x n matrix.
void tsr_mirror(float *d, int64_t n, int64_t begin, int64_t end);
#pragma clang assume_nonnull end

#endif
