// SPDX-License-Identifier: Apache-2.0
// The parts of exact t-SNE: affinities, symmetrisation, forces, update, divergence.
//
// Algorithm  van der Maaten and Hinton 2008, with scikit-learn's constants and its search for the
//            perplexity; gains as Jacobs 1988. By nearest neighbours: tsne_sparse.cl, which shares
//            affinities and update.
// Tensors    d, joint: (points, points); layout, velocity, gains: (2, points); forces: (5, rows).
// Work       One item a point i, lanes over all points j. GPU: a work-group of 64; CPU device: a
//            work-item (tsne_cpu.h has it in vectors). Update: one item a coordinate. The CPU's
//            symmetrisation: tsne/c/symmetrize.h.
// Tuning     None.
//
//        j: 0 1 2 ... 63 | 64 ...
//   i:  [ q_ij = 1 / (1 + |y_i - y_j|^2) ]  -> Z_i, attraction, repulsion: five sums by lanes, no atomics
//
// Rules      5 (five sums of one pass over j), 2, 3, 9.

// p_j|i at the wanted perplexity: bisection on the precision, as scikit-learn's _binary_search_perplexity,
// with distances taken from the row's smallest so that nothing underflows.
#include "common/sums.h"
#include "tsne/tsne_cpu.h"

#if defined __OPENCL_VERSION__ && !defined TSR_GPU  // tsne/tsne_cpu.h
TSR_ROWS2(tsr_conditional_affinities, tsr_affinity_params, p.rows, const float, d, float, y)
  const long row = i * p.columns;
  tsr_conditional_affinities_row(&p, d + row, y + row, p.square ? (int)i : -1);
TSR_END
#else
TSR_ROWS2(tsr_conditional_affinities, tsr_affinity_params, p.rows, const float, d, float, y)
  const tsr_i64 row = i * p.columns, own = p.square ? i : -1;
  const float infinity = tsr_float(0x7f800000u);
  TSR_LANE_ACC(nearest, -infinity)
  TSR_EACH_LANE(p.columns,
                TSR_LANE(nearest) = tsr_max(TSR_IS(own) ? -infinity : -d[row + j], TSR_LANE(nearest));)
  TSR_MAXIMUM(nearest, closest)
  const float wanted = tsr_log(p.perplexity);
  float beta = 1.0f, low = -infinity, high = infinity, sum = 1.0f;
  for (int step = 0; step < p.max_iterations; step++) {
    TSR_LANE_SUM(weights)
    TSR_LANE_SUM(moments)
    TSR_ACCUMULATE2(
        p.columns, weights, moments, const float x = TSR_UNLESS(TSR_IS(own), d[row + j] + closest);
        const float e = TSR_UNLESS(TSR_IS(own), tsr_exp(-x * beta));
        TSR_LANE(weights) = TSR_LANE(weights) + e; TSR_LANE(moments) = tsr_fma(x, e, TSR_LANE(moments));)
    TSR_SUM(weights, total)
    TSR_SUM(moments, moment)
    sum = total;
    const float excess = tsr_fma(beta, tsr_div(moment, total), tsr_log(total)) - wanted;
    if (!(excess > p.tolerance || excess < -p.tolerance) || step + 1 == p.max_iterations) break;
    if (excess > 0.0f) {
      low = beta;
      beta = high == infinity ? beta * 2.0f : (beta + high) * 0.5f;
    } else {
      high = beta;
      beta = low == -infinity ? beta * 0.5f : (beta + low) * 0.5f;
    }
  }
  TSR_EACH_COLUMN(p.columns, const float x = d[row + j] + closest;
                  y[row + j] = TSR_UNLESS(j == own, tsr_canonical(tsr_div(tsr_exp(-x * beta), sum)));)
TSR_END
#endif

#ifdef __OPENCL_VERSION__  // on the CPU: Kernels/tsne/c/symmetrize.h
// p_j|i + p_i|j and its row sums.
TSR_ROWS3(tsr_symmetrize, tsr_points_params, p.points, const float, x, float, y, float, sums)
  TSR_LANE_SUM(sum)
  TSR_ACCUMULATE1(p.points, sum, const float v = x[i * p.points + j] + x[j * p.points + i];
                  y[i * p.points + j] = tsr_canonical(v); TSR_LANE(sum) = TSR_LANE(sum) + v;)
  TSR_SUM(sum, total)
  TSR_LANE0 sums[i] = tsr_canonical(total);
TSR_END
#endif

// P = max(P / total, eps of float64), 0 on the diagonal; in place.
TSR_ROWS2(tsr_joint_scale, tsr_points_params, p.points, const float, total, float, y)
  const float sum = tsr_max(total[0], 0x1p-52f);
  TSR_EACH_COLUMN(p.points, const float v = tsr_div(y[i * p.points + j], sum);
                  y[i * p.points + j] = j == i ? 0.0f : tsr_canonical(v < 0x1p-52f ? 0x1p-52f : v);)
TSR_END

// forces (5, rows) of the points from `first` on: Z_i = sum q; sum P q (y_i - y_j); sum q^2 (y_i - y_j),
// x then y of each.
#if defined __OPENCL_VERSION__ && !defined TSR_GPU  // tsne/tsne_cpu.h
TSR_ROWS3(tsr_tsne_forces, tsr_tsne_params, p.rows, const float, joint, const float, layout, float, forces)
  const tsr_i64 rows = p.rows, point = p.first + i;
  const tsr_forces sums = tsr_tsne_forces_row(joint + point * p.points, layout, (int)point, p.points, 1);
  forces[i] = tsr_canonical(sums.norm);
  forces[rows + i] = tsr_canonical(sums.ax);
  forces[2 * rows + i] = tsr_canonical(sums.ay);
  forces[3 * rows + i] = tsr_canonical(sums.rx);
  forces[4 * rows + i] = tsr_canonical(sums.ry);
TSR_END
#else
TSR_ROWS3(tsr_tsne_forces, tsr_tsne_params, p.rows, const float, joint, const float, layout, float, forces)
  const int n = p.points;
  const tsr_i64 rows = p.rows, point = p.first + i;
  const float xi = layout[point], yi = layout[n + point];
  TSR_LANE_SUM(norm)
  TSR_LANE_SUM(ax)
  TSR_LANE_SUM(ay)
  TSR_LANE_SUM(rx)
  TSR_LANE_SUM(ry)
  TSR_ACCUMULATE5(n, norm, ax, ay, rx, ry, const float dx = xi - layout[j];
                  const float dy = yi - layout[n + j];
                  const float s = tsr_div(1.0f, tsr_fma(dy, dy, tsr_fma(dx, dx, 1.0f)));
                  const float q = TSR_UNLESS(TSR_IS(point), s); const float a = joint[point * n + j] * q;
                  const float r = q * q; TSR_LANE(norm) = TSR_LANE(norm) + q;
                  TSR_LANE(ax) = tsr_fma(a, dx, TSR_LANE(ax)); TSR_LANE(ay) = tsr_fma(a, dy, TSR_LANE(ay));
                  TSR_LANE(rx) = tsr_fma(r, dx, TSR_LANE(rx)); TSR_LANE(ry) = tsr_fma(r, dy, TSR_LANE(ry));)
  TSR_SUM(norm, z)
  TSR_SUM(ax, attraction_x)
  TSR_SUM(ay, attraction_y)
  TSR_SUM(rx, repulsion_x)
  TSR_SUM(ry, repulsion_y)
  TSR_LANE0 {
    forces[i] = tsr_canonical(z);
    forces[rows + i] = tsr_canonical(attraction_x);
    forces[2 * rows + i] = tsr_canonical(attraction_y);
    forces[3 * rows + i] = tsr_canonical(repulsion_x);
    forces[4 * rows + i] = tsr_canonical(repulsion_y);
  }
TSR_END
#endif

// Gradient 4 (exaggeration attraction - repulsion / Z), gains as Jacobs 1988, momentum; item c n + i.
TSR_ITEMS6(tsr_tsne_update, tsr_tsne_params, p.points * 2, const float, forces, const float, norm, float,
           layout, float, velocity, float, gains, float, squares)
  const int n = p.points;
  const float attraction = forces[n + i], repulsion = tsr_div(forces[3 * n + i], tsr_max(norm[0], 0x1p-52f));
  const float gradient = 4.0f * tsr_fma(p.exaggeration, attraction, -repulsion);
  const float v = velocity[i];
  const int against = (v > 0.0f && gradient < 0.0f) || (v < 0.0f && gradient > 0.0f);
  const float gain = tsr_max(against ? gains[i] + 0.2f : gains[i] * 0.8f, p.min_gain);
  const float step = gradient * gain;
  const float moved = tsr_fma(p.momentum, v, -(p.learning_rate * step));
  gains[i] = tsr_canonical(gain);
  velocity[i] = tsr_canonical(moved);
  layout[i] = tsr_canonical(layout[i] + moved);
  squares[i] = tsr_canonical(step * step);
TSR_END

// Row i of KL(P || Q) = sum P ln(P / Q), Q = max(q / Z, eps).
TSR_ROWS4(tsr_tsne_divergence, tsr_points_params, p.points, const float, joint, const float, layout,
          const float, norm, float, rows)
  const int n = p.points;
  const float xi = layout[i], yi = layout[n + i], z = tsr_max(norm[0], 0x1p-52f);
  TSR_LANE_SUM(sum)
  TSR_ACCUMULATE1(n, sum, const float dx = xi - layout[j]; const float dy = yi - layout[n + j];
                  const float q = tsr_div(tsr_div(1.0f, tsr_fma(dy, dy, tsr_fma(dx, dx, 1.0f))), z);
                  const float w = TSR_UNLESS(TSR_IS(i), joint[i * n + j]);
                  const float ratio = tsr_div(tsr_max(w, 0x1p-52f), q > 0x1p-52f ? q : 0x1p-52f);
                  TSR_LANE(sum) = tsr_fma(w, tsr_log(ratio), TSR_LANE(sum));)
  TSR_SUM(sum, total)
  TSR_LANE0 rows[i] = tsr_canonical(total);
TSR_END
