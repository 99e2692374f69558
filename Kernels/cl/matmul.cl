// C[b] = act(A[b] B[b] + bias) for b < batch, and squared distances. A (m,k) by strides, B (k,n), C (m,n).
// One fma chain from +0 in ascending k per chunk, chunk sums added in ascending order (NUMERICS.md rule 4).
//
//   GPU: a work-group of 16 x 16 computes 64 x 64 of C; 16-deep slices of A and B go through local memory,
//   a work-item keeps 4 x 4 sums in registers and reads its operands as float4.
//
//            n: [ 64 ]                      CPU device: no barriers, no local memory; a work-item computes
//      +---+-----------+                    8 rows x 32 columns in float16 vectors, B rows contiguous:
//   m: |As |   C tile  |  64
//      |16k| 4x4 each  |                      rows r..r+7  x  [ float16 | float16 ]
//      +---+-----------+

#define TSR_STEP_DOT(acc, x, y) acc = fma(x, y, acc)
#define TSR_STEP_DISTANCE(acc, x, y) { const __typeof__(acc) tsr_d = (x) - (y); acc = fma(tsr_d, tsr_d, acc); }

TSR_FN void tsr_store(const tsr_matmul_params p, __global const float *bias, __global float *c, int row, int column,
                      float v) {
  if (p.bias == TSR_BIAS_ROW) v = v + bias[p.bias_offset + row];
  if (p.bias == TSR_BIAS_COLUMN) v = v + bias[p.bias_offset + column];
  c[(long)row * p.c_row_stride + column] = tsr_canonical(tsr_activate(v, p.activation));
}

#ifdef TSR_WIDE
#define TSR_MATMUL(name, STEP)                                                                                 \
  __kernel __attribute__((reqd_work_group_size(16, 16, 1))) void name(                                         \
      const tsr_matmul_params p, __global const float *a, __global const float *b, __global const float *bias, \
      __global float *c) {                                                                                     \
    __local float as[16][64], bs[16][64];                                                                      \
    const int tx = get_local_id(0), ty = get_local_id(1), t = ty * 16 + tx;                                    \
    const int column0 = (int)get_group_id(0) * 64, row0 = (int)get_group_id(1) * 64;                           \
    const long batch = get_group_id(2);                                                                        \
    a += p.a_offset + batch * p.a_batch_stride;                                                                \
    b += p.b_offset + batch * p.b_batch_stride;                                                                \
    c += p.c_offset + batch * p.c_batch_stride;                                                                \
    float4 total[4];                                                                                           \
    for (int r = 0; r < 4; r++) {                                                                              \
      total[r] = (float4)(0.0f);                                                                               \
      if (p.accumulate) {                                                                                      \
        const int row = row0 + ty * 4 + r;                                                                     \
        float v[4];                                                                                            \
        for (int q = 0; q < 4; q++) {                                                                          \
          const int column = column0 + tx * 4 + q;                                                             \
          v[q] = row < p.m && column < p.n ? c[(long)row * p.c_row_stride + column] : 0.0f;                    \
        }                                                                                                      \
        total[r] = vload4(0, v);                                                                               \
      }                                                                                                        \
    }                                                                                                          \
    for (int k0 = 0; k0 < p.k; k0 += p.chunk) {                                                                \
      const int stop = k0 + p.chunk < p.k ? k0 + p.chunk : p.k;                                                \
      float4 acc[4];                                                                                           \
      for (int r = 0; r < 4; r++) acc[r] = (float4)(0.0f);                                                     \
      for (int k = k0; k < stop; k += 16) {                                                                    \
        for (int q = t; q < 1024; q += 256) {                                                                  \
          /* Neighbouring work-items read neighbouring addresses, whichever stride is 1. */                    \
          const int ak = p.a_col_stride == 1 ? q % 16 : q / 64, ar = p.a_col_stride == 1 ? q / 16 : q % 64;    \
          const int bk = p.b_col_stride == 1 ? q / 64 : q % 16, bc = p.b_col_stride == 1 ? q % 64 : q / 16;    \
          as[ak][ar] = row0 + ar < p.m && k + ak < stop                                                        \
                           ? a[(long)(row0 + ar) * p.a_row_stride + (long)(k + ak) * p.a_col_stride]           \
                           : 0.0f;                                                                             \
          bs[bk][bc] = column0 + bc < p.n && k + bk < stop                                                     \
                           ? b[(long)(k + bk) * p.b_row_stride + (long)(column0 + bc) * p.b_col_stride]        \
                           : 0.0f;                                                                             \
        }                                                                                                      \
        barrier(CLK_LOCAL_MEM_FENCE);                                                                          \
        const int depth = stop - k < 16 ? stop - k : 16;                                                       \
        for (int q = 0; q < depth; q++) {                                                                      \
          const float4 x = vload4(ty, as[q]), y = vload4(tx, bs[q]);                                           \
          STEP(acc[0], (float4)(x.x), y);                                                                      \
          STEP(acc[1], (float4)(x.y), y);                                                                      \
          STEP(acc[2], (float4)(x.z), y);                                                                      \
          STEP(acc[3], (float4)(x.w), y);                                                                      \
        }                                                                                                      \
        barrier(CLK_LOCAL_MEM_FENCE);                                                                          \
      }                                                                                                        \
      for (int r = 0; r < 4; r++) total[r] = k0 > 0 || p.accumulate ? total[r] + acc[r] : acc[r];              \
    }                                                                                                          \
    for (int r = 0; r < 4; r++) {                                                                              \
      const int row = row0 + ty * 4 + r, column = column0 + tx * 4;                                            \
      if (row >= p.m) continue;                                                                                \
      if (column < p.n) tsr_store(p, bias, c, row, column, total[r].x);                                        \
      if (column + 1 < p.n) tsr_store(p, bias, c, row, column + 1, total[r].y);                                \
      if (column + 2 < p.n) tsr_store(p, bias, c, row, column + 2, total[r].z);                                \
      if (column + 3 < p.n) tsr_store(p, bias, c, row, column + 3, total[r].w);                                \
    }                                                                                                          \
  }
#else
// B's columns are contiguous (the host sees to it) and rows may be read up to column n alone: the last,
// narrow tile goes through a private copy.
#define TSR_MATMUL(name, STEP)                                                                                 \
  __kernel __attribute__((reqd_work_group_size(1, 1, 1))) void name(                                           \
      const tsr_matmul_params p, __global const float *a, __global const float *b, __global const float *bias, \
      __global float *c) {                                                                                     \
    const int column = (int)get_global_id(0) * 32, row = (int)get_global_id(1) * 8;                            \
    const long batch = get_global_id(2);                                                                       \
    const int whole = column + 32 <= p.n, width = whole ? 32 : p.n - column;                                   \
    a += p.a_offset + batch * p.a_batch_stride;                                                                \
    b += p.b_offset + batch * p.b_batch_stride + column;                                                       \
    c += p.c_offset + batch * p.c_batch_stride;                                                                \
    __global const float *ar[8];                                                                               \
    for (int r = 0; r < 8; r++) ar[r] = a + (long)(row + r < p.m ? row + r : p.m - 1) * p.a_row_stride;        \
    float total[8][32];                                                                                        \
    for (int r = 0; r < 8; r++)                                                                                \
      for (int q = 0; q < 32; q++)                                                                             \
        total[r][q] = p.accumulate && row + r < p.m && q < width                                               \
                          ? c[(long)(row + r) * p.c_row_stride + column + q] : 0.0f;                           \
    for (int k0 = 0; k0 < p.k; k0 += p.chunk) {                                                                \
      const int stop = k0 + p.chunk < p.k ? k0 + p.chunk : p.k;                                                \
      float16 s0 = 0.0f, s1 = 0.0f, s2 = 0.0f, s3 = 0.0f, s4 = 0.0f, s5 = 0.0f, s6 = 0.0f, s7 = 0.0f;          \
      float16 t0 = 0.0f, t1 = 0.0f, t2 = 0.0f, t3 = 0.0f, t4 = 0.0f, t5 = 0.0f, t6 = 0.0f, t7 = 0.0f;          \
      for (int k = k0; k < stop; k++) {                                                                        \
        __global const float *line = b + (long)k * p.b_row_stride;                                             \
        float16 y0, y1;                                                                                        \
        if (whole) {                                                                                           \
          y0 = vload16(0, line);                                                                               \
          y1 = vload16(1, line);                                                                               \
        } else {                                                                                               \
          float edge[32];                                                                                      \
          for (int q = 0; q < 32; q++) edge[q] = q < width ? line[q] : 0.0f;                                   \
          y0 = vload16(0, edge);                                                                               \
          y1 = vload16(1, edge);                                                                               \
        }                                                                                                      \
        const long at = (long)k * p.a_col_stride;                                                              \
        const float16 x0 = ar[0][at], x1 = ar[1][at], x2 = ar[2][at], x3 = ar[3][at];                          \
        const float16 x4 = ar[4][at], x5 = ar[5][at], x6 = ar[6][at], x7 = ar[7][at];                          \
        STEP(s0, x0, y0); STEP(t0, x0, y1); STEP(s1, x1, y0); STEP(t1, x1, y1);                                \
        STEP(s2, x2, y0); STEP(t2, x2, y1); STEP(s3, x3, y0); STEP(t3, x3, y1);                                \
        STEP(s4, x4, y0); STEP(t4, x4, y1); STEP(s5, x5, y0); STEP(t5, x5, y1);                                \
        STEP(s6, x6, y0); STEP(t6, x6, y1); STEP(s7, x7, y0); STEP(t7, x7, y1);                                \
      }                                                                                                        \
      float sums[8][32];                                                                                       \
      vstore16(s0, 0, sums[0]); vstore16(t0, 1, sums[0]); vstore16(s1, 0, sums[1]); vstore16(t1, 1, sums[1]);  \
      vstore16(s2, 0, sums[2]); vstore16(t2, 1, sums[2]); vstore16(s3, 0, sums[3]); vstore16(t3, 1, sums[3]);  \
      vstore16(s4, 0, sums[4]); vstore16(t4, 1, sums[4]); vstore16(s5, 0, sums[5]); vstore16(t5, 1, sums[5]);  \
      vstore16(s6, 0, sums[6]); vstore16(t6, 1, sums[6]); vstore16(s7, 0, sums[7]); vstore16(t7, 1, sums[7]);  \
      for (int r = 0; r < 8; r++)                                                                              \
        for (int q = 0; q < 32; q++)                                                                           \
          total[r][q] = k0 > 0 || p.accumulate ? total[r][q] + sums[r][q] : sums[r][q];                        \
    }                                                                                                          \
    for (int r = 0; r < 8 && row + r < p.m; r++)                                                               \
      for (int q = 0; q < width; q++) tsr_store(p, bias, c, row + r, column + q, total[r][q]);                 \
  }
#endif

TSR_MATMUL(tsr_matmul, TSR_STEP_DOT)
TSR_MATMUL(tsr_distances, TSR_STEP_DISTANCE)
