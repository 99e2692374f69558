// SPDX-License-Identifier: Apache-2.0
// Arguments of the primitives, shared by Swift, the CPU's C and the OpenCL kernels (passed by value). Only
// 32-bit fields, so the layout is the same everywhere. Extents are in elements.
#pragma once

#ifndef __OPENCL_VERSION__
#include <stdint.h>
#endif

enum {
  TSR_ACT_NONE = 0,
  TSR_ACT_RELU = 1,
  TSR_ACT_RELU6 = 2,
  TSR_ACT_GELU = 3,
  TSR_ACT_TANH = 4,
  TSR_ACT_GELU_TANH = 5,
};
enum { TSR_BIAS_NONE = 0, TSR_BIAS_COLUMN = 1, TSR_BIAS_ROW = 2 };

// C[b] = act(A[b] B[b] + bias), b < batch. A is (m,k), B is (k,n), both by strides; C is row-major with
// c_row_stride. One fma chain from +0 in ascending k per chunk of `chunk`; chunk sums added in order.
typedef struct {
  int m, n, k, batch;
  int a_row_stride, a_col_stride, b_row_stride, b_col_stride, c_row_stride;
  int a_batch_stride, b_batch_stride, c_batch_stride;
  int a_offset, b_offset, c_offset, bias_offset;
  int chunk;       // TSR_K_CHUNK, or TSR_BATCH_GROUP where k runs over samples (rule 6)
  int bias;        // TSR_BIAS_*
  int activation;  // TSR_ACT_*
  int accumulate;  // 1: chunk sums are added to what C holds (group results, rule 6)
} tsr_matmul_params;

// Lines of an operand that becomes digits (rule 12): element k of line i at offset + i line_stride + k
// k_stride. Of its form, in words of 32 bits: where factors, scales and digits begin, and words of a line:
// GPUs: of each digit, four of k a word; CPU devices: of all (digit_words.h), the right operand's in strips.
typedef struct {
  int lines, k, digits, words, right;
  int offset, line_stride, k_stride;
  int factors, scales, first;
} tsr_integer_params;

// The product of operands in such a form; `rows` of a CPU device's work-item. Matrix units: words of a part
// of k; where there are several, their sums go to (part, m, n) of a tensor of their own. Column q of C is
// pixel first + q of images whose lines are line_h x line_w: image l, row i and column j of it at l c_image +
// i c_line + j c_step from the begin of C's row; line_w 0: the column itself.
typedef struct {
  tsr_matmul_params gemm;
  int words, rows, part_words, parts, digits;
  int a_scales, a_first, b_scales, b_first;
  int first, line_h, line_w, c_image, c_line, c_step;
} tsr_integer_gemm_params;

// Along one axis of a convolution that is an exact sum (rule 13), the pixels of a phase: pixel i is at
// out_first + i out_step of what is made; its tap t has place kernel_first + t kernel_step in the kernel and
// reads pixel start + i line_step + t tap_step of the source.
typedef struct {
  int count, taps, start, line_step, tap_step, out_first, out_step, kernel_first, kernel_step;
} tsr_integer_axis;
// A phase; its sums' terms are first_k ... of the weights' digits, in (row of taps, tap, channel).
typedef struct {
  tsr_integer_axis h, w;
  int first_k;
} tsr_integer_phase;

// The greatest magnitude of each of some lines: element (i, j) of a line at offset + line line_stride + i
// outer_stride + j, times factor i where `factors` is not negative. digits: of the scale that is written to
// word `to` + line; 0: the balance's exponent is.
typedef struct {
  int lines, outer, inner, digits;
  int offset, line_stride, outer_stride, factors, to;
} tsr_integer_greatest_params;

// Lines `first` ... of a view of images become digits. Line (l, i, j) and term (t, u, v) of k, i and j below
// line_h and line_w, u and v below k_h and k_w, meet row start_h + i line_step_h + u k_step_h and a column
// likewise, of the plane from offset + l line_stride + t k_stride on; what lies outside it is 0. Of the words
// of a form: factors by t (negative: none), scales by l; where the lines' scales and digits go.
typedef struct {
  int first, lines, k, digits, words, right;
  int offset, line_stride, k_stride, line_h, line_w, k_h, k_w;
  int start_h, start_w, line_step_h, line_step_w, k_step_h, k_step_w, height, width;
  int factors, scales, to_scales, to;
} tsr_integer_view_params;

// x is (batch, in_channels, height, width); w is (out_channels, in_channels/groups, kernel_h, kernel_w);
// y is (batch, out_channels, out_h, out_w).
typedef struct {
  int batch, in_channels, height, width;
  int out_channels, kernel_h, kernel_w;
  int stride_h, stride_w, pad_h, pad_w, dilation_h, dilation_w, groups;
  int out_h, out_w;
  int bias, activation;
} tsr_conv_params;

// Pooling over planes = batch * channels. Adaptive pooling uses height/width/out_h/out_w only.
typedef struct {
  int planes, height, width, out_h, out_w;
  int kernel_h, kernel_w, stride_h, stride_w, pad_h, pad_w;
} tsr_pool_params;

// A row-major matrix: element (r, c) at r * cols + c. batch: the rows that a mean is over, of which these
// may be a part.
typedef struct {
  int rows, cols, batch;
  float eps;
} tsr_rows_params;

// Attention scores (heads, length, length): queries by keys. A bias by distance is (heads, 2 span - 1),
// span >= length: distance d = key - query at column span - 1 + d.
typedef struct {
  int heads, length, span;
  float scale;
} tsr_attention_params;

// Attention of texts packed one after another: a token's row of x is (query, key, value), each (heads,
// width), its row of y (heads, width). span: 0, or that of a bias by distance.
typedef struct {
  int tokens, heads, width, span;
  float scale;
} tsr_packed_attention_params;

// (outer, channels, inner): channel c of an NCHW tensor has outer = batch, inner = height * width.
// training: batch statistics take part in the gradient, those of `batch` samples, of which outer may be a
// part; momentum: of the running statistics.
typedef struct {
  int outer, channels, inner, training, batch;
  float eps, momentum;
} tsr_channels_params;

typedef struct {
  int count;
  float alpha, beta;
} tsr_map_params;
typedef struct {
  int rows, cols, src_offset, src_stride, dst_offset, dst_stride;
} tsr_copy_params;
typedef struct {
  int planes, rows, cols;
  int src_offset, src_plane, src_row, src_step, dst_offset, dst_plane, dst_row, dst_step;
} tsr_grid_params;
// A row-major array of `rows` x `cols`, seen through up to three others: row r has one index for each of
// `axes` axes of `extents`, outermost first; in array k it begins at offset[k] plus the indices times
// strides[k], and its columns are step[k] apart. An item has `chunk` columns of a row, which has `parts` of
// them. op: TSR_BROADCAST_*.
enum { TSR_AXES = 7 };
enum {
  TSR_BROADCAST_ADD = 0,
  TSR_BROADCAST_SUBTRACT = 1,
  TSR_BROADCAST_MULTIPLY = 2,
  TSR_BROADCAST_DIVIDE = 3,
  TSR_BROADCAST_MAXIMUM = 4,
  TSR_BROADCAST_MINIMUM = 5,
  TSR_BROADCAST_LESS = 6,
  TSR_BROADCAST_LESS_OR_EQUAL = 7,
  TSR_BROADCAST_EQUAL = 8,
};
typedef struct {
  int rows, cols, parts, chunk, axes, op;
  int extents[TSR_AXES];
  int offset[3], step[3];
  int strides[3 * TSR_AXES];
} tsr_strided_params;
// first: the block of element 0. a, b: low and high, mean and deviation, or rate and 1 / (1 - rate).
typedef struct {
  int count;
  unsigned seed_lo, seed_hi, stream_lo, stream_hi, first;
  float a, b;
} tsr_random_params;
// group: ids that are one chain of a table's gradient (rule 6).
typedef struct {
  int rows, cols, classes, group;
} tsr_gather_params;
typedef struct {
  int count;
  float lr, beta1, beta2, eps, weight_decay, correction1, correction2;
} tsr_adam_params;
// SGD, RMSprop and Lion. decay: of the mean of squares (RMSprop) or of the momentum (Lion, whose update has
// `momentum` of it). nesterov: 0 or 1.
typedef struct {
  int count, nesterov;
  float lr, momentum, decay, eps, weight_decay;
} tsr_step_params;
typedef struct {
  int planes, height, width, scale;
} tsr_upsample_params;
// Local response normalisation of (outer, channels, inner) over `size` channels.
typedef struct {
  int outer, channels, inner, size;
  float alpha, beta, k;
} tsr_response_params;
typedef struct {
  int outer, a, b, inner;
} tsr_swap_params;
typedef struct {
  int points, dims;
} tsr_points_params;
// How a pixel of an image is found from a pixel of the output and a tap of the kernel, in each direction:
// source = pixel * stride + start + tap * step (a convolution: start -padding, step dilation; its
// gradient for the data, of stride 1: start padding, step -dilation). `channels` of a group; pixels
// outside height x width are +0.
typedef struct {
  int channels, height, width, out_h, out_w, kernel_h, kernel_w;
  int stride_h, stride_w, start_h, start_w, step_h, step_w;
} tsr_taps_params;

// How an OpenCL device computes products, batch x splits of them. Product b has operands b mod groups (A,
// and the bias that far times bias_stride) and b (B, C). Part s sums, into C + s * c_split_stride, the
// terms of split (first + s) / chunks, split_k of k each; where `chunks` is not 1, only those of its
// chunk (first + s) mod chunks. A's row r begins at r * a_tile_stride; r is a multiple of the tile's
// rows, inside which a_row_stride counts (CPU devices). `rows`: of a work-item. GPUs read A of products
// with taps where it lies: k = (outer, inner), a_inner of these, a_outer_stride and a_col_stride apart;
// and where one A meets all images, their columns are one product's: C has c_image of them side by side,
// then c_image_stride to the next image's.
typedef struct {
  tsr_matmul_params gemm;
  tsr_taps_params taps;
  int groups, first, splits, chunks, split_k, c_split_stride, a_tile_stride, bias_stride, rows, a_inner,
      a_outer_stride, c_image, c_image_stride;
} tsr_gemm_params;

// Convolutions on a CPU device (conv/conv_blocked.cl, conv/conv_grouped.cl), products of which A is
// packed in panels of channels. Work-items take `rows` x `columns` pixels (of a gradient for weights,
// splits of split_k from the first on) of `images`, `panels` of A and `channels` of the input at once. A
// plane in local memory has plane_rows rows of stride_w parts of `phase` floats, and 16 floats more.
enum {
  TSR_LOCAL_PLANES = 24 << 10,
  TSR_LOCAL_SUMS = 16 << 10,
  TSR_LOCAL_PANELS = 2,
  TSR_GROUPED_PLANES = 20 << 10
};
typedef struct {
  tsr_matmul_params gemm;
  tsr_taps_params taps;
  int groups, bias_stride, images, rows, columns, channels, panels, phase, plane_rows, first, split_k,
      c_split_stride;
} tsr_conv_cpu_params;

// A convolution by fewer multiplications (conv/winograd.h), forward or for the data: images (batch,
// channels, height, width) become (batch, outputs, rows, columns), with `top` and `left` zeros before a
// plane (fewer than none: pixels left out) and a kernel of taps x taps, w (outputs, channels, taps), or,
// mirrored, (channels, outputs, taps). For the weights: images x as they are, y the output's gradient.
// A plane of the output has tile_rows x tile_columns tiles; `block` of them are made at once, and channels
// of panels first_panel ..< first_panel + panels, in `parts` by tasks of their own. For the weights: high x
// wide channels of the output and of the input at once.
typedef struct {
  int batch, channels, height, width, outputs, rows, columns;
  int taps, top, left, mirrored;
  int tile_rows, tile_columns, block;
  int first_panel, panels, parts, high, wide;
  int bias, activation;
} tsr_winograd_params;
// A part of it on an OpenCL device: `count` of its tiles, or of its groups of samples, from `first` on.
typedef struct {
  tsr_winograd_params conv;
  int first, count;
} tsr_winograd_part_params;

// A (batch, rows, k) by strides, where k = (outer, inner), into panels of `tile` rows: (batch, panel, k,
// tile).
typedef struct {
  int batch, rows, k, inner, tile, offset, batch_stride, row_stride, outer_stride, inner_stride;
} tsr_pack_params;
// Rows of distances: to `columns` neighbours; or, square, to all points, of which row i's own is no
// neighbour.
typedef struct {
  int rows, columns, square;
  float perplexity;
  float tolerance;
  int max_iterations;
} tsr_affinity_params;
// A block of distances, (rows, columns) from (first_row, first_column) on, of which the `neighbours`
// nearest of each row are kept; `fresh`: of this block alone.
typedef struct {
  int rows, columns, first_row, first_column, neighbours, fresh;
} tsr_nearest_params;
// `first` and `rows` of the points: those whose forces are computed.
typedef struct {
  int points, first, rows;
  float exaggeration, learning_rate, momentum, min_gain;
} tsr_tsne_params;
