// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Foundation
import TesseraBenchmark
import TesseraCompute
import TesseraPipeline

/// Searches the tiles of products and convolutions.
struct Tune: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract:
      "Finds the fastest tiles for an OpenCL device's products. Changes no bit: candidates whose bits differ are out."
  )

  @OptionGroup var options: DeviceOptions
  @Option(help: "The file that gets the tiles, beside those of other devices (default: the user's own).")
  var out: String?
  @Option(help: "Add what these files know and search nothing.")
  var merge: [String] = []
  @Flag(help: "JSON instead of text.")
  var json = false

  private struct Outcome: Codable {
    let device: String, file: String, tuning: GemmTuning, trials: [GemmTuner.Trial]
    /// The program and the machine; instruction set and threads are the reference's.
    let provenance: Provenance
  }

  /// Searches, or merges files.
  func run() throws {
    guard let path = out ?? TuningFile.ownPath else {
      throw TesseraError.input("tune", found: "no home folder", wanted: "--out FILE")
    }
    var file = FileManager.default.fileExists(atPath: path) ? try TuningFile(path) : TuningFile()
    guard merge.isEmpty else {
      for other in merge { file.merge(try TuningFile(other)) }
      try file.write(to: path)
      return print("\(path): tiles of \(file.devices.count) devices")
    }
    try options.use(for: "tune", selection: options.firstBesideCPU) { device in
      let device = try device.requireTunable("tune")
      let progress = options.progress
      progress.begin("tuning \(device.name)")
      let cpu = try CPUBackend(threads: options.threads)
      let (tuning, trials) = try GemmTuner.search(device, cpu: cpu) { done, all, _ in
        progress.update("tune", done: done, of: all, unit: "candidates")
      }
      try file.set(tuning, for: device)
      try file.write(to: path)
      if json {
        try printJSON(
          Outcome(
            device: device.name, file: path, tuning: tuning, trials: trials,
            provenance: Provenance(cpu, kernels: DeviceGroup(device).kernelSources)))
      } else {
        for trial in trials { print(line(trial, device)) }
        print(
          "many outputs: \(device.describe(tuning.many)); few: \(device.describe(tuning.few)); kept in \(path)"
        )
      }
    }
  }

  private func line(_ trial: GemmTuner.Trial, _ device: any TunableBackend) -> String {
    let head = Bench.pad(device.describe(trial.tiles), 26)
    if let reason = trial.rejected { return head + "thrown out: \(reason)" }
    return head + trial.seconds.map { Bench.pad(Bench.fixed($0 * 1e3), 8) }.joined() + "ms"
  }
}
