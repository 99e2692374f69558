// SPDX-License-Identifier: Apache-2.0
import Kernels

extension OpenCLBackend: TunableBackend {
  package var tunable: (any TunableBackend)? { self }

  package var tuningKey: String { TuningFile.key(of: device, wide: wide) }

  package var candidateTiles: [ProductTiles] { ProductTiles.candidates(device, wide: wide) }

  package func with(_ tuning: ProductTuning) throws -> any TunableBackend {
    try OpenCLBackend(
      device, variant: wide ? .wide : .narrow, softwareDivision: softwareDivision, tuning: tuning,
      sources: sources)
  }

  package func describe(_ tiles: ProductTiles) -> String {
    wide
      ? "\(tiles.height) x \(tiles.width), \(16 * tiles.itemRows) items, depth \(tiles.depth)"
      : "\(tiles.rows) x \(tiles.columns), \(tiles.rowsOfItem) rows"
  }

  /// CPU devices: vectors of eight, and of sixteen, of which one suits the processor.
  package var peakKernels: [Kernel] { wide ? [.fmaPeak] : [.fmaPeak, .fmaPeak16] }
}
