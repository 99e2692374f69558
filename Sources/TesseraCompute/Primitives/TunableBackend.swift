// SPDX-License-Identifier: Apache-2.0
/// A backend whose products and convolutions can be computed with other tiles, which change their speed and
/// no bit (NUMERICS.md rule 10).
package protocol TunableBackend: KernelDispatching {
  /// The device and its form of the kernels, as `TuningFile` keeps its tiles by.
  var tuningKey: String { get }
  /// The tiles that it uses.
  var tuning: GemmTuning { get }
  /// The tiles that a search tries.
  var candidateTiles: [GemmTiles] { get }
  /// The same device once more with other tiles: its own queue, no profiler.
  func with(_ tuning: GemmTuning) throws -> any TunableBackend
  /// What of the tiles matters on the device, in a few words.
  func describe(_ tiles: GemmTiles) -> String
}

extension TunableBackend {
  /// The device with each of the candidates of a search.
  package func candidates() throws -> [(name: String, backend: any TunableBackend)] {
    try candidateTiles.map { (describe($0), try with(GemmTuning($0))) }
  }
}

extension Backend {
  /// The backend as one that runs kernels.
  ///
  /// - Throws: `TesseraError` for one that some other package made.
  package func requireLauncher(_ place: String) throws -> any KernelDispatching {
    guard let launcher = self as? any KernelDispatching else {
      throw TesseraError.failure(place, found: "\(name)", wanted: "a device that runs kernels")
    }
    return launcher
  }

  /// The backend as one whose tiles can be tuned.
  ///
  /// - Throws: `TesseraError` for one without tiles: the CPU.
  package func requireTunable(_ place: String) throws -> any TunableBackend {
    guard let tunable = try requireLauncher(place).tunable else {
      throw TesseraError.input(place, found: "the CPU as the device", wanted: "an OpenCL device")
    }
    return tunable
  }
}
