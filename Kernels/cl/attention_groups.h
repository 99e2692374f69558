// Attention on a GPU: a work-group of 128 takes 16 queries of one head, whose rows of scores stay in local memory.
//
//             128 keys                                       width
//            +--------------------+                         +-------------+
//   width    | slices of 16       |  through local memory   |  v, read in |  neighbouring work-items read
//            +--------------------+                  keys   |  place      |  neighbouring values
//   +----+   +--------------------+                         +-------------+
//   | q  |16 | 4 x 4 a work-item  |  next 128 keys ...      | 4 x 4 sums  |  16 queries
//   +----+   +--------------------+                         +-------------+
//              scores (16, LONGEST)    softmax: 8 work-items a row, work-item c has lanes c, c + 8, ... of the 64
#if defined TSR_LONGEST && defined TSR_WIDE && !defined TSR_ATTENTION_GROUPS_H
#define TSR_ATTENTION_GROUPS_H

#define TSR_QUERIES 16
#define TSR_KEYS 128  // a divisor of every TSR_LONGEST
#define TSR_SLICE 16
// Eight floats of padding: four rows of eight lanes then meet 32 different banks.
#define TSR_SCORE_LINE (TSR_LONGEST + 8)

typedef struct {
  float scores[TSR_QUERIES][TSR_SCORE_LINE];
  // Four floats of padding, as in product_groups.h.
  float keys[TSR_SLICE][TSR_KEYS + 4], query[TSR_SLICE][TSR_QUERIES + 4];
  float best[TSR_QUERIES][8], sum[TSR_QUERIES][8];
} tsr_desk;

// Four floats of the desk, on a border of 16 bytes: every line of it is a multiple of four. One read, where vload4 is four.
#define TSR_FOUR(from) (*(__local const float4 *)(from))

// One term of a work-item's scores.
TSR_FN void tsr_score_step(__local const tsr_desk *d, int i, int tx, int ty, float4 *acc) {
  const float4 a = TSR_FOUR(d->query[i] + 4 * ty), b = TSR_FOUR(d->keys[i] + 4 * tx);
  acc[0] = fma((float4)(a.x), b, acc[0]);
  acc[1] = fma((float4)(a.y), b, acc[1]);
  acc[2] = fma((float4)(a.z), b, acc[2]);
  acc[3] = fma((float4)(a.w), b, acc[3]);
}

// scores = q k', one chain over width each.
TSR_FN void tsr_attention_scores(__local tsr_desk *d, __global const float *q, __global const float *k, long line, int width,
                                 int queries, int length, int item) {
  const int tx = item % 32, ty = item / 32;
  for (int key0 = 0; key0 < length; key0 += TSR_KEYS) {
    float4 acc[4];
#pragma unroll
    for (int i = 0; i < 4; i++) acc[i] = (float4)(0.0f);
    for (int w = 0; w < width; w += TSR_SLICE) {
      const int depth = width - w < TSR_SLICE ? width - w : TSR_SLICE, at = item % TSR_SLICE;
      for (int r = item / TSR_SLICE; r < TSR_KEYS; r += 128 / TSR_SLICE)
        d->keys[at][r] = at < depth && key0 + r < length ? k[(key0 + r) * line + w + at] : 0.0f;
      for (int r = item / TSR_SLICE; r < TSR_QUERIES; r += 128 / TSR_SLICE)
        d->query[at][r] = at < depth && r < queries ? q[r * line + w + at] : 0.0f;
      barrier(CLK_LOCAL_MEM_FENCE);
      if (depth == TSR_SLICE) {
#pragma unroll
        for (int i = 0; i < TSR_SLICE; i++) tsr_score_step(d, i, tx, ty, acc);
      } else {
#pragma unroll 1
        for (int i = 0; i < depth; i++) tsr_score_step(d, i, tx, ty, acc);
      }
      barrier(CLK_LOCAL_MEM_FENCE);
    }
#pragma unroll
    for (int i = 0; i < 4; i++) *(__local float4 *)(d->scores[4 * ty + i] + key0 + 4 * tx) = acc[i];
  }
  barrier(CLK_LOCAL_MEM_FENCE);
}

// softmax of each row. The greatest of a row has one value in any order: NaN never wins, and a zero's sign is lost in
// exp(x - greatest). `bias`: of the row's query and key 0; rows of queries that do not exist have none.
TSR_FN void tsr_rows_softmax(__local tsr_desk *d, __global const float *bias, int biased, float scale, int queries, int length,
                             int item) {
  const int r = item / 8, c = item % 8;
  const int from = biased && r < queries;
  __local float *row = d->scores[r];
#define TSR_SCORE(j) (from ? tsr_fma(row[j], scale, bias[(j) - r]) : row[j] * scale)
  float best = -tsr_float(TSR_INF_BITS);
  for (int j = c; j < length; j += 8) best = tsr_max(TSR_SCORE(j), best);
  d->best[r][c] = best;
  barrier(CLK_LOCAL_MEM_FENCE);
  for (int i = 0; i < 8; i++) best = tsr_max(d->best[r][i], best);
  float sum[8];
#pragma unroll
  for (int i = 0; i < 8; i++) sum[i] = 0.0f;
  for (int j0 = c; j0 < length; j0 += TSR_LANES) {
#pragma unroll
    for (int i = 0; i < 8; i++) {
      const int j = j0 + 8 * i;
      if (j < length) {
        const float e = tsr_exp(TSR_SCORE(j) - best);
        row[j] = e;
        sum[i] = sum[i] + e;
      }
    }
  }
  // The halving tree: 32, 16 and 8 between lanes of one work-item, 4, 2 and 1 between those of the row.
#pragma unroll
  for (int h = 4; h > 0; h >>= 1) {
#pragma unroll
    for (int i = 0; i < h; i++) sum[i] = sum[i] + sum[i + h];
  }
  d->sum[r][c] = sum[0];
  barrier(CLK_LOCAL_MEM_FENCE);
  const float4 low = TSR_FOUR(d->sum[r]) + TSR_FOUR(d->sum[r] + 4);
  const float total = (low.x + low.z) + (low.y + low.w);
  for (int j = c; j < length; j += 8) row[j] = tsr_div(row[j], total);
  barrier(CLK_LOCAL_MEM_FENCE);
}

// Four of a row of values; `whole`: they lie within, on a border of 16 bytes.
TSR_FN float4 tsr_four(__global const float *v, int left, int whole) {
  if (whole) return *(__global const float4 *)v;
  return (float4)(v[0], left > 1 ? v[1] : 0.0f, left > 2 ? v[2] : 0.0f, left > 3 ? v[3] : 0.0f);
}

// y = scores v, one chain over keys each. A work-item takes four queries and four columns: it reads a value once for four sums.
// Few of a group then work, but many groups share a compute unit.
TSR_FN void tsr_attention_sums(__local const tsr_desk *d, __global const float *v, long line, int width, int queries,
                               int length, __global float *y, long hidden, int item) {
  const int fours = (width + 3) / 4, whole = width % 4 == 0;
  for (int tile = item; tile < (queries + 3) / 4 * fours; tile += 128) {
    const int r = tile / fours * 4, w = tile % fours * 4;
    __global const float *from = v + w;
    float4 acc[4];
#pragma unroll
    for (int i = 0; i < 4; i++) acc[i] = (float4)(0.0f);
    int j = 0;
    for (; j + 4 <= length; j += 4, from += 4 * line) {
      const float4 v0 = tsr_four(from, width - w, whole), v1 = tsr_four(from + line, width - w, whole);
      const float4 v2 = tsr_four(from + 2 * line, width - w, whole), v3 = tsr_four(from + 3 * line, width - w, whole);
#pragma unroll
      for (int i = 0; i < 4; i++) {
        const float4 s = TSR_FOUR(d->scores[r + i] + j);
        acc[i] = fma((float4)(s.x), v0, acc[i]);
        acc[i] = fma((float4)(s.y), v1, acc[i]);
        acc[i] = fma((float4)(s.z), v2, acc[i]);
        acc[i] = fma((float4)(s.w), v3, acc[i]);
      }
    }
    for (; j < length; j++, from += line) {
      const float4 value = tsr_four(from, width - w, whole);
#pragma unroll
      for (int i = 0; i < 4; i++) acc[i] = fma((float4)(d->scores[r + i][j]), value, acc[i]);
    }
#pragma unroll
    for (int i = 0; i < 4; i++) {
      if (r + i >= queries) continue;
      __global float *to = y + (r + i) * hidden + w;
      to[0] = tsr_canonical(acc[i].x);
      if (w + 1 < width) to[1] = tsr_canonical(acc[i].y);
      if (w + 2 < width) to[2] = tsr_canonical(acc[i].z);
      if (w + 3 < width) to[3] = tsr_canonical(acc[i].w);
    }
  }
}

// blocks: (first token, tokens, first query) of each.
__kernel __attribute__((reqd_work_group_size(128, 1, 1))) void tsr_attention(
    const tsr_packed_attention_params p, __global const float *x, __global const int *blocks, __global const float *bias,
    __global float *y) {
  __local tsr_desk d __attribute__((aligned(16)));
  const int item = (int)get_local_id(0), block = 3 * (int)get_group_id(0), head = (int)get_group_id(1);
  const int begin = blocks[block], length = blocks[block + 1], first = blocks[block + 2], width = p.width;
  const int queries = length - first < TSR_QUERIES ? length - first : TSR_QUERIES;
  const long hidden = (long)p.heads * width, line = 3 * hidden;
  __global const float *q = x + begin * line + (long)head * width;
  tsr_attention_scores(&d, q + first * line, q + hidden, line, width, queries, length, item);
  tsr_rows_softmax(&d, bias + (long)head * (2 * p.span - 1) + p.span - 1 - first, p.span != 0, p.scale, queries, length, item);
  tsr_attention_sums(&d, q + 2 * hidden, line, width, queries, length, y + (begin + first) * hidden + (long)head * width, hidden,
                     item);
}
#endif
