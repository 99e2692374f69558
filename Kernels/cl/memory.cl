// Fills, strided copies and transposition of 32-bit elements; bits pass unchanged.

TSR_ITEMS1(tsr_fill, tsr_map_params, p.count, float, y)
  y[i] = p.alpha;
TSR_END

// A rectangle (rows, cols) between two arrays with offsets and row strides.
TSR_ROWS2(tsr_copy, tsr_copy_params, p.rows, const unsigned, x, unsigned, y)
  TSR_EACH_COLUMN(p.cols, y[p.dst_offset + i * p.dst_stride + j] = x[p.src_offset + i * p.src_stride + j];)
TSR_END

// y (cols, rows) = x (rows, cols) transposed: a row of y per item.
TSR_ROWS2(tsr_transpose, tsr_copy_params, p.cols, const unsigned, x, unsigned, y)
  TSR_EACH_COLUMN(p.rows, y[i * p.rows + j] = x[j * p.cols + i];)
TSR_END
