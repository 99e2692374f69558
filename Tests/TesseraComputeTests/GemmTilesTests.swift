// SPDX-License-Identifier: Apache-2.0
import Foundation
import Kernels
import TestSupport
import Testing

@testable import TesseraCompute
@testable import TesseraVerification

/// Tiles change a product's speed, never its bits.
@Suite struct GemmTilesTests {
  /// Products whose edges cut the tiles: 1, 64, 65, 128, 129 rows and columns, one and two chunks of k.
  private static let cases = Catalogue.productCases.filter { item in
    [" 1x1x", "65x", "129x", "conv", "stride", "dilation", "groups"].contains { item.label.contains($0) }
      || item.primitive.hasPrefix("conv2d")
  }.filter(\.isSmall)

  private func check(_ tiles: GemmTiles, _ variant: OpenCLBackend.Variant) throws {
    let cpu = try CPUBackend()
    for device in OpenCLDevice.all().prefix(1) {
      let backend = try OpenCLBackend(device, variant: variant, tuning: GemmTuning(tiles))
      #expect(backend.tuning == GemmTuning(tiles))
      let result = try Verification.run(Self.cases, reference: cpu, device: backend)
      #expect(result.mismatches.isEmpty)
      #expect(result.cases > 40)
    }
  }

  @Test(.tags(.opencl)) func highTilesWithRowsSideBySide() throws {
    var tiles = GemmTiles()
    (tiles.rows, tiles.rowsOfItem) = (12, 24)
    try check(tiles, .cpu)
  }

  @Test(.tags(.opencl)) func lowTiles() throws {
    var tiles = GemmTiles()
    tiles.rows = 4
    try check(tiles, .cpu)
  }

  @Test(.tags(.opencl)) func fourBlocksOfAGPU() throws {
    var tiles = GemmTiles()
    (tiles.rowBlocks, tiles.columnBlocks, tiles.depth) = (2, 2, 8)
    try check(tiles, .gpu)
  }

  /// What a device cannot run gives way to what suits it.
  @Test(.tags(.opencl)) func unsoundTilesAreNotUsed() throws {
    var tiles = GemmTiles()
    tiles.rows = 5
    #expect(!tiles.isSound)
    for device in OpenCLDevice.all().prefix(1) {
      let backend = try OpenCLBackend(device, tuning: GemmTuning(tiles))
      #expect(backend.tuning == .suiting(device, gpu: backend.gpu))
    }
  }

  @Test(.tags(.opencl)) func groupsOfHalfTheWorkItems() throws {
    var tiles = GemmTiles()
    (tiles.rowBlocks, tiles.columnBlocks, tiles.itemRows) = (2, 2, 8)
    #expect((tiles.height, tiles.width) == (64, 128))
    try check(tiles, .gpu)
  }

  /// Sixteen rows and eight columns of sums a work-item: what a GPU takes for large products.
  @Test(.tags(.opencl)) func eightBlocksOfAGPU() throws {
    let tiles = GemmTiles(rowBlocks: 4, columnBlocks: 2, itemRows: 8, depth: 8)
    #expect(tiles.isSound && tiles.loadsVec4)
    try check(tiles, .gpu)
  }

  /// Four elements at a time where all lines begin on borders of 16 bytes, along the direction in which
  /// they lie side by side.
  @Test func operandsAreReadInFoursWhereAligned() {
    let tiles = GemmTiles(rowBlocks: 4, columnBlocks: 2, itemRows: 8, depth: 8)
    func of(_ change: (inout tsr_gemm_params) -> Void = { _ in }) -> String {
      var q = tsr_gemm_params(tsr_matmul_params(Matmul(m: 128, n: 64, k: 96)))
      change(&q)
      return q.vectorLoads(tiles, taps: false)
    }
    #expect(of() == " -DTSR_VECTOR_LOAD_A=1 -DTSR_VECTOR_LOAD_B=2")
    #expect(of { $0.gemm.a_offset = 2 } == " -DTSR_VECTOR_LOAD_B=2")
    #expect(of { $0.gemm.b_row_stride = 66 } == " -DTSR_VECTOR_LOAD_A=1")
    #expect(of { ($0.gemm.n, $0.gemm.b_row_stride) = (63, 64) } == " -DTSR_VECTOR_LOAD_A=1")
    #expect(of { ($0.gemm.k, $0.split_k) = (95, 95) } == " -DTSR_VECTOR_LOAD_B=2")
    #expect(
      of { ($0.gemm.b_row_stride, $0.gemm.b_col_stride) = (1, 96) }
        == " -DTSR_VECTOR_LOAD_A=1 -DTSR_VECTOR_LOAD_B=1")
    #expect(
      of { ($0.gemm.a_row_stride, $0.gemm.a_col_stride) = (1, 128) }
        == " -DTSR_VECTOR_LOAD_A=2 -DTSR_VECTOR_LOAD_B=2")
    #expect(of { ($0.splits, $0.split_k) = (2, 50) } == " -DTSR_VECTOR_LOAD_B=2")
    #expect(
      tsr_gemm_params(tsr_matmul_params(Matmul(m: 8, n: 8, k: 8))).vectorLoads(
        GemmTiles(rowBlocks: 1, columnBlocks: 1, itemRows: 16, depth: 8), taps: false) == "")
  }

  /// By rounds over the compute units: whole tiles where there are many, low ones for few rows, small ones
  /// for few outputs.
  @Test func aGPUTakesTheTilesThatFit() {
    var tuning = GemmTuning()
    tuning.many = GemmTiles(rowBlocks: 4, columnBlocks: 2, itemRows: 8, depth: 8)
    let of = { (m: Int, n: Int) in tuning.tiles(m: m, n: n, parts: 1, units: 132, gpu: true) }
    #expect(of(4096, 4096) == tuning.many)
    #expect(of(64, 720_000).height == 64)
    #expect(of(512, 512) == tuning.few)
    // What a search found for all shapes is taken for all.
    #expect(GemmTuning(tuning.many).tiles(m: 1, n: 1, parts: 1, units: 132, gpu: true) == tuning.many)
  }
}
