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

  /// Lays out and writes.
  func run() throws {
    let plan = try layout.options().plan(seed: layout.seed)
    try AtomicFile.requireWritable(out)
    let features = try Embeddings.read(embeddings)
    try device.useAll(for: "layout") { devices in
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
