// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import TesseraCompute
import TesseraData
import TesseraPipeline

/// Features to images.
struct Render: ParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Renders one image per review.")

  @Option(help: "Features, made by tessera embed.")
  var embeddings: String
  @Option(help: "Layout, made by tessera layout.")
  var layout: String
  @OptionGroup(title: "Device") var device: DeviceOptions
  @Option(help: "Folder for pictures to look at.")
  var png: String?
  @Option(help: "File to write (safetensors).")
  var out: String
  @Flag(help: "JSON instead of text.")
  var json = false

  /// Renders and writes.
  @_optimize(none)
  func run() throws {
    try AtomicFile.requireWritable(out)
    if let png { try AtomicFile.requireWritable(png + "/mean.png") }
    let features = try Embeddings.read(embeddings)
    let places = try FeatureLayout.read(layout)
    try places.split.check(layout, count: features.labels.count)
    let (images, digits, computed) = try device.use(for: "render") {
      let computed = json ? try ComputedBy(DeviceGroup($0), threads: device.threads) : nil
      let made = try ImageSet.make(features, places, split: places.split, to: out, on: $0)
      return (made.0, made.1, computed)
    }
    if let png { try images.writePictures(to: png) }
    guard let computed else { return print("images \(digits)") }
    let rows = images.split
    try printJSON(
      StageResult(
        file: out, fingerprint: digits,
        found: RenderedImages(
          images: images.labels.count, pixels: images.pixels, channels: images.channels,
          classes: images.classes,
          training: rows.training.count, validation: rows.validation.count, test: rows.test.count),
        computed: computed))
  }
}
