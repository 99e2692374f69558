// SPDX-License-Identifier: Apache-2.0
// What gemm.cl and conv/implicit_gemm.cl share: parts of k, image offsets, the epilogue.
//
// Algorithm  Products of A (m, k) with a B that is a matrix, or the taps of images (implicit GEMM:
//            Chetlur et al. 2014), by tiles. One chain of fma from +0 in ascending k for each chunk;
//            chunk sums meet in C, in ascending order.
// Tensors    A (m, k), C (m, n); B (k, n): TSR_B_MATRIX; k taps by n pixels: TSR_B_IM2COL; k pixels by n
//            taps: TSR_B_IM2COL_TRANSPOSED.
// Work       CPU device (gemm_cpu.h): a work-item packs 16 columns of B (32: TSR_VECTORS 2), a chunk of
//            512 of k at a time, into local memory, which is its own panel. Then the work-item runs down
//            the rows of A: a tile of TSR_TILE_ROWS x 16 sums is in registers.
//            GPU (gemm_gpu.h): a work-group of 16 x TSR_WORKGROUP_ROWS takes 4 TSR_WORKGROUP_ROWS TSR_MI
//            x 64 TSR_NI of C. Tiles of A and B, TSR_TILE_K deep, go through local memory; the next tile
//            is prefetched into registers while the present one is used (double buffer). A work-item
//            keeps MI x NI blocks of 4 x 4 sums, and reads its operands as float4.
// Tuning     TSR_TILE_K (8, 16, 32; default 16): depth of a GPU's tiles in local memory.
//
//             n: 16                                      n: 64 NI
//        +---+ +----+                             +----+ +----------+
//     m: | A | |    |  TSR_TILE_ROWS          m:  | A  | | 4x4  4x4 |  64 MI (8 rows of work-items: 32 MI)
//        | ^ | +----+                             |8 k | | 4x4  4x4 |
//        | | | |    |  next tile                  +----+ +----------+
//        k: 512
//
// Rules      4, 6, 9, 10.
#pragma once

#include "common/kernel_forms.h"
#include "common/math.h"

enum { TSR_B_MATRIX, TSR_B_IM2COL, TSR_B_IM2COL_TRANSPOSED };
// How deep the splits of a GPU are.
#ifndef TSR_TILE_K
#define TSR_TILE_K 16
#endif

// The tensors of a product.
typedef struct {
  __global const float *a, *b, *bias;
  __global float *c;
} tsr_gemm_operands;

// Where a product's part begins and ends in k, and which operands are its own.
typedef struct {
  int begin, end;
  long batch, split;
} tsr_k_range;
TSR_FN tsr_k_range tsr_k_range_of(const tsr_gemm_params *q, int index) {
  const int split = index / q->gemm.batch, whole = (q->first + split) / q->chunks,
            chunk = (q->first + split) % q->chunks;
  long begin = (long)whole * q->split_k, end = begin + q->split_k;
  if (q->chunks > 1) {
    begin += (long)chunk * q->gemm.chunk;
    if (begin + q->gemm.chunk < end) end = begin + q->gemm.chunk;
  }
  const tsr_k_range range = {(int)begin, (int)(end < q->gemm.k ? end : q->gemm.k), index % q->gemm.batch,
                             split};
  return range;
}

// Where column `column` of C is, from its row's begin.
TSR_FN long tsr_c_column_offset(const tsr_gemm_params *q, int column) {
  return q->c_image == 0 ? column : (long)(column / q->c_image) * q->c_image_stride + column % q->c_image;
}

#define TSR_FMA(distance, x, y, acc)         \
  if (distance) {                            \
    const __typeof__(acc) tsr_d = (x) - (y); \
    acc = fma(tsr_d, tsr_d, acc);            \
  } else acc = fma((__typeof__(acc))(x), y, acc);

// Where a product's sums go: its own C and bias. `first`: no chunk came before, `last`: none comes after.
typedef struct {
  const tsr_matmul_params *gemm;
  __global const float *bias;
  __global float *c;
  int first, last;
} tsr_output;

// The epilogue of one sum: chunk sums are added, then bias and activation; the result is stored.
TSR_FN void tsr_epilogue(const tsr_output *o, int row, int column, float v) {
  const tsr_matmul_params *p = o->gemm;
  __global float *at = o->c + (long)row * p->c_row_stride + column;
  if (!o->first) v = *at + v;
  if (o->last) {
    if (p->bias == TSR_BIAS_ROW) v = v + o->bias[row];
    if (p->bias == TSR_BIAS_COLUMN) v = v + o->bias[column];
    v = tsr_canonical(tsr_activate(v, p->activation));
  }
  *at = v;
}

// A part of a pixel in an image: offset of its plane, row, column. A tap's and a pixel's add up to a source.
typedef struct {
  int plane, h, w;
} tsr_image_offset;
TSR_FN tsr_image_offset tsr_offset_of_tap(const tsr_taps_params *t, int k) {
  const int taps = t->kernel_h * t->kernel_w, tap = k % taps;
  const tsr_image_offset offset = {k / taps * t->height * t->width,
                                   tap / t->kernel_w * t->step_h + t->start_h,
                                   tap % t->kernel_w * t->step_w + t->start_w};
  return offset;
}
TSR_FN tsr_image_offset tsr_offset_of_pixel(const tsr_taps_params *t, int groups, int pixel) {
  const int pixels = t->out_h * t->out_w, position = pixel % pixels;
  const tsr_image_offset offset = {pixel / pixels * groups * t->channels * t->height * t->width,
                                   position / t->out_w * t->stride_h, position % t->out_w * t->stride_w};
  return offset;
}
