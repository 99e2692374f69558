// The products of product.h on a GPU: a work-group of 16 x 16 takes a tile, operands through local memory.
#if defined TSR_WIDE && !defined TSR_PRODUCT_GROUPS_H
#define TSR_PRODUCT_GROUPS_H

// Blocks of 4 x 4 sums that a work-item keeps, along m and n.
#ifndef TSR_MI
#define TSR_MI 1
#endif
#ifndef TSR_NI
#define TSR_NI 1
#endif
#define TSR_TILE_M (64 * TSR_MI)
#define TSR_TILE_N (64 * TSR_NI)
// Elements of a slice that each of the 256 work-items brings.
#define TSR_LOADS_M (TSR_TILE_M * TSR_DEPTH / 256)
#define TSR_LOADS_N (TSR_TILE_N * TSR_DEPTH / 256)
// Four floats of padding: work-items that write a column of a slice then meet different banks.
#define TSR_LINE_M (TSR_TILE_M + 4)
#define TSR_LINE_N (TSR_TILE_N + 4)

// Local memory of a work-group: two slices of each operand, and the sites of two slices of k.
typedef struct {
  float a[2][TSR_DEPTH][TSR_LINE_M], b[2][TSR_DEPTH][TSR_LINE_N];
  tsr_site sites[2][TSR_DEPTH];
} tsr_shared;

// The sites of the slice at k: one work-item an entry.
TSR_FN void tsr_write_sites(const int kind, const tsr_product_params *q, __local tsr_site *sites, int item, int k) {
  if (kind == TSR_B_MATRIX || item >= TSR_DEPTH) return;
  sites[item] = kind == TSR_B_TAPS ? tsr_site_of_tap(&q->taps, k + item) : tsr_site_of_place(&q->taps, q->groups, k + item);
}

// Element e of a slice of `lines` columns: neighbouring work-items read neighbouring addresses, whichever stride is 1.
#define TSR_SLICE_K(e, lines, along_k) ((along_k) ? (e) % TSR_DEPTH : (e) / (lines))
#define TSR_SLICE_LINE(e, lines, along_k) ((along_k) ? (e) / TSR_DEPTH : (e) % (lines))

// What a work-item brings of the slice k..<stop, into registers.
TSR_FN void tsr_fetch(const int kind, const tsr_product_params *q, __global const float *a, __global const float *b,
                      __local const tsr_site *sites, tsr_site own, int item, int row0, int column0, int k, int stop,
                      float *ra, float *rb) {
  const tsr_matmul_params *p = &q->product;
  const int a_along = p->a_col_stride == 1, b_along = p->b_col_stride != 1;
#pragma unroll
  for (int i = 0; i < TSR_LOADS_M; i++) {
    const int e = item + 256 * i;
    const int at = TSR_SLICE_K(e, TSR_TILE_M, a_along), row = row0 + TSR_SLICE_LINE(e, TSR_TILE_M, a_along);
    ra[i] = row < p->m && k + at < stop ? a[(long)row * p->a_row_stride + (long)(k + at) * p->a_col_stride] : 0.0f;
  }
#pragma unroll
  for (int i = 0; i < TSR_LOADS_N; i++) {
    const int e = item + 256 * i;
    if (kind == TSR_B_MATRIX) {
      const int at = TSR_SLICE_K(e, TSR_TILE_N, b_along), column = column0 + TSR_SLICE_LINE(e, TSR_TILE_N, b_along);
      rb[i] = column < p->n && k + at < stop ? b[(long)(k + at) * p->b_row_stride + (long)column * p->b_col_stride] : 0.0f;
    } else {
      // A work-item's elements share a column: its site is known.
      const int at = e / TSR_TILE_N, h = own.h + sites[at].h, w = own.w + sites[at].w;
      const int inside = column0 + e % TSR_TILE_N < p->n && k + at < stop && h >= 0 && h < q->taps.height && w >= 0 &&
                         w < q->taps.width;
      rb[i] = inside ? b[own.plane + sites[at].plane + h * q->taps.width + w] : 0.0f;
    }
  }
}

TSR_FN void tsr_put(const int kind, const tsr_product_params *q, __local tsr_shared *s, int turn, int item,
                    const float *ra, const float *rb) {
  const int a_along = q->product.a_col_stride == 1, b_along = kind == TSR_B_MATRIX && q->product.b_col_stride != 1;
#pragma unroll
  for (int i = 0; i < TSR_LOADS_M; i++) {
    const int e = item + 256 * i;
    s->a[turn][TSR_SLICE_K(e, TSR_TILE_M, a_along)][TSR_SLICE_LINE(e, TSR_TILE_M, a_along)] = ra[i];
  }
#pragma unroll
  for (int i = 0; i < TSR_LOADS_N; i++) {
    const int e = item + 256 * i;
    s->b[turn][TSR_SLICE_K(e, TSR_TILE_N, b_along)][TSR_SLICE_LINE(e, TSR_TILE_N, b_along)] = rb[i];
  }
}

// One k of a slice, onto the work-item's sums.
TSR_FN void tsr_step(const int distance, __local const float *a, __local const float *b, int tx, int ty,
                     float4 acc[4 * TSR_MI][TSR_NI]) {
  float4 y[TSR_NI];
#pragma unroll
  for (int j = 0; j < TSR_NI; j++) y[j] = vload4(tx + 16 * j, b);
#pragma unroll
  for (int i = 0; i < TSR_MI; i++) {
    const float4 x = vload4(ty + 16 * i, a);
#pragma unroll
    for (int j = 0; j < TSR_NI; j++) {
      TSR_FMA(distance, (float4)(x.x), y[j], acc[4 * i][j])
      TSR_FMA(distance, (float4)(x.y), y[j], acc[4 * i + 1][j])
      TSR_FMA(distance, (float4)(x.z), y[j], acc[4 * i + 2][j])
      TSR_FMA(distance, (float4)(x.w), y[j], acc[4 * i + 3][j])
    }
  }
}

TSR_FN void tsr_product(const int distance, const int kind, const tsr_product_params q, __global const float *a,
                        __global const float *b, __global const float *bias, __global float *c, __local tsr_shared *s) {
  const tsr_matmul_params *p = &q.product;
  const tsr_part part = tsr_part_of(&q, (int)get_group_id(2));
  const int tx = get_local_id(0), ty = get_local_id(1), item = ty * 16 + tx;
  const int column0 = (int)get_group_id(0) * TSR_TILE_N, row0 = (int)get_group_id(1) * TSR_TILE_M;
  const long group = part.batch % q.groups;
  a += p->a_offset + group * p->a_batch_stride;
  b += p->b_offset + part.batch * p->b_batch_stride;
  bias += p->bias_offset + group * q.bias_stride;
  c += p->c_offset + part.batch * p->c_batch_stride + part.slice * q.c_slice_stride;
  tsr_site own = {0, 0, 0};
  if (kind == TSR_B_TAPS) own = tsr_site_of_place(&q.taps, q.groups, column0 + item % TSR_TILE_N);
  if (kind == TSR_B_TAPS_ACROSS) own = tsr_site_of_tap(&q.taps, column0 + item % TSR_TILE_N);
  float ra[TSR_LOADS_M], rb[TSR_LOADS_N];
  float4 acc[4 * TSR_MI][TSR_NI];

  int k = part.begin, stop = part.end - k < p->chunk ? part.end : k + p->chunk, turn = 0;
  tsr_write_sites(kind, &q, s->sites[0], item, k);
  barrier(CLK_LOCAL_MEM_FENCE);
  tsr_fetch(kind, &q, a, b, s->sites[0], own, item, row0, column0, k, stop, ra, rb);
  tsr_put(kind, &q, s, 0, item, ra, rb);
  int next = stop - k <= TSR_DEPTH ? stop : k + TSR_DEPTH;
  tsr_write_sites(kind, &q, s->sites[1], item, next);
  barrier(CLK_LOCAL_MEM_FENCE);
  int start = k;
  for (;;) {
    if (k == start)
      for (int i = 0; i < 4 * TSR_MI; i++)
        for (int j = 0; j < TSR_NI; j++) acc[i][j] = (float4)(0.0f);
    // The slice after this one, of the next chunk where this one ends.
    const int next_stop = next < stop ? stop : part.end - next < p->chunk ? part.end : next + p->chunk;
    if (next < part.end)
      tsr_fetch(kind, &q, a, b, s->sites[turn ^ 1], own, item, row0, column0, next, next_stop, ra, rb);
    if (next - k == TSR_DEPTH)
      for (int d = 0; d < TSR_DEPTH; d++) tsr_step(distance, s->a[turn][d], s->b[turn][d], tx, ty, acc);
    else
      for (int d = 0; d < next - k; d++) tsr_step(distance, s->a[turn][d], s->b[turn][d], tx, ty, acc);
    if (next >= stop) {
      for (int i = 0; i < 4 * TSR_MI; i++)
        for (int j = 0; j < TSR_NI; j++) {
          const int row = row0 + i / 4 * 64 + ty * 4 + i % 4, column = column0 + j * 64 + tx * 4;
          float v[4];
          vstore4(acc[i][j], 0, v);
          for (int l = 0; l < 4; l++)
            if (row < p->m && column + l < p->n)
              tsr_store(p, bias, c, row, column + l, v[l], start == part.begin && !p->accumulate, next >= part.end);
        }
      start = next;
    }
    if (next >= part.end) return;
    tsr_put(kind, &q, s, turn ^ 1, item, ra, rb);
    const int after = next_stop - next <= TSR_DEPTH ? next_stop : next + TSR_DEPTH;
    tsr_write_sites(kind, &q, s->sites[turn], item, after);
    barrier(CLK_LOCAL_MEM_FENCE);
    turn ^= 1, k = next, stop = next_stop, next = after;
  }
}

#define TSR_PRODUCT(name, distance, kind)                                                                        \
  __kernel __attribute__((reqd_work_group_size(16, 16, 1))) void name(                                           \
      const tsr_product_params q, __global const float *a, __global const float *b, __global const float *bias,  \
      __global float *c) {                                                                                       \
    __local tsr_shared s;                                                                                        \
    tsr_product(distance, kind, q, a, b, bias, c, &s);                                                           \
  }
#endif
