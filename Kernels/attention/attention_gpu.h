// SPDX-License-Identifier: Apache-2.0
// Attention (attention.cl) on a GPU.
//
// Algorithm  Two products and a softmax with the scores in local memory. Tiles of queries and keys are
//            transposed on their way into local memory, the next tile is prefetched into registers;
//            values are read in place, four keys ahead.
// Tensors    Those of attention.cl; scores (queries, TSR_MAX_TOKENS) in local memory.
// Work       A work-group of 128 a block of queries of one head: 64 queries of at most 128 keys, 32 of
//            256 or 16 of 512. Scores: a work-item has 8 queries x 4 keys. Softmax: eight work-items a
//            row, each has two runs of four of the 64 lanes. Sums of values: a work-item has 4 queries x
//            TSR_COLUMNS columns.
// Tuning     TSR_MAX_TOKENS (128, 256, 512): queries are 8192 / TSR_MAX_TOKENS. TSR_COLUMNS (2, 4):
//            columns of values of a work-item. TSR_HEAD_DIM_IS_4N (0, 1): rows are whole float4.
//
//              TSR_KEYS keys                                width
//            +--------------------+                         +-------------+
//   width    | tiles, transposed  |  next tile in           |  v, read in |  four keys ahead
//            | on their way in    |  registers       keys   |  place      |
//   +----+   +--------------------+                         +-------------+
//   | q  |   | 8 x 4 a work-item  |  next keys ...          | 4 x 2 or 4  |  queries
//   +----+   +--------------------+                         +-------------+
//              scores (queries, TSR_MAX_TOKENS)
//
// Rules      4, 5, 9. Beyond the width stand -0 (queries) and +0 (keys): their product changes no sum.
#pragma once

#include "common/kernel_forms.h"
#include "common/math.h"

#ifdef TSR_GPU

#define TSR_QUERIES (8192 / TSR_MAX_TOKENS)
#define TSR_ROWS_OF_ITEMS (TSR_QUERIES / 8)
#define TSR_ITEMS_OF_ROW (128 / TSR_ROWS_OF_ITEMS)
#define TSR_KEYS (4 * TSR_ITEMS_OF_ROW)  // a divisor of TSR_MAX_TOKENS
#if TSR_MAX_TOKENS > 256
#define TSR_TILE_WIDTH 8
#else
#define TSR_TILE_WIDTH 16
#endif
#define TSR_TILE_VEC4S (TSR_TILE_WIDTH / 4)  // fours of a row's tile
// Each row of scores begins 4 banks after the row before, so that float4 of eight rows are in 32 different
// banks: no bank conflict.
#define TSR_SCORE_PITCH (TSR_MAX_TOKENS + 4)

typedef struct {
  float scores[TSR_QUERIES][TSR_SCORE_PITCH];
  union {
    struct {
      float keys[TSR_TILE_WIDTH][TSR_KEYS + 4], query[TSR_TILE_WIDTH][TSR_QUERIES + 4];
    } tile;
    struct {
      float best[TSR_QUERIES][8], sum[TSR_QUERIES][8][4];
    } row;
  } of;
} tsr_attention_local;

// Four floats of local memory, on a border of 16 bytes: every line of it is a multiple of four. One read,
// where vload4 is four.
#define TSR_VEC4(from) (*(__local const float4 *)(from))
#define TSR_STORE_VEC4(to, four) (*(__local float4 *)(to) = (four))

// Four of a row, `left` to its end, beyond which stands `nothing`. TSR_HEAD_DIM_IS_4N: rows are fours, on
// borders of 16 bytes.
#if TSR_HEAD_DIM_IS_4N
#define TSR_LOAD_VEC4(v, left, nothing) ((left) > 0 ? *(__global const float4 *)(v) : (float4)(nothing))
#else
#define TSR_LOAD_VEC4(v, left, nothing)                                       \
  ((float4)((left) > 0 ? (v)[0] : (nothing), (left) > 1 ? (v)[1] : (nothing), \
            (left) > 2 ? (v)[2] : (nothing), (left) > 3 ? (v)[3] : (nothing)))
#endif

// A tile of keys and queries on its way to local memory. -0 and +0 stand beyond the width: their product
// changes no sum. Rows beyond the last are the last one's again, and never looked at.
#define TSR_KEY_VEC4S (TSR_KEYS * TSR_TILE_VEC4S / 128)
#define TSR_QUERY_VEC4S ((TSR_QUERIES * TSR_TILE_VEC4S + 127) / 128)
typedef struct {
  float4 keys[TSR_KEY_VEC4S], query[TSR_QUERY_VEC4S];
} tsr_kv_tile;

// A block of queries of one head: `queries` of them, `length` keys and values of `width`, tokens `line`
// floats apart.
typedef struct {
  __global const float *q, *k, *v;
  long line;
  int width, queries, length;
} tsr_query_block;

TSR_FN tsr_kv_tile tsr_load_kv_tile(const tsr_query_block *b, int w, int key0, int item) {
  tsr_kv_tile s;
  __global const float *q = b->q, *k = b->k;
  const long line = b->line;
  const int width = b->width, queries = b->queries, length = b->length;
  const int part = w + 4 * (item % TSR_TILE_VEC4S), last_key = length - 1, last_query = queries - 1;
#pragma unroll
  for (int i = 0; i < TSR_KEY_VEC4S; i++) {
    const int row = key0 + item / TSR_TILE_VEC4S + i * (128 / TSR_TILE_VEC4S);
    __global const float *from = k + (row < last_key ? row : last_key) * line + part;
    s.keys[i] = TSR_LOAD_VEC4(from, width - part, 0.0f);
  }
#pragma unroll
  for (int i = 0; i < TSR_QUERY_VEC4S; i++) {
    const int row = item / TSR_TILE_VEC4S + i * (128 / TSR_TILE_VEC4S);
    __global const float *from = q + (row < last_query ? row : last_query) * line + part;
    s.query[i] = TSR_LOAD_VEC4(from, width - part, -0.0f);
  }
  return s;
}

TSR_FN void tsr_store_kv_tile(__local tsr_attention_local *d, const tsr_kv_tile s, int item) {
  const int at = 4 * (item % TSR_TILE_VEC4S), row = item / TSR_TILE_VEC4S;
#pragma unroll
  for (int i = 0; i < TSR_KEY_VEC4S; i++) {
    const int r = row + i * (128 / TSR_TILE_VEC4S);
    d->of.tile.keys[at][r] = s.keys[i].x, d->of.tile.keys[at + 1][r] = s.keys[i].y;
    d->of.tile.keys[at + 2][r] = s.keys[i].z, d->of.tile.keys[at + 3][r] = s.keys[i].w;
  }
#pragma unroll
  for (int i = 0; i < TSR_QUERY_VEC4S; i++) {
    const int r = row + i * (128 / TSR_TILE_VEC4S);
    if (r < TSR_QUERIES) {
      d->of.tile.query[at][r] = s.query[i].x, d->of.tile.query[at + 1][r] = s.query[i].y;
      d->of.tile.query[at + 2][r] = s.query[i].z, d->of.tile.query[at + 3][r] = s.query[i].w;
    }
  }
}

#define TSR_SCORES_OF(r, part, x) acc[r] = fma((float4)(part.x), b, acc[r])

// scores = scale q k' + bias, one chain over width each. `bias`: of row 0 and key 0. Keys that do not
// exist have -infinity: their quotient is +0, which changes no lane.
TSR_FN void tsr_attention_scores(__local tsr_attention_local *d, const tsr_query_block *block,
                                 __global const float *bias, int biased, float scale, int item) {
  const int width = block->width, queries = block->queries, length = block->length;
  const int tx = item % TSR_ITEMS_OF_ROW, ty = item / TSR_ITEMS_OF_ROW;
  tsr_kv_tile next = tsr_load_kv_tile(block, 0, 0, item);
  for (int key0 = 0; key0 < length; key0 += TSR_KEYS) {
    const int from = key0 + 4 * tx, busy = from < length && 8 * ty < queries;
    float4 acc[8];
#pragma unroll
    for (int r = 0; r < 8; r++) acc[r] = (float4)(0.0f);
    for (int w = 0; w < width; w += TSR_TILE_WIDTH) {
      tsr_store_kv_tile(d, next, item);
      barrier(CLK_LOCAL_MEM_FENCE);
      const int more = w + TSR_TILE_WIDTH < width;
      if (more || key0 + TSR_KEYS < length)
        next = tsr_load_kv_tile(block, more ? w + TSR_TILE_WIDTH : 0, more ? key0 : key0 + TSR_KEYS, item);
      if (busy) {
#pragma unroll
        for (int i = 0; i < TSR_TILE_WIDTH; i++) {
          const float4 b = TSR_VEC4(d->of.tile.keys[i] + 4 * tx);
          const float4 low = TSR_VEC4(d->of.tile.query[i] + 8 * ty),
                       high = TSR_VEC4(d->of.tile.query[i] + 8 * ty + 4);
          TSR_SCORES_OF(0, low, x);
          TSR_SCORES_OF(1, low, y);
          TSR_SCORES_OF(2, low, z);
          TSR_SCORES_OF(3, low, w);
          TSR_SCORES_OF(4, high, x);
          TSR_SCORES_OF(5, high, y);
          TSR_SCORES_OF(6, high, z);
          TSR_SCORES_OF(7, high, w);
        }
      }
      barrier(CLK_LOCAL_MEM_FENCE);
    }
#pragma unroll
    for (int r = 0; r < 8; r++) {
      const int row = 8 * ty + r;
      float4 score = acc[r] * scale;
      if (biased && row < queries) {
        __global const float *b = bias + from - row;
        score = fma(acc[r], (float4)(scale),
                    (float4)(from < length ? b[0] : 0.0f, from + 1 < length ? b[1] : 0.0f,
                             from + 2 < length ? b[2] : 0.0f, from + 3 < length ? b[3] : 0.0f));
      }
      const float none = -tsr_float(TSR_INF_BITS);
      if (from >= length) score.x = none;
      if (from + 1 >= length) score.y = none;
      if (from + 2 >= length) score.z = none;
      if (from + 3 >= length) score.w = none;
      TSR_STORE_VEC4(d->scores[row] + from, score);
    }
  }
  barrier(CLK_LOCAL_MEM_FENCE);
}

// e^v of v <= 0, or NaN.
TSR_FN float4 tsr_exp_vec4(float4 v) {
  if (v.x >= -87.0f && v.y >= -87.0f && v.z >= -87.0f && v.w >= -87.0f)
    return (float4)(tsr_exp_normal(v.x), tsr_exp_normal(v.y), tsr_exp_normal(v.z), tsr_exp_normal(v.w));
  return (float4)(tsr_exp(v.x), tsr_exp(v.y), tsr_exp(v.z), tsr_exp(v.w));
}

// a / b of exponentials a (at most 1) and a row's sum b (1 to 512, or NaN as some a is), r being 1 / b. NaN
// may pass here: then b is NaN, and every quotient.
TSR_FN float4 tsr_softmax_divide4(float4 a, float b, float r) {
  if (fmin(fmin(a.x, a.y), fmin(a.z, a.w)) >= 0x1p-90f)
    return (float4)(tsr_div_newton(a.x, b, r), tsr_div_newton(a.y, b, r), tsr_div_newton(a.z, b, r),
                    tsr_div_newton(a.w, b, r));
  return (float4)(tsr_div(a.x, b), tsr_div(a.y, b), tsr_div(a.z, b), tsr_div(a.w, b));
}

// softmax of each row, eight work-items a row: work-item c has lanes 4 c ... 4 c + 3 and those 32 on. The
// greatest of a row has one value in any order: NaN never wins, and a zero's sign is lost in exp(x -
// greatest).
TSR_FN void tsr_rows_softmax(__local tsr_attention_local *d, int queries, int length, int item) {
  const int c = item % 8;
  for (int r = item / 8; r < queries; r += 16) {
    float4 best = -tsr_float(TSR_INF_BITS);
    for (int j = 4 * c; j < length; j += 32) best = fmax(TSR_VEC4(d->scores[r] + j), best);
    d->of.row.best[r][c] = fmax(fmax(best.x, best.y), fmax(best.z, best.w));
  }
  barrier(CLK_LOCAL_MEM_FENCE);
  for (int r = item / 8; r < queries; r += 16) {
    __local float *row = d->scores[r];
    float best = d->of.row.best[r][0];
    for (int i = 1; i < 8; i++) best = fmax(d->of.row.best[r][i], best);
    float4 low = (float4)(0.0f), high = (float4)(0.0f);
    for (int j = 4 * c; j < length; j += TSR_LANES) {
      const float4 e = tsr_exp_vec4(TSR_VEC4(row + j) - best);
      TSR_STORE_VEC4(row + j, e);
      low = fma(e, (float4)(1.0f), low);  // tsr_add of each
      // Beyond the last key all of it would be +0.
      if (j + 32 >= length) break;
      const float4 f = tsr_exp_vec4(TSR_VEC4(row + j + 32) - best);
      TSR_STORE_VEC4(row + j + 32, f);
      high = fma(f, (float4)(1.0f), high);
    }
    // The halving tree: 32 here, then 16, 8 and 4 between the work-items of a row, 2 and 1 within a four.
    TSR_STORE_VEC4(d->of.row.sum[r][c], low + high);
  }
  barrier(CLK_LOCAL_MEM_FENCE);
  for (int r = item / 8; r < queries; r += 16) {
    __local float *row = d->scores[r];
#define TSR_LANES_OF(c) (TSR_VEC4(d->of.row.sum[r][c]) + TSR_VEC4(d->of.row.sum[r][(c) + 4]))
    const float4 s = (TSR_LANES_OF(0) + TSR_LANES_OF(2)) + (TSR_LANES_OF(1) + TSR_LANES_OF(3));
    const float total = (s.x + s.z) + (s.y + s.w), reciprocal = tsr_div(1.0f, total);
    for (int j = 4 * c; j < length; j += 32)
      TSR_STORE_VEC4(row + j, tsr_softmax_divide4(TSR_VEC4(row + j), total, reciprocal));
  }
  barrier(CLK_LOCAL_MEM_FENCE);
}

// TSR_COLUMNS of a row of values, `left` to its end.
#if TSR_COLUMNS == 4
#define TSR_VALUES float4
#define TSR_VALUES_BEYOND(v) TSR_LOAD_VEC4(v, left, 0.0f)
#else
#define TSR_VALUES float2
#define TSR_VALUES_BEYOND(v) ((float2)((v)[0], left > 1 ? (v)[1] : 0.0f))
#endif
#if TSR_HEAD_DIM_IS_4N
#define TSR_VALUES_AT(v) (*(__global const TSR_VALUES *)(v))
#else
#define TSR_VALUES_AT(v) TSR_VALUES_BEYOND(v)
#endif
// Keys whose values are read ahead.
#define TSR_KEYS_AHEAD 4

TSR_FN void tsr_read_values(__global const float *from, long line, int left, TSR_VALUES *v) {
#pragma unroll
  for (int i = 0; i < TSR_KEYS_AHEAD; i++) v[i] = TSR_VALUES_AT(from + i * line);
}

// TSR_KEYS_AHEAD terms of each chain.
TSR_FN void tsr_value_step(__local const tsr_attention_local *d, int r, int apart, int j, const TSR_VALUES *v,
                           TSR_VALUES *acc) {
#pragma unroll
  for (int k = 0; k < TSR_KEYS_AHEAD; k += 4) {
#pragma unroll
    for (int i = 0; i < 4; i++) {
      const float4 s = TSR_VEC4(d->scores[r + i * apart] + j + k);
      acc[i] = fma((TSR_VALUES)(s.x), v[k], acc[i]);
      acc[i] = fma((TSR_VALUES)(s.y), v[k + 1], acc[i]);
      acc[i] = fma((TSR_VALUES)(s.z), v[k + 2], acc[i]);
      acc[i] = fma((TSR_VALUES)(s.w), v[k + 3], acc[i]);
    }
  }
}

// y = scores v, one chain over keys each. A work-item takes four queries, as far apart as keeps them in
// different banks, and TSR_COLUMNS columns; of four queries those that do not exist are rows of local
// memory too, and not stored.
TSR_FN void tsr_attention_sums(__local const tsr_attention_local *d, const tsr_query_block *block,
                               __global float *y, long hidden, int item) {
  const long line = block->line;
  const int width = block->width, queries = block->queries, length = block->length;
  const int across = (width + TSR_COLUMNS - 1) / TSR_COLUMNS, apart = (queries + 3) / 4;
  for (int tile = item; tile < apart * across; tile += 128) {
    const int r = tile / across, w = tile % across * TSR_COLUMNS, left = width - w;
    __global const float *from = block->v + w;
    TSR_VALUES acc[4], now[TSR_KEYS_AHEAD], next[TSR_KEYS_AHEAD];
#pragma unroll
    for (int i = 0; i < 4; i++) acc[i] = 0.0f;
    int j = 0;
    if (length >= TSR_KEYS_AHEAD) {
      tsr_read_values(from, line, left, now);
      for (; j + 3 * TSR_KEYS_AHEAD <= length; j += 2 * TSR_KEYS_AHEAD, from += 2 * TSR_KEYS_AHEAD * line) {
        tsr_read_values(from + TSR_KEYS_AHEAD * line, line, left, next);
        tsr_value_step(d, r, apart, j, now, acc);
        tsr_read_values(from + 2 * TSR_KEYS_AHEAD * line, line, left, now);
        tsr_value_step(d, r, apart, j + TSR_KEYS_AHEAD, next, acc);
      }
      for (; j + TSR_KEYS_AHEAD <= length; j += TSR_KEYS_AHEAD, from += TSR_KEYS_AHEAD * line) {
        if (j + 2 * TSR_KEYS_AHEAD <= length) tsr_read_values(from + TSR_KEYS_AHEAD * line, line, left, next);
        tsr_value_step(d, r, apart, j, now, acc);
#pragma unroll
        for (int i = 0; i < TSR_KEYS_AHEAD; i++) now[i] = next[i];
      }
    }
    for (; j < length; j++, from += line) {
      now[0] = TSR_VALUES_AT(from);
#pragma unroll
      for (int i = 0; i < 4; i++) acc[i] = fma((TSR_VALUES)(d->scores[r + i * apart][j]), now[0], acc[i]);
    }
#pragma unroll
    for (int i = 0; i < 4; i++) {
      const int row = r + i * apart;
      if (row >= queries) continue;
      __global float *to = y + row * hidden + w;
      to[0] = tsr_canonical(acc[i].x);
      if (left > 1) to[1] = tsr_canonical(acc[i].y);
#if TSR_COLUMNS == 4
      if (left > 2) to[2] = tsr_canonical(acc[i].z);
      if (left > 3) to[3] = tsr_canonical(acc[i].w);
#endif
    }
  }
}

// blocks: (first token, tokens, first query) of each.
__kernel __attribute__((reqd_work_group_size(128, 1, 1))) void tsr_attention(
    const tsr_packed_attention_params p, __global const float *x, __global const int *blocks,
    __global const float *bias, __global float *y) {
  __local tsr_attention_local d __attribute__((aligned(16)));
  const int item = (int)get_local_id(0), block = 3 * (int)get_group_id(0), head = (int)get_group_id(1);
  const int begin = blocks[block], length = blocks[block + 1], first = blocks[block + 2], width = p.width;
  const int queries = length - first < TSR_QUERIES ? length - first : TSR_QUERIES;
  const long hidden = (long)p.heads * width, line = 3 * hidden;
  __global const float *q = x + begin * line + (long)head * width;
  const tsr_query_block own = {q + first * line, q + hidden, q + 2 * hidden, line, width, queries, length};
  tsr_attention_scores(&d, &own, bias + (long)head * (2 * p.span - 1) + p.span - 1 - first, p.span != 0,
                       p.scale, item);
  tsr_rows_softmax(&d, queries, length, item);
  // Where the tiles are fewer than the work-items, groups take turns at which of them work, lest all
  // groups of a compute unit keep the same part of it busy.
  const int swap = (int)((uint)(get_group_id(0) + get_group_id(1)) * 0x9e3779b1u >> 31) * 64;
  tsr_attention_sums(&d, &own, y + (begin + first) * hidden + (long)head * width, hidden, item ^ swap);
}
#endif
