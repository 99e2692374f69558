// SPDX-License-Identifier: Apache-2.0
import Kernels

extension MatmulParameters {
  /// C (m,n) = A (m,k) B (k,n) of dense row-major matrices; a transposed one is stored as (k,m) or (n,k).
  /// Extents that do not fit 32 bits become -1, which `matmul` refuses.
  public init(m: Int, n: Int, k: Int, transposeA: Bool = false, transposeB: Bool = false) {
    self.init()
    self.m = Int32(extent: m)
    self.n = Int32(extent: n)
    self.k = Int32(extent: k)
    batch = 1
    a_row_stride = Int32(extent: transposeA ? 1 : k)
    a_col_stride = Int32(extent: transposeA ? m : 1)
    b_row_stride = Int32(extent: transposeB ? 1 : n)
    b_col_stride = Int32(extent: transposeB ? k : 1)
    c_row_stride = Int32(extent: n)
    chunk = 512
  }
}
