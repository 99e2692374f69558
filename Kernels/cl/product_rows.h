// The products of product.h on a CPU device: no barriers, a work-item a panel of 16 columns.
#if !defined TSR_WIDE && !defined TSR_PRODUCT_ROWS_H
#define TSR_PRODUCT_ROWS_H
#define TSR_PANEL 16

// Rows of a tile: 16 registers of 8 floats hold 6 x 16 sums beside what they are made of.
#ifndef TSR_TILE_ROWS
#define TSR_TILE_ROWS 6
#endif
#if TSR_TILE_ROWS == 2
#define TSR_EACH_ROW(X) X(0) X(1)
#elif TSR_TILE_ROWS == 4
#define TSR_EACH_ROW(X) X(0) X(1) X(2) X(3)
#elif TSR_TILE_ROWS == 6
#define TSR_EACH_ROW(X) X(0) X(1) X(2) X(3) X(4) X(5)
#elif TSR_TILE_ROWS == 8
#define TSR_EACH_ROW(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7)
#else
#define TSR_EACH_ROW(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11)
#endif

TSR_FN void tsr_store_row(const tsr_matmul_params *p, __global const float *bias, __global float *c, int row, int column,
                          float16 v, int first, int last) {
  const int width = p->n - column;
  const int simple = !last || p->activation == TSR_ACT_NONE || p->activation == TSR_ACT_RELU;
  if (width >= TSR_PANEL && simple) {
    __global float *at = c + (long)row * p->c_row_stride + column;
    if (!first) v = vload16(0, at) + v;
    if (last) {
      if (p->bias == TSR_BIAS_ROW) v = v + (float16)(bias[row]);
      if (p->bias == TSR_BIAS_COLUMN) v = v + vload16(0, bias + column);
      if (p->activation == TSR_ACT_RELU) v = select(v, (float16)(0.0f), v < (float16)(0.0f));
      v = select(v, (float16)(tsr_float(TSR_NAN_BITS)), (as_int16(v) & 0x7fffffff) > 0x7f800000);
    }
    vstore16(v, 0, at);
    return;
  }
  float each[TSR_PANEL];
  vstore16(v, 0, each);
  for (int j = 0; j < TSR_PANEL && j < width; j++) tsr_store(p, bias, c, row, column + j, each[j], first, last);
}

// A tile's sums over `depth` of k. Rows beyond m are the last one's again, and not stored.
TSR_FN void tsr_tile(const int distance, const tsr_product_params *q, int depth, __global const float *a,
                     __local const float *panel, __global const float *bias, __global float *c, int row, int column,
                     int first, int last) {
  const tsr_matmul_params *p = &q->product;
  const int rows = p->m - row;
  // Twelve pointers would not stay in registers: so high a tile has its rows side by side.
#if TSR_TILE_ROWS > 8
  const long step = TSR_TILE_ROWS;
#define TSR_ROW(r) __global const float *a##r = a + r; float16 s##r = 0.0f;
#else
  const long step = p->a_col_stride;
#define TSR_ROW(r) \
  __global const float *a##r = a + (long)(r < rows ? r : rows - 1) * p->a_row_stride; float16 s##r = 0.0f;
#endif
  TSR_EACH_ROW(TSR_ROW)
  long at = 0;
  for (int k = 0; k < depth; k++, at += step) {
    const float16 y = vload16(k, panel);
#define TSR_TERM(r) TSR_FMA(distance, (float16)(a##r[at]), y, s##r)
    TSR_EACH_ROW(TSR_TERM)
  }
#define TSR_SUM_ROW(r) if (r < rows) tsr_store_row(p, bias, c, row + r, column, s##r, first, last);
  TSR_EACH_ROW(TSR_SUM_ROW)
}

// 16 columns of a matrix, +0 beyond the last.
TSR_FN void tsr_pack_matrix(const tsr_matmul_params *p, __global const float *b, int k0, int depth, int column,
                            __local float *panel) {
  const int width = p->n - column;
  const long row = p->b_row_stride, step = p->b_col_stride;
  b += (long)k0 * row + (long)column * step;
  if (width < TSR_PANEL)
    for (int k = 0; k < depth; k++)
      for (int j = 0; j < TSR_PANEL; j++) panel[k * TSR_PANEL + j] = j < width ? b[k * row + j * step] : 0.0f;
  else if (step == 1)
    for (int k = 0; k < depth; k++) vstore16(vload16(0, b + k * row), k, panel);
  else
    for (int k = 0; k < depth; k++)
      for (int j = 0; j < TSR_PANEL; j++) panel[k * TSR_PANEL + j] = b[k * row + j * step];
}

// A walk over taps in the order of k, without divisions: channel, kernel row, kernel column.
typedef struct { int kh, kw; tsr_site site; } tsr_walk;
TSR_FN tsr_walk tsr_walk_from(const tsr_taps_params *t, int k) {
  const tsr_walk walk = {k / t->kernel_w % t->kernel_h, k % t->kernel_w, tsr_site_of_tap(t, k)};
  return walk;
}
// To the first tap of the next kernel row.
TSR_FN void tsr_next_row(const tsr_taps_params *t, tsr_walk *walk) {
  walk->kw = 0, walk->site.w = t->start_w, walk->site.h += t->step_h;
  if (++walk->kh < t->kernel_h) return;
  walk->kh = 0, walk->site.h = t->start_h, walk->site.plane += t->height * t->width;
}

// The taps k0... of 16 places: by runs of places in one row of the output.
TSR_FN void tsr_pack_taps(const tsr_product_params *q, __global const float *image, int k0, int depth, int column,
                          __local float *panel) {
  const tsr_taps_params *t = &q->taps;
  for (int j = 0; j < TSR_PANEL;) {
    int run = TSR_PANEL - j;
    if (column + j >= q->product.n) {
      for (int k = 0; k < depth; k++)
        for (int i = 0; i < run; i++) panel[k * TSR_PANEL + j + i] = 0.0f;
      return;
    }
    const tsr_site place = tsr_site_of_place(t, 0, column + j);
    const int left = t->places_w - (column + j) % t->places_w;
    run = left < run ? left : run;
    const int first = place.w + t->start_w, reach = (t->kernel_w - 1) * t->step_w;
    const int whole = run == TSR_PANEL && t->stride_w == 1 && first + (reach < 0 ? reach : 0) >= 0 &&
                      first + (reach > 0 ? reach : 0) + TSR_PANEL <= t->width;
    tsr_walk walk = tsr_walk_from(t, k0);
    for (int k = 0; k < depth;) {
      // One row of the kernel.
      const int taps = t->kernel_w - walk.kw < depth - k ? t->kernel_w - walk.kw : depth - k;
      const int h = place.h + walk.site.h, w = place.w + walk.site.w;
      __global const float *from = image + walk.site.plane + (long)h * t->width + w;
      __local float *to = panel + k * TSR_PANEL + j;
      if (h < 0 || h >= t->height)
        for (int tap = 0; tap < taps; tap++)
          for (int i = 0; i < run; i++) to[tap * TSR_PANEL + i] = 0.0f;
      else if (whole)
        for (int tap = 0; tap < taps; tap++) vstore16(vload16(0, from + tap * t->step_w), tap, to);
      else
        for (int tap = 0; tap < taps; tap++)
          for (int i = 0; i < run; i++) {
            const int x = tap * t->step_w + i * t->stride_w;
            to[tap * TSR_PANEL + i] = w + x >= 0 && w + x < t->width ? from[x] : 0.0f;
          }
      k += taps;
      tsr_next_row(t, &walk);
    }
    j += run;
  }
}

// The same values the other way round: 16 taps (columns) of the places k0..., of samples one after another.
TSR_FN void tsr_pack_taps_across(const tsr_product_params *q, __global const float *images, int k0, int depth, int column,
                                 __local float *panel) {
  const tsr_taps_params *t = &q->taps;
  for (int j = 0; j < TSR_PANEL; j++) {
    __local float *to = panel + j;
    if (column + j >= q->product.n) {
      for (int k = 0; k < depth; k++) to[k * TSR_PANEL] = 0.0f;
      continue;
    }
    const tsr_site tap = tsr_site_of_tap(t, column + j);
    for (int k = 0; k < depth;) {
      const tsr_site place = tsr_site_of_place(t, q->groups, k0 + k);
      const int left = t->places_w - (k0 + k) % t->places_w, run = left < depth - k ? left : depth - k;
      const int h = place.h + tap.h, w = place.w + tap.w;
      __global const float *from = images + place.plane + tap.plane + (long)h * t->width + w;
      const int inside = h >= 0 && h < t->height;
      for (int i = 0; i < run; i++) {
        const int x = w + i * t->stride_w;
        to[(k + i) * TSR_PANEL] = inside && x >= 0 && x < t->width ? from[i * t->stride_w] : 0.0f;
      }
      k += run;
    }
  }
}

TSR_FN void tsr_product(const int distance, const int kind, const tsr_product_params q, __global const float *a,
                        __global const float *b, __global const float *bias, __global float *c, __local float *panel) {
  const tsr_matmul_params *p = &q.product;
  const tsr_part part = tsr_part_of(&q, (int)get_global_id(2));
  const int column = (int)get_global_id(0) * TSR_PANEL, row0 = (int)get_global_id(1) * q.rows;
  const int rows = row0 + q.rows < p->m ? row0 + q.rows : p->m;
  const long group = part.batch % q.groups;
  a += p->a_offset + group * p->a_batch_stride;
  b += p->b_offset + part.batch * p->b_batch_stride;
  bias += p->bias_offset + group * q.bias_stride;
  c += p->c_offset + part.batch * p->c_batch_stride + part.slice * q.c_slice_stride;
  int k = part.begin;
  do {
    const int stop = part.end - k < p->chunk ? part.end : k + p->chunk;
    if (kind == TSR_B_MATRIX) tsr_pack_matrix(p, b, k, stop - k, column, panel);
    else if (kind == TSR_B_TAPS) tsr_pack_taps(&q, b, k, stop - k, column, panel);
    else tsr_pack_taps_across(&q, b, k, stop - k, column, panel);
    for (int row = row0; row < rows; row += TSR_TILE_ROWS)
      tsr_tile(distance, &q, stop - k, a + (long)row * q.a_tile_stride + (long)k * p->a_col_stride, panel, bias, c, row,
               column, k == part.begin && !p->accumulate, stop == part.end);
    k = stop;
  } while (k < part.end);
}

#define TSR_PRODUCT(name, distance, kind)                                                                        \
  __kernel __attribute__((reqd_work_group_size(1, 1, 1))) void name(                                             \
      const tsr_product_params q, __global const float *a, __global const float *b, __global const float *bias,  \
      __global float *c) {                                                                                       \
    __local float panel[TSR_K_CHUNK * TSR_PANEL];                                                                \
    tsr_product(distance, kind, q, a, b, bias, c, panel);                                                        \
  }
#endif
