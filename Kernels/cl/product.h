// SPDX-License-Identifier: Apache-2.0
// What matmul.cl and conv.cl share: products of A (m, k) with a B that is a matrix or the taps of images, by tiles.
// One fma chain from +0 in ascending k per chunk; chunk sums meet in C, in ascending order (NUMERICS.md rule 4).
//
//   CPU device: a work-item takes 16 columns   GPU: a work-group of 256 (128: half the rows) takes 64 TSR_MI x
//   of B (32: TSR_VECTORS 2), a chunk of 512   64 TSR_NI of C; slices of A and B, TSR_DEPTH deep, go through local memory,
//   k at a time, into local memory (its own    the next one is on its way while this one is used; a work-item keeps
//   panel) and runs down the rows of A, a      MI x NI blocks of 4 x 4 sums, 64 apart, and reads its operands as float4.
//   tile of TSR_TILE_ROWS x 16 sums in
//   registers:
//             n: 16                                      n: 64 NI
//        +---+ +----+                             +----+ +----------+
//     m: | A | |    |  TSR_TILE_ROWS          m:  | A  | | 4x4  4x4 |  64 MI
//        | ^ | +----+                             |8 k | | 4x4  4x4 |
//        | | | |    |  next tile                  +----+ +----------+
//        k: 512
#pragma once

#include "tessera_items.h"
#include "tessera_math.h"


enum { TSR_B_MATRIX, TSR_B_TAPS, TSR_B_TAPS_ACROSS };
// How deep the slices of a GPU are.
#ifndef TSR_DEPTH
#define TSR_DEPTH 16
#endif

// Where a product's part begins and ends in k, and which operands are its own.
typedef struct { int begin, end; long batch, slice; } tsr_part;
TSR_FN tsr_part tsr_part_of(const tsr_product_params *q, int index) {
  const int slice = index / q->product.batch, whole = (q->first + slice) / q->chunks, chunk = (q->first + slice) % q->chunks;
  long begin = (long)whole * q->slice_k, end = begin + q->slice_k;
  if (q->chunks > 1) {
    begin += (long)chunk * q->product.chunk;
    if (begin + q->product.chunk < end) end = begin + q->product.chunk;
  }
  const tsr_part part = {(int)begin, (int)(end < q->product.k ? end : q->product.k), index % q->product.batch, slice};
  return part;
}

// Where column `column` of C is, from its row's begin.
TSR_FN long tsr_column_of(const tsr_product_params *q, int column) {
  return q->c_image == 0 ? column : (long)(column / q->c_image) * q->c_image_stride + column % q->c_image;
}

#define TSR_FMA(distance, x, y, acc) \
  if (distance) { const __typeof__(acc) tsr_d = (x) - (y); acc = fma(tsr_d, tsr_d, acc); } \
  else acc = fma((__typeof__(acc))(x), y, acc);

// One sum's way to memory; `first`: no chunk came before, `last`: none comes after.
TSR_FN void tsr_store(const tsr_matmul_params *p, __global const float *bias, __global float *c, int row, int column,
                      float v, int first, int last) {
  __global float *at = c + (long)row * p->c_row_stride + column;
  if (!first) v = *at + v;
  if (last) {
    if (p->bias == TSR_BIAS_ROW) v = v + bias[row];
    if (p->bias == TSR_BIAS_COLUMN) v = v + bias[column];
    v = tsr_canonical(tsr_activate(v, p->activation));
  }
  *at = v;
}

// A part of a place in an image: offset of its plane, row, column. A tap's and a place's add up to a source.
typedef struct { int plane, h, w; } tsr_site;
TSR_FN tsr_site tsr_site_of_tap(const tsr_taps_params *t, int k) {
  const int taps = t->kernel_h * t->kernel_w, tap = k % taps;
  const tsr_site site = {k / taps * t->height * t->width, tap / t->kernel_w * t->step_h + t->start_h,
                         tap % t->kernel_w * t->step_w + t->start_w};
  return site;
}
TSR_FN tsr_site tsr_site_of_place(const tsr_taps_params *t, int groups, int place) {
  const int places = t->places_h * t->places_w, spot = place % places;
  const tsr_site site = {place / places * groups * t->channels * t->height * t->width,
                         spot / t->places_w * t->stride_h, spot % t->places_w * t->stride_w};
  return site;
}
