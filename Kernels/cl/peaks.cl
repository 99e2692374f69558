// What a device can do at most, for `tessera bench`: fused products in registers. Row i runs 3 x 64 chains
// of 2,048 fma each; nothing is read.

TSR_ROWS2(tsr_fma_peak, tsr_map_params, p.count, const float, x, float, y)
  const float a = p.alpha, b = p.beta;
  TSR_ACC(u, 0.25f)
  TSR_ACC(v, 0.5f)
  TSR_ACC(w, 0.75f)
  for (int step = 0; step < 2048; step++) {
    TSR_EACH_LANE(TSR_LANES, TSR_AT(u) = tsr_fma(TSR_AT(u), a, b); TSR_AT(v) = tsr_fma(TSR_AT(v), a, b);
                  TSR_AT(w) = tsr_fma(TSR_AT(w), a, b);)
  }
  TSR_SUM(u, su)
  TSR_SUM(v, sv)
  TSR_SUM(w, sw)
  TSR_ONE y[i] = su + sv + sw + x[0];
TSR_END
