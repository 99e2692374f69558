// SPDX-License-Identifier: Apache-2.0
// Binary operations and selections with NumPy's broadcasting, and copies between strided arrays.
//
// Algorithm  An axis along which an operand is repeated has stride 0. Axes that lie one after another in all
//            arrays are one axis (Primitives/StridedLayout.swift).
// Tensors    tsr_broadcast_*: y (rows, cols), row-major; the operands by strides, steps of columns 0 or 1.
//            tsr_copy_strided: x and y by strides.
// Work       One item a part of `chunk` columns of a row: a scalar and a large array are one row. GPU: a
//            work-group of 64, lanes over columns; CPU device: a work-item.
// Tuning     None.
//
//   a (2, 1)   b (1, 3)      y (2, 3)
//    0          5 6 7         0+5 0+6 0+7      a: stride 1, step 0
//    1                        1+5 1+6 1+7      b: stride 0, step 1
//
// Rules      1, 2 (arithmetic), 9. Copies: none, NaN keeps its payload.

#include "common/sums.h"

// Where an item's columns begin in each array, and how many they are.
#define TSR_PLACES                                                          \
  const int part = (int)i % p.parts;                                        \
  const int first = part * p.chunk;                                         \
  const int n = p.cols - first < p.chunk ? p.cols - first : p.chunk;        \
  tsr_i64 at0 = p.offset[0] + (tsr_i64)first * p.step[0];                   \
  tsr_i64 at1 = p.offset[1] + (tsr_i64)first * p.step[1];                   \
  tsr_i64 at2 = p.offset[2] + (tsr_i64)first * p.step[2];                   \
  const tsr_i64 out = (tsr_i64)((int)i / p.parts) * p.cols + first;         \
  (void)at1, (void)at2, (void)out;                                          \
  for (int axis = p.axes - 1, rest = (int)i / p.parts; axis >= 0; axis--) { \
    const int index = rest % p.extents[axis];                               \
    rest /= p.extents[axis];                                                \
    at0 += (tsr_i64)index * p.strides[axis];                                \
    at1 += (tsr_i64)index * p.strides[TSR_AXES + axis];                     \
    at2 += (tsr_i64)index * p.strides[2 * TSR_AXES + axis];                 \
  }

// One operation, as three loops that become vectors: both operands' columns, or one of them a number.
#define TSR_BROADCAST(number, expression)                                                                 \
  if (p.op == number) {                                                                                   \
    if (p.step[0] && p.step[1]) {                                                                         \
      TSR_EACH_COLUMN(n, const float a = x[at0 + j]; const float b = z[at1 + j];                          \
                      y[out + j] = tsr_canonical(expression);)                                            \
    } else if (p.step[0]) {                                                                               \
      const float b = z[at1];                                                                             \
      TSR_EACH_COLUMN(n, const float a = x[at0 + j]; y[out + j] = tsr_canonical(expression);)             \
    } else {                                                                                              \
      const float a = x[at0];                                                                             \
      TSR_EACH_COLUMN(n, const float b = z[at1 + j * p.step[1]]; y[out + j] = tsr_canonical(expression);) \
    }                                                                                                     \
  }

TSR_ROWS3(tsr_broadcast_binary, tsr_strided_params, (tsr_i64)p.rows *p.parts, const float, x, const float, z,
          float, y)
  TSR_PLACES
  TSR_BROADCAST(TSR_BROADCAST_ADD, a + b)
  TSR_BROADCAST(TSR_BROADCAST_SUBTRACT, a - b)
  TSR_BROADCAST(TSR_BROADCAST_MULTIPLY, a * b)
  TSR_BROADCAST(TSR_BROADCAST_DIVIDE, tsr_div(a, b))
  TSR_BROADCAST(TSR_BROADCAST_MAXIMUM, tsr_max(a, b))
  TSR_BROADCAST(TSR_BROADCAST_MINIMUM, tsr_min(a, b))
  TSR_BROADCAST(TSR_BROADCAST_LESS, a < b ? 1.0f : 0.0f)
  TSR_BROADCAST(TSR_BROADCAST_LESS_OR_EQUAL, a <= b ? 1.0f : 0.0f)
  TSR_BROADCAST(TSR_BROADCAST_EQUAL, a == b ? 1.0f : 0.0f)
TSR_END

// y = condition ? a : b; any number but 0 is true, NaN too.
TSR_ROWS4(tsr_broadcast_select, tsr_strided_params, (tsr_i64)p.rows *p.parts, const float, condition,
          const float, x, const float, z, float, y)
  TSR_PLACES
  TSR_EACH_COLUMN(n, const float a = x[at1 + j * p.step[1]]; const float b = z[at2 + j * p.step[2]];
                  y[out + j] = tsr_canonical(condition[at0 + j * p.step[0]] != 0.0f ? a : b);)
TSR_END

// Array 1 gets the elements of array 0.
TSR_ROWS2(tsr_copy_strided, tsr_strided_params, (tsr_i64)p.rows *p.parts, const unsigned, x, unsigned, y)
  TSR_PLACES
  TSR_EACH_COLUMN(n, y[at1 + j * p.step[1]] = x[at0 + j * p.step[0]];)
TSR_END
