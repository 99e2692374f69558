// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import TesseraCompute
import TesseraData
import TesseraPipeline

/// Features to places on an image.
struct Layout: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Fits the scaler and lays the features out, on the training rows.")

  @Option(help: "Features, made by tessera embed.")
  var embeddings: String
  @OptionGroup var layout: LayoutArguments
  @OptionGroup(title: "Device") var device: DeviceOptions
  @OptionGroup var shares: SplitArguments
  @Option(help: "File to write (safetensors).")
  var out: String
  @Flag(help: "JSON instead of text.")
  var json = false

  /// Lays out and writes.
  func run() throws {
    let plan = try layout.options().plan(seed: layout.seed)
    try AtomicFile.requireWritable(out)
    let features = try Embeddings.read(embeddings)
    try device.useAll(for: "layout") { devices in
      let computed = json ? try ComputedBy(devices, threads: device.threads) : nil
      let split = try shares.options().split(of: features.labels, seed: layout.seed)
      try plan.check(features, split)
      let progress = device.progress
      let constant = try features.constantFeatures(rows: split.training)
      if constant > 0 {
        progress.note("\(constant) of \(features.columns) features are the same in every training row")
      }
      progress.begin("laying out \(features.columns) features on \(devices.name)")
      let result = try FeatureLayout.make(features, split: split, plan, on: devices) { done, all, _ in
        progress.update("t-SNE", done: done, of: all, unit: "iterations")
      }
      let digits = try result.write(to: out)
      if let computed {
        let found = LaidOut(
          side: result.side, channels: result.channels.map { RunSummary.Channel($0) },
          training: split.training.count, validation: split.validation.count, test: split.test.count)
        return try printJSON(StageResult(file: out, fingerprint: digits, found: found, computed: computed))
      }
      for channel in result.channels {
        print("\(channel.name): \(channel.summary)")
        if let seconds = channel.seconds {
          print("  \(Self.short(seconds.places)) s for places, \(Self.short(seconds.pixels)) s for pixels")
        }
      }
      print("layout \(digits)")
    }
  }

  /// Seconds for people.
  private static func short(_ seconds: Double) -> Double { (seconds * 100).rounded() / 100 }
}
