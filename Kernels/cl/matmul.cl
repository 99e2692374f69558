// SPDX-License-Identifier: Apache-2.0
// C[b] = act(A[b] B[b] + bias) for b < batch, and squared distances. A (m,k) by strides, B (k,n) by strides, C (m,n).
// Tiles and their pictures: product.h. The CPU's are gemm*.{c,h} in Sources/CPUKernels.

#include "product_rows.h"
#include "product_groups.h"

TSR_PRODUCT(tsr_matmul, 0, TSR_B_MATRIX)
TSR_PRODUCT(tsr_distances, 1, TSR_B_MATRIX)

// y (batch, panel, k, tile) from A (batch, rows, k) by strides: operands whose k is no single stride, or whose rows a tile
// wants side by side. One row per (batch, panel, 512 of k); rows beyond the last are +0.
TSR_ROWS2(tsr_pack_rows, tsr_pack_params,
          p.batch * ((p.rows + p.tile - 1) / p.tile) * ((p.k + TSR_K_CHUNK - 1) / TSR_K_CHUNK), const float, a, float, y)
  const int panels = (p.rows + p.tile - 1) / p.tile, blocks = (p.k + TSR_K_CHUNK - 1) / TSR_K_CHUNK;
  const int block = (int)(i % blocks), panel = (int)(i / blocks % panels), batch = (int)(i / blocks / panels);
  const int begin = block * TSR_K_CHUNK, end = p.k - begin < TSR_K_CHUNK ? p.k : begin + TSR_K_CHUNK;
  __global float *to = y + ((long)batch * panels + panel) * p.tile * p.k;
  for (int r = 0; r < p.tile; r++) {
    const int row = panel * p.tile + r;
    __global const float *line = a + p.offset + (long)batch * p.batch_stride + (long)row * p.row_stride;
    // By runs of one outer k: no division for each element.
    for (int k = begin; k < end;) {
      const int inner = k % p.inner, left = p.inner - inner, run = left < end - k ? left : end - k;
      __global const float *from = line + (long)(k / p.inner) * p.outer_stride + (long)inner * p.inner_stride;
      __global float *at = to + (long)k * p.tile + r;
      TSR_EACH_COLUMN(run, at[j * p.tile] = row < p.rows ? from[j * p.inner_stride] : 0.0f;)
      k += run;
    }
  }
TSR_END

// C = the slices' sums in ascending order (with accumulate onto what C holds), those of a product in `slices` parts of k; where a
// slice's chunks are parts of their own, their sum in ascending order is the slice's. Then bias and activation.
TSR_ITEMS3(tsr_sum_slices, tsr_product_params, (long)p.product.batch * p.product.m * p.product.n, const float, parts, const float,
           bias, float, c)
  const int column = (int)(i % p.product.n), row = (int)(i / p.product.n % p.product.m);
  const long batch = i / p.product.n / p.product.m;
  // From where `column` counts, so that a bias by column is found too.
  __global float *to = c + p.product.c_offset + batch * p.product.c_batch_stride + tsr_column_of(&p, column) - column;
  float total = 0.0f;
  for (int s = 0; s < p.slices; s += p.chunks) {
    const int begin = (p.first + s) / p.chunks * p.slice_k, left = p.product.k - begin < p.slice_k ? p.product.k - begin : p.slice_k;
    const int chunks = p.chunks == 1 || left <= p.product.chunk ? 1 : (left + p.product.chunk - 1) / p.product.chunk;
    __global const float *part = parts + (long)s * p.c_slice_stride + i;
    float sum = part[0];
    int c = 1;
    // Four on the way together.
    for (; c + 4 <= chunks; c += 4) {
      const float v0 = part[(long)c * p.c_slice_stride], v1 = part[(long)(c + 1) * p.c_slice_stride];
      const float v2 = part[(long)(c + 2) * p.c_slice_stride], v3 = part[(long)(c + 3) * p.c_slice_stride];
      sum = tsr_add(tsr_add(tsr_add(tsr_add(sum, v0), v1), v2), v3);
    }
    for (; c < chunks; c++) sum = tsr_add(sum, part[(long)c * p.c_slice_stride]);
    total = s > 0 ? tsr_add(total, sum) : p.product.accumulate ? to[(long)row * p.product.c_row_stride + column] + sum : sum;
  }
  tsr_store(&p.product, bias + p.product.bias_offset + batch % p.groups * p.bias_stride, to, row, column, total, 1, 1);
TSR_END
