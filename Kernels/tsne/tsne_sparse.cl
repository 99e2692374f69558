// SPDX-License-Identifier: Apache-2.0
// t-SNE by nearest neighbours: search, forces, divergence.
//
// Algorithm  Affinities to a point's k nearest neighbours alone, as in Barnes-Hut t-SNE (van der Maaten
//            2014); the repulsion is of all pairs and exact. Nothing here has points x points elements.
// Tensors    d: a block of distances (rows, columns); nearest, neighbours: (points, k). The joint matrix
//            by rows (compressed sparse rows): starts (points + 1), columns, values. layout: (2, points);
//            forces: (5, rows).
// Work       One item a point. GPU: a work-group of 64, lanes over columns or points; CPU device: a
//            work-item.
// Tuning     None. TSR_NO_NEIGHBOUR marks a place in the list that no neighbour has taken yet.
//
//   distances, block by block    the k best so far    affinities, by neighbours        all other points
//   [ rows x columns ]  ------>  [ points x k ]  -->  [ starts; columns; values ] -->  forces of a point
//                                                       attraction                     repulsion, Z
//
// Rules      5: of equal distances the first points; the e-th neighbour of a row is in lane e mod 64.

#include "common/sums.h"
#include "tsne/tsne_cpu.h"

#ifndef TSR_NO_NEIGHBOUR
// The neighbour in a place that none has taken yet; its distance is NaN.
#define TSR_NO_NEIGHBOUR 0x7fffffff
// Whether (distance, point) comes before another: ascending distances, NaN last, then ascending points.
#define TSR_NEARER(key, point, other_key, other_point) \
  (((key) < (other_key)) | (((key) == (other_key)) & ((point) < (other_point))))
#endif

// The k nearest of a row's columns and of those that are there already, in order. Any way to find them
// gives the same bits.
#ifdef TSR_GPU
// Each lane looks at 32 columns; a stripe of 64 where one is near enough is merged into the list, which
// moves up in place from its end:
//
//   list       a c d | f h     ranks in both: their places, until k are taken
//   candidates   b     e       lanes move 64 of the list at a time, the last first
__kernel __attribute__((reqd_work_group_size(64, 1, 1))) void tsr_nearest(const tsr_nearest_params p,
                                                                          __global const float *d,
                                                                          __global float *nearest,
                                                                          __global int *neighbours) {
  __local tsr_u32 keys[TSR_LANES];
  __local int points[TSR_LANES];
  const int lane = (int)get_local_id(0), k = p.neighbours;
  const long i = (long)get_group_id(0), row = i * p.columns, own = p.first_row + i - p.first_column;
  nearest += (p.first_row + i) * k;
  neighbours += (p.first_row + i) * k;
  if (p.fresh) {
    for (int r = lane; r < k; r += TSR_LANES)
      nearest[r] = tsr_float(TSR_NAN_BITS), neighbours[r] = TSR_NO_NEIGHBOUR;
    barrier(CLK_GLOBAL_MEM_FENCE);
  }
  for (int j0 = 0; j0 < p.columns; j0 += 32 * TSR_LANES) {
    const float farthest = nearest[k - 1];
    tsr_u32 near = 0, any = 0;
    for (int s = 0; s < 32; s++) {
      const int j = j0 + s * TSR_LANES + lane;
      if (j < p.columns && j != own && !(d[row + j] > farthest)) near |= 1u << s;
    }
    keys[lane] = near;
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int l = 0; l < TSR_LANES; l++) any |= keys[l];
    barrier(CLK_LOCAL_MEM_FENCE);
    for (; any != 0; any &= any - 1u) {
      const int s = 31 - tsr_clz(any & (0u - any)), j = j0 + s * TSR_LANES + lane, is = (near >> s) & 1u;
      // A lane without a candidate is behind all.
      const float distance = is ? tsr_canonical(d[row + j] + 0.0f) : 0.0f;
      const tsr_u32 key = is ? tsr_order(distance) : 0xffffffffu;
      const int point = is ? p.first_column + j : TSR_NO_NEIGHBOUR;
      keys[lane] = key, points[lane] = point;
      barrier(CLK_LOCAL_MEM_FENCE);
      int low = 0, high = k;
      while (low < high) {
        const int middle = (low + high) / 2;
        if (TSR_NEARER(tsr_order(nearest[middle]), neighbours[middle], key, point)) low = middle + 1;
        else high = middle;
      }
      int place = low;
      for (int l = 0; l < TSR_LANES; l++) place += TSR_NEARER(keys[l], points[l], key, point);
      for (int begin = (k - 1) / TSR_LANES * TSR_LANES; begin >= 0; begin -= TSR_LANES) {
        const int r = begin + lane;
        const float moved = r < k ? nearest[r] : 0.0f;
        const int who = r < k ? neighbours[r] : 0;
        const tsr_u32 order = tsr_order(moved);
        int to = r;
        for (int l = 0; l < TSR_LANES; l++) to += TSR_NEARER(keys[l], points[l], order, who);
        barrier(CLK_GLOBAL_MEM_FENCE);
        if (r < k && to < k && to != r) nearest[to] = moved, neighbours[to] = who;
      }
      if (place < k) nearest[place] = distance, neighbours[place] = point;
      barrier(CLK_LOCAL_MEM_FENCE | CLK_GLOBAL_MEM_FENCE);
    }
  }
}
#else
// Sixteen columns at a time are passed over if all are farther than the list's last.
TSR_ROWS3(tsr_nearest, tsr_nearest_params, p.rows, const float, d, float, nearest, int, neighbours)
  const int k = p.neighbours;
  const tsr_i64 row = i * p.columns, own = p.first_row + i - p.first_column, list = (p.first_row + i) * k;
  if (p.fresh)
    for (int r = 0; r < k; r++)
      nearest[list + r] = tsr_float(TSR_NAN_BITS), neighbours[list + r] = TSR_NO_NEIGHBOUR;
  float farthest = nearest[list + k - 1];
  for (int j0 = 0; j0 < p.columns; j0 += 16) {
    const int count = p.columns - j0 < 16 ? p.columns - j0 : 16;
    int near = 0;
    if (count == 16) {
      TSR_VECTORIZE for (int l = 0; l < 16; l++) near |= !(d[row + j0 + l] > farthest);
      if (!near) continue;
    }
    for (int l = 0; l < count; l++) {
      if (d[row + j0 + l] > farthest || j0 + l == own) continue;
      const float distance = tsr_canonical(d[row + j0 + l] + 0.0f);
      const tsr_u32 key = tsr_order(distance);
      const int point = p.first_column + j0 + l;
      // All of the list, in vectors: that is quicker than a search whose branches no one can foresee.
      int place = 0;
      TSR_VECTORIZE for (int r = 0; r < k; r++) place +=
          TSR_NEARER(tsr_order(nearest[list + r]), neighbours[list + r], key, point);
      if (place == k) continue;
      for (int r = k - 1; r > place; r--) nearest[list + r] = nearest[list + r - 1];
      for (int r = k - 1; r > place; r--) neighbours[list + r] = neighbours[list + r - 1];
      nearest[list + place] = distance, neighbours[list + place] = point;
      farthest = nearest[list + k - 1];
    }
  }
TSR_END
#endif

// forces (5, rows) of the points from `first` on, as tsr_tsne_forces has them: repulsion and Z of all
// points, attraction of the row's neighbours, whose e-th is in lane e mod 64.
TSR_ROWS5(tsr_neighbour_forces, tsr_tsne_params, p.rows, const int, starts, const int, columns, const float,
          values, const float, layout, float, forces)
  const int n = p.points;
  const tsr_i64 rows = p.rows, point = p.first + i, begin = starts[point];
  const float xi = layout[point], yi = layout[n + point];
#if defined __OPENCL_VERSION__ && !defined TSR_GPU  // tsne/tsne_cpu.h
  const tsr_forces all = tsr_tsne_forces_row(layout, layout, (int)point, n, 0);
  const float z = all.norm, repulsion_x = all.rx, repulsion_y = all.ry;
#else
  TSR_LANE_SUM(norm)
  TSR_LANE_SUM(rx)
  TSR_LANE_SUM(ry)
  TSR_ACCUMULATE3(n, norm, rx, ry, const float dx = xi - layout[j]; const float dy = yi - layout[n + j];
                  const float s = tsr_div(1.0f, tsr_fma(dy, dy, tsr_fma(dx, dx, 1.0f)));
                  const float q = TSR_UNLESS(TSR_IS(point), s); const float r = q * q;
                  TSR_LANE(norm) = TSR_LANE(norm) + q; TSR_LANE(rx) = tsr_fma(r, dx, TSR_LANE(rx));
                  TSR_LANE(ry) = tsr_fma(r, dy, TSR_LANE(ry));)
  TSR_SUM(norm, z)
  TSR_SUM(rx, repulsion_x)
  TSR_SUM(ry, repulsion_y)
#endif
  TSR_LANE_SUM(ax)
  TSR_LANE_SUM(ay)
  TSR_ACCUMULATE2(starts[point + 1] - begin, ax, ay, const int c = columns[begin + j];
                  const float dx = xi - layout[c]; const float dy = yi - layout[n + c];
                  const float a = values[begin + j] * tsr_div(1.0f, tsr_fma(dy, dy, tsr_fma(dx, dx, 1.0f)));
                  TSR_LANE(ax) = tsr_fma(a, dx, TSR_LANE(ax)); TSR_LANE(ay) = tsr_fma(a, dy, TSR_LANE(ay));)
  TSR_SUM(ax, attraction_x)
  TSR_SUM(ay, attraction_y)
  TSR_LANE0 {
    forces[i] = tsr_canonical(z);
    forces[rows + i] = tsr_canonical(attraction_x);
    forces[2 * rows + i] = tsr_canonical(attraction_y);
    forces[3 * rows + i] = tsr_canonical(repulsion_x);
    forces[4 * rows + i] = tsr_canonical(repulsion_y);
  }
TSR_END

// Row i of KL(P || Q) over its neighbours, with the floors of tsr_tsne_divergence.
TSR_ROWS6(tsr_neighbour_divergence, tsr_points_params, p.points, const int, starts, const int, columns,
          const float, values, const float, layout, const float, norm, float, rows)
  const int n = p.points;
  const tsr_i64 begin = starts[i];
  const float xi = layout[i], yi = layout[n + i], z = tsr_max(norm[0], 0x1p-52f);
  TSR_LANE_SUM(sum)
  TSR_ACCUMULATE1(starts[i + 1] - begin, sum, const int c = columns[begin + j];
                  const float dx = xi - layout[c]; const float dy = yi - layout[n + c];
                  const float q = tsr_div(tsr_div(1.0f, tsr_fma(dy, dy, tsr_fma(dx, dx, 1.0f))), z);
                  const float w = values[begin + j];
                  const float ratio = tsr_div(tsr_max(w, 0x1p-52f), q > 0x1p-52f ? q : 0x1p-52f);
                  TSR_LANE(sum) = tsr_fma(w, tsr_log(ratio), TSR_LANE(sum));)
  TSR_SUM(sum, total)
  TSR_LANE0 rows[i] = tsr_canonical(total);
TSR_END
