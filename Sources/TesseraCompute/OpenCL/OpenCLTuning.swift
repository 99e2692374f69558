// SPDX-License-Identifier: Apache-2.0
package import Kernels

extension OpenCLBackend: TunableBackend {
  package var tunable: (any TunableBackend)? { self }

  package var tuningKey: String { TuningFile.key(of: device, gpu: gpu) }

  package var candidateTiles: [GemmTiles] { GemmTiles.candidates(device, gpu: gpu) }

  package func with(_ tuning: GemmTuning) throws -> any TunableBackend {
    try OpenCLBackend(
      device, variant: gpu ? .gpu : .cpu, softwareDivision: softwareDivision, tuning: tuning,
      sources: sources)
  }

  package func describe(_ tiles: GemmTiles) -> String {
    gpu
      ? "\(tiles.height) x \(tiles.width), \(16 * tiles.itemRows) items, depth \(tiles.depth)"
      : "\(tiles.rows) x \(tiles.columns), \(tiles.rowsOfItem) rows"
  }

  /// CPU devices: vectors of eight, and of sixteen, of which one suits the processor.
  package var peakKernels: [Kernel] { gpu ? [.fmaPeak] : [.fmaPeak, .fmaPeak16] }
}
