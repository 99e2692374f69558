// SPDX-License-Identifier: Apache-2.0
// Fill, strided copies, transposition and swapped axes of 32-bit elements.
//
// Algorithm  Elements move; their bits pass unchanged.
// Tensors    fill: y (count). copy: rectangles (rows, cols) with offsets and row strides. transpose: x
//            (rows, cols), y (cols, rows). copyGrid: (planes, rows, cols), every extent with a stride.
//            swapAxes: x (outer, a, b, inner), y (outer, b, a, inner).
// Work       fill: one item an element; all others: one item a row of the output. GPU: a work-group of
//            64, lanes over columns, so that writes are coalesced; CPU device: a work-item.
// Tuning     None.
//
//   x  0 1 2      y  0 3         transpose: row r of y is column r of x
//      3 4 5         1 4
//                    2 5
//
// Rules      None: nothing is computed, NaN keeps its payload.

#include "common/sums.h"

#ifdef __OPENCL_VERSION__  // The CPU path fills, copies and transposes in Swift (CPUMemory.swift).
TSR_ITEMS1(tsr_fill, tsr_map_params, p.count, float, y)
  y[i] = p.alpha;
TSR_END

// A rectangle (rows, cols) between two arrays with offsets and row strides.
TSR_ROWS2(tsr_copy, tsr_copy_params, p.rows, const unsigned, x, unsigned, y)
  TSR_EACH_COLUMN(p.cols, y[p.dst_offset + i * p.dst_stride + j] = x[p.src_offset + i * p.src_stride + j];)
TSR_END

// y (cols, rows) = x (rows, cols) transposed: a row of y per item.
TSR_ROWS2(tsr_transpose, tsr_copy_params, p.cols, const unsigned, x, unsigned, y)
  TSR_EACH_COLUMN(p.rows, y[i * p.rows + j] = x[j * p.cols + i];)
TSR_END
#endif

// Grids (planes, rows, cols) between two arrays, every extent with its own stride: a row of a grid per item.
TSR_ROWS2(tsr_copy_grid, tsr_grid_params, p.planes *p.rows, const unsigned, x, unsigned, y)
  const tsr_i64 plane = i / p.rows, row = i % p.rows;
  const tsr_i64 from = p.src_offset + plane * p.src_plane + row * p.src_row;
  const tsr_i64 to = p.dst_offset + plane * p.dst_plane + row * p.dst_row;
  TSR_EACH_COLUMN(p.cols, y[to + j * p.dst_step] = x[from + j * p.src_step];)
TSR_END

// y (outer, b, a, inner) = x (outer, a, b, inner): rows of `inner` elements change places. A row of y per
// item:
//
//   a = 2 groups of b = 3:   0 1 2 | 3 4 5   ->   0 3 1 4 2 5      (a channel shuffle)
TSR_ROWS2(tsr_swap_axes, tsr_swap_params, p.outer *p.a *p.b, const unsigned, x, unsigned, y)
  const tsr_i64 block = i / ((tsr_i64)p.a * p.b), place = i % ((tsr_i64)p.a * p.b);
  const tsr_i64 from = (block * p.a * p.b + place % p.a * p.b + place / p.a) * p.inner;
  TSR_EACH_COLUMN(p.inner, y[i * p.inner + j] = x[from + j];)
TSR_END
