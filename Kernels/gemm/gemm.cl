// SPDX-License-Identifier: Apache-2.0
// Matrix products and squared distances in OpenCL; packing of A; the sum of split-K.
//
// Algorithm  Tiled GEMM: gemm_cpu.h for CPU devices, gemm_gpu.h for GPUs. The C twin: gemm/c/gemm.h.
// Tensors    C[b] = act(A[b] B[b] + bias) for b < batch: A (m, k) and B (k, n) by strides, C (m, n), bias
//            (m) or (n). Distances: A and B are points, C = sum over k of (a - b)^2. Packed A: (batch,
//            panel, k, tile). Splits: (splits, batch, m, n).
// Work       Products: a work-item (CPU) or a work-group (GPU) a tile of C. tsr_pack_rows: one item a
//            panel and chunk. tsr_split_k_reduce: one item an element of C.
// Tuning     In gemm_cpu.h and gemm_gpu.h; GemmTiles.swift has the sets of values.
//
//   split-K:   k: [ split 0 | split 1 | ... ]  ->  sums s0, s1, ...  ->  C = act(((s0 + s1) + ...) + bias)
//
// Rules      4 (one chain of fma a chunk of 512, chunk sums in ascending order), 6 (splits of 8 samples),
//            9, 10.

#include "gemm/gemm_cpu.h"
#include "gemm/gemm_gpu.h"

TSR_GEMM_KERNEL(tsr_matmul, 0, TSR_B_MATRIX)
TSR_GEMM_KERNEL(tsr_distances, 1, TSR_B_MATRIX)

// y (batch, panel, k, tile) from A (batch, rows, k) by strides: operands whose k is no single stride, or
// whose rows a tile wants side by side. One row per (batch, panel, 512 of k); rows beyond the last are
// +0.
TSR_ROWS2(tsr_pack_rows, tsr_pack_params,
          p.batch *((p.rows + p.tile - 1) / p.tile) * ((p.k + TSR_K_CHUNK - 1) / TSR_K_CHUNK), const float, a,
          float, y)
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

// C = the splits' sums in ascending order (with accumulate onto what C holds), those of a product in
// `splits` parts of k; where a split's chunks are parts of their own, their sum in ascending order is the
// split's. Then bias and activation.
TSR_ITEMS3(tsr_split_k_reduce, tsr_gemm_params, (long)p.gemm.batch *p.gemm.m *p.gemm.n, const float, parts,
           const float, bias, float, c)
  const int column = (int)(i % p.gemm.n), row = (int)(i / p.gemm.n % p.gemm.m);
  const long batch = i / p.gemm.n / p.gemm.m;
  // From where `column` counts, so that a bias by column is found too.
  __global float *to =
      c + p.gemm.c_offset + batch * p.gemm.c_batch_stride + tsr_c_column_offset(&p, column) - column;
  float total = 0.0f;
  for (int s = 0; s < p.splits; s += p.chunks) {
    const int begin = (p.first + s) / p.chunks * p.split_k,
              left = p.gemm.k - begin < p.split_k ? p.gemm.k - begin : p.split_k;
    const int chunks = p.chunks == 1 || left <= p.gemm.chunk ? 1 : (left + p.gemm.chunk - 1) / p.gemm.chunk;
    __global const float *part = parts + (long)s * p.c_split_stride + i;
    float sum = part[0];
    int c = 1;
    // Four on the way together.
    for (; c + 4 <= chunks; c += 4) {
      const float v0 = part[(long)c * p.c_split_stride], v1 = part[(long)(c + 1) * p.c_split_stride];
      const float v2 = part[(long)(c + 2) * p.c_split_stride], v3 = part[(long)(c + 3) * p.c_split_stride];
      sum = tsr_add(tsr_add(tsr_add(tsr_add(sum, v0), v1), v2), v3);
    }
    for (; c < chunks; c++) sum = tsr_add(sum, part[(long)c * p.c_split_stride]);
    total = s > 0               ? tsr_add(total, sum)
            : p.gemm.accumulate ? to[(long)row * p.gemm.c_row_stride + column] + sum
                                : sum;
  }
  const tsr_output output = {&p.gemm, bias + p.gemm.bias_offset + batch % p.groups * p.bias_stride, to, 1, 1};
  tsr_epilogue(&output, row, column, total);
TSR_END
